"""Turns what the schema refuses into problems with file, line and the nearest valid name."""

from __future__ import annotations

import difflib
import functools
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Union

from pydantic import BaseModel, ValidationError

from models.errors import Problem, nearest
from models.policy import Owned, Stated

_CODES = {"extra_forbidden": "unknown-key", "missing": "missing-key"}

# What was expected, by the beginning of the schema library's name for the refusal.
_WORDS = {
    "string_type": "text",
    "string_pattern": "letters, digits and signs on one line",
    "string_too_long": "a shorter text",
    "dict_type": "keys and values",
    "mapping_type": "keys and values",
    "model_": "keys and values",
    "tuple_type": "a list",
    "list_type": "a list",
    "bool_": "true or false",
    "int_": "a whole number",
    "finite_number": "a whole number",
    "float_": "a number",
    "decimal_": "a number",
}
_LONGEST = 60
_MOST_PLACES = 2
"""A key that belongs to more places than these is sooner a misspelling of one that belongs here."""


def problems_of(error: ValidationError, model: type[BaseModel], origins: Mapping[str, str]) -> list[Problem]:
    """One problem per refusal; a value that no branch of a union accepts is reported once.

    What only follows from another problem is left out: a key missing because it is misspelt, a list empty because
    its items were refused.
    """
    return _problems(error.errors(), model, origins)


def empty_unknown_keys(error: ValidationError, model: type[BaseModel], origins: Mapping[str, str]) -> list[Problem]:
    """Only the unknown keys without a value, into which unquoted text with a comma falls apart inside braces."""
    items = [item for item in error.errors() if item["type"] == "extra_forbidden" and item["input"] is None]
    hint = "text with a comma needs quotes inside {...}"
    return [replace(problem, hint=hint) for problem in _problems(items, model, origins)]


def _problems(items: Sequence[Any], model: type[BaseModel], origins: Mapping[str, str]) -> list[Problem]:
    found: dict[tuple[str, str], Problem] = {}
    misspelt = _misspelt(items, model)
    for number, item in enumerate(items):
        steps = [str(step) for step in item["loc"]]
        kind = str(item["type"])
        if kind == "missing" and tuple(steps) in misspelt:
            continue
        if kind == "too_short" and any(_below(other["loc"], item["loc"]) for other in items[:number]):
            continue
        path, where = _place(steps, origins, kind in ("missing", "extra_forbidden"))
        code = _CODES.get(kind, kind if kind.startswith(("unit", "quarter")) else "value")
        if kind == "extra_forbidden":
            problem = Problem(code, where, f"unknown key {path!r}", hint=_hint(model, steps))
        elif kind == "missing":
            problem = Problem(code, where, f"{path} is missing", _description(model, steps))
        else:
            found_text, expected = words_of(item)
            problem = Problem(code, where, f"{path}: {found_text}", expected)
        earlier = found.setdefault((where, path), problem)
        if earlier.found == problem.found and problem.expected not in earlier.expected:
            found[where, path] = replace(earlier, expected=f"{earlier.expected} or {problem.expected}")
    return list(found.values())


def _misspelt(items: Sequence[Any], model: type[BaseModel]) -> set[tuple[str, ...]]:
    """Places of keys that an unknown key beside them was meant to be."""
    meant: set[tuple[str, ...]] = set()
    for item in items:
        if item["type"] == "extra_forbidden":
            *parent, name = (str(step) for step in item["loc"])
            close = difflib.get_close_matches(name, _keys(_model_at(model, parent)), n=1, cutoff=0.6)
            meant.update((*parent, key) for key in close)
    return meant


def _below(place: tuple[Any, ...], parent: tuple[Any, ...]) -> bool:
    return len(place) > len(parent) and place[: len(parent)] == parent


def words_of(item: Any) -> tuple[str, str]:
    """What was found and what was expected, in the words of this project rather than of the schema library."""
    kind, message = str(item["type"]), str(item["msg"]).removeprefix("Value error, ")
    if kind == "too_short":
        return f"{item['ctx']['actual_length']} entries", f"at least {item['ctx']['min_length']}"
    if kind == "union_tag_invalid":
        return repr(item["ctx"]["tag"]), f"one of {item['ctx']['expected_tags']}"
    if kind == "union_tag_not_found":
        return f"no {str(item['ctx']['discriminator']).strip(chr(39))}", "which kind of entry it is"
    expected = next((words for start, words in _WORDS.items() if kind.startswith(start)), None)
    if expected is None and message.startswith("Input should be "):
        expected = message.removeprefix("Input should be ")
    if expected is None:
        found, _, expected = message.partition("; expected ")
        return found, expected
    shown = repr(item.get("input"))
    return (shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}..."), expected


