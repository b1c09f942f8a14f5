"""Turns what the schema refuses into problems with file, line and the nearest valid name."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from typing import Any, Union

from pydantic import BaseModel, ValidationError

from models.errors import Problem, nearest

_CODES = {"extra_forbidden": "unknown-key", "missing": "missing-key", "literal_error": "value", "enum": "value"}


def problems_of(error: ValidationError, model: type[BaseModel], origins: Mapping[str, str]) -> list[Problem]:
    """One problem per refusal; a value that no branch of a union accepts is reported once."""
    found: dict[tuple[str, str], Problem] = {}
    for item in error.errors():
        steps = [str(step) for step in item["loc"]]
        path, where = _place(steps, origins)
        kind = str(item["type"])
        code = _CODES.get(kind, kind if kind.startswith(("unit", "quarter")) else "value")
        if kind == "extra_forbidden":
            valid = _keys(_model_at(model, steps[:-1]))
            problem = Problem(code, where, f"unknown key {path!r}", hint=nearest(steps[-1], valid))
        elif kind == "missing":
            problem = Problem(code, where, f"{'.'.join(_shown(steps, origins))} is missing", _description(model, steps))
        else:
            message = _message(item)
            found_text, _, expected = message.partition("; expected ")
            problem = Problem(code, where, f"{path}: {found_text}", expected)
        found.setdefault((where, path), problem)
    return list(found.values())


def _message(item: Any) -> str:
    message = str(item["msg"]).removeprefix("Value error, ")
    value = item.get("input")
    if isinstance(value, str | int | float | bool) and item["type"] in (
        "enum",
        "literal_error",
        "int_parsing",
        "int_type",
        "greater_than",
        "greater_than_equal",
        "less_than",
        "less_than_equal",
        "int_from_float",
        "float_parsing",
        "bool_parsing",
    ):
        return f"{value!r}; expected {message.removeprefix('Input should be ')}"
    return message


def _place(steps: list[str], origins: Mapping[str, str]) -> tuple[str, str]:
    """Dotted path without the schema's own union tags, and the line of the deepest part that stands in the file."""
    shown = _shown(steps, origins)
    for end in range(len(shown), 0, -1):
        path = ".".join(shown[:end])
        if path in origins:
            return ".".join(shown), origins[path]
    first = next(iter(origins.values()), "instance:1")
    return ".".join(shown), first.rpartition(":")[0] + ":1"


def _shown(steps: list[str], origins: Mapping[str, str]) -> list[str]:
    """Steps that exist in the file, plus the last; union tags (training, Stated[...]) are the schema's own."""
    kept: list[str] = []
    for number, step in enumerate(steps):
        path = ".".join([*kept, step])
        last = number == len(steps) - 1
        if path in origins or (last and step != "value" and "[" not in step):
            kept.append(step)
    return kept or steps[-1:]


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if typing.get_origin(annotation) in (Union, types.UnionType, typing.Annotated, dict, tuple, list):
        return [model for argument in typing.get_args(annotation) for model in _models_in(argument)]
    return []


def _model_at(model: type[BaseModel], steps: list[str]) -> type[BaseModel] | None:
    current: list[type[BaseModel]] = [model]
    for step in steps:
        following: list[type[BaseModel]] = []
        for candidate in current:
            for name, info in candidate.model_fields.items():
                if step in (name, info.alias):
                    following.extend(_models_in(info.annotation))
        if not following:
            tagged = [m for m in current if "kind" in m.model_fields and step in str(m.model_fields["kind"].annotation)]
            following = tagged or current
        current = following
    return current[0] if current else None


def _keys(model: type[BaseModel] | None) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()] if model else []


def _description(model: type[BaseModel], steps: list[str]) -> str:
    owner = _model_at(model, steps[:-1])
    info = owner.model_fields.get(steps[-1]) if owner else None
    if info is None:
        return ""
    for extra in info.metadata:
        example = getattr(extra, "example", None)
        if example:
            return f"{extra.dimension}, for example {example}"
    return info.description or ""