def _place(steps: list[str], origins: Mapping[str, str], named: bool) -> tuple[str, str]:
    """Dotted path without the schema's own union tags, and the line of the deepest part that stands in the file."""
    shown = _shown(steps, origins, named)
    for end in range(len(shown), 0, -1):
        path = ".".join(shown[:end])
        if path in origins:
            return ".".join(shown), origins[path]
    first = next(iter(origins.values()), "instance:1")
    return ".".join(shown), first.rpartition(":")[0] + ":1"


def _shown(steps: list[str], origins: Mapping[str, str], named: bool = False) -> list[str]:
    """Steps that exist in the file, and the last one where it ``named`` a key; others (training, int) are the schema's own."""
    kept: list[str] = []
    for number, step in enumerate(steps):
        path = ".".join([*kept, step])
        last = number == len(steps) - 1
        if path in origins or (last and named):
            kept.append(step)
    return kept or steps[-1:]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (Union, types.UnionType, typing.Annotated, dict, tuple, list):
        return [model for argument in typing.get_args(annotation) for model in _models_in(argument)]
    return []


def _model_at(model: type[BaseModel], steps: list[str]) -> type[BaseModel] | None:
    current, _ = _models_at(model, steps)
    return current[0] if current else None


def _models_at(model: type[BaseModel], steps: list[str]) -> tuple[list[type[BaseModel]], list[type[BaseModel]]]:
    """Records that may stand at a place, and those among which the kind of entry there chose."""
    current: list[type[BaseModel]] = [model]
    union = current  # what the last field may hold; an entry's own name may look like the kind of another
    for step in steps:
        following: list[type[BaseModel]] = []
        for candidate in current:
            for name, info in candidate.model_fields.items():
                if step in (name, info.alias):
                    following.extend(_models_in(info.annotation))
        if following:
            union = following
        else:
            kinds = [m for m in union if "kind" in m.model_fields]
            following = [m for m in kinds if repr(step) in str(m.model_fields["kind"].annotation)] or current
        current = following
    return current, union


def _hint(model: type[BaseModel], steps: list[str]) -> str:
    """Where an unknown key belongs: to another kind of entry, to another place, or to a key of nearly this name."""
    current, union = _models_at(model, steps[:-1])
    key, valid = steps[-1], _keys(current[0] if current else None)
    kinds = [other for other in union if other not in current and key in _keys(other) and "kind" in other.model_fields]
    if kinds:
        named = [str(kind) for other in kinds for kind in typing.get_args(other.model_fields["kind"].annotation)]
        return f"belongs to {' and '.join(named)}"
    places = _places(model).get(key, ())
    return f"belongs to {' or '.join(places)}" if 0 < len(places) <= _MOST_PLACES else nearest(key, valid)


@functools.cache
def _places(model: type[BaseModel]) -> Mapping[str, tuple[str, ...]]:
    """Records of the schema in which each key stands; those of every stated value and owned record left out."""
    found: dict[str, dict[str, None]] = {}

    def walk(record: type[BaseModel], place: str, above: tuple[type[BaseModel], ...]) -> None:
        for name, info in record.model_fields.items():
            key = info.alias or name
            if key not in Owned.model_fields:
                found.setdefault(key, {})[place or "the top level"] = None
            inner = f"{place}.{key}" if place else key
            inner += ".NAME" if typing.get_origin(info.annotation) is dict else ""
            for child in _models_in(info.annotation):
                if child not in above and not issubclass(child, Stated):
                    walk(child, inner, (*above, record))

    walk(model, "", ())
    for key in getattr(model, "beside", ()):
        found.setdefault(key, {})["the top level"] = None
    return {key: tuple(places) for key, places in found.items()}


def _keys(model: type[BaseModel] | None) -> list[str]:
    if model is None:
        return []
    return [*(info.alias or name for name, info in model.model_fields.items()), *getattr(model, "beside", ())]


def _metadata(annotation: Any) -> tuple[Any, ...]:
    return getattr(annotation, "__metadata__", ())


def _description(model: type[BaseModel], steps: list[str]) -> str:
    owner = _model_at(model, steps[:-1])
    info = owner.model_fields.get(steps[-1]) if owner else None
    if info is None:
        return ""
    stated = [model.model_fields["value"] for model in _models_in(info.annotation) if issubclass(model, Stated)]
    inside = [
        m for field in stated for a in (field.annotation, *typing.get_args(field.annotation)) for m in _metadata(a)
    ]
    for extra in (*info.metadata, *inside, *(m for field in stated for m in field.metadata)):
        example = getattr(extra, "example", None)
        if example:
            return f"{extra.dimension}, for example {example}"
    return info.description or ""
