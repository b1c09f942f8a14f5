"""From files to an Instance: reads YAML and CSV, resolves inheritance, and reports every problem at once.

Each problem names file and line, what was found, what was expected, and the nearest valid name.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from models.catalogue import Catalogue
from models.errors import InstanceError, Problem, UsageError, nearest
from models.instance import SCHEMA, Document, Instance
from models.parts.class_figure import ClassFigure
from models.reading.catalogue_files import read_catalogue
from models.reading.class_figures import with_class_figures
from models.reading.given_throughput import resolve_given
from models.reading.purchasing_checks import check_purchasing, check_quote_rows
from models.reading.references import check_references
from models.reading.restated import forget_speakers
from models.reading.schema_errors import empty_unknown_keys, problems_of
from models.reading.weather_file import inline_weather
from models.reading.workload_rules import check_workloads
from models.reading.yaml_file import Origins, YamlDocument, read_yaml
from models.shipped import catalogue_folder, find_instance

OVERRIDE = "override"


def load(
    name_or_path: str | Path,
    scenario: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    places: Mapping[str, str] | None = None,
) -> Instance:
    """The validated instance behind a path or shipped name.

    ``scenario`` applies one of its named overrides; ``overrides`` is a nested mapping applied last, its values having the
    origin ``override``, or where ``places`` says by dotted path that each was given.
    Raises UsageError (no such file) or InstanceError with every problem found.
    """
    problems: list[Problem] = []
    base, base_origins, folders, scenarios = _merged(find_instance(name_or_path), problems)
    if scenario is not None and scenario not in scenarios:
        raise UsageError(f"instance has no scenario {scenario!r}: {nearest(scenario, list(scenarios))}")
    merged, origins = _with_scenario(base, base_origins, scenarios.get(scenario or ""))
    inline_weather(merged, origins, problems)
    if overrides:
        _merge(merged, overrides, places or _override_origins(overrides), origins, "")
    problems.extend(resolve_given(merged, origins))
    catalogue, document = _resolved(merged, folders, origins, problems)
    for name in [name for name in scenarios if name != scenario]:
        problems.extend(_mistakes_of(name, *_with_scenario(base, base_origins, scenarios[name]), catalogue, problems))
    if problems or document is None:
        raise InstanceError(sorted(set(problems), key=_by_place))
    return _checked(Instance(document, catalogue, merged, MappingProxyType(origins)))


def _checked(instance: Instance) -> Instance:
    """The instance, once what its parts say together makes sense."""
    problems = list(check_purchasing(instance))
    if problems:
        raise InstanceError(sorted(set(problems), key=_by_place))
    return instance


def load_resolved(raw: Mapping[str, Any], catalogue_folders: list[Path], origins: Mapping[str, str]) -> Instance:
    """An instance from a merged document and catalogue folders already resolved (a run folder's inputs)."""
    problems: list[Problem] = list(resolve_given(dict(raw), dict(origins)))
    catalogue, document = _resolved(dict(raw), catalogue_folders, dict(origins), problems)
    if problems or document is None:
        raise InstanceError(problems)
    return _checked(Instance(document, catalogue, raw, MappingProxyType(dict(origins))))


def _resolved(
    merged: dict[str, Any], folders: list[Path], origins: Mapping[str, str], problems: list[Problem]
) -> tuple[Catalogue, Document | None]:
    """Catalogue and document, every problem of both and of the names between them appended."""
    in_catalogue: list[Problem] = []
    catalogue = read_catalogue(folders, in_catalogue)
    problems.extend(in_catalogue)
    # a run of a program that had no such sheet
    figures = catalogue if catalogue.of(ClassFigure) else read_catalogue([catalogue_folder()], [])
    document = _validated(merged, figures, origins, problems)
    if document is not None and not in_catalogue:
        problems.extend(check_quote_rows(document, catalogue))
    if not in_catalogue:  # a row that was left out would be reported again as an unknown name
        problems.extend(check_references(merged, catalogue, origins))
        problems.extend(check_workloads(document, catalogue, origins) if document is not None else ())
    return catalogue, document


def _override_origins(overrides: Mapping[str, Any], prefix: str = "") -> Origins:
    """The place of values that stand in no file."""
    found = Origins()
    for key, value in overrides.items():
        found[f"{prefix}{key}"] = OVERRIDE
        if isinstance(value, Mapping):
            found.update(_override_origins(value, f"{prefix}{key}."))
    return found


def _by_place(problem: Problem) -> tuple[str, int, str]:
    file, _, line = problem.where.rpartition(":")
    return (file, int(line), problem.found) if line.isdigit() else (problem.where, 0, problem.found)


def _with_scenario(
    base: Mapping[str, Any], base_origins: Mapping[str, str], scenario: tuple[Any, YamlDocument] | None
) -> tuple[dict[str, Any], dict[str, str]]:
    """Document and lines with a scenario on top, the base left as it is."""
    merged, origins = _plain_copy(base), dict(base_origins)
    if scenario is not None:
        (name, value), document = scenario
        _merge(merged, value, document.origins, origins, "", source_prefix=f"scenarios.{name}.")
    return merged, origins


def _mistakes_of(
    name: str, merged: dict[str, Any], origins: dict[str, str], catalogue: Catalogue, known: list[Problem]
) -> Iterator[Problem]:
    """What is wrong in a scenario that is not asked for: a misspelt key is not to wait until it is."""
    found: list[Problem] = []
    inline_weather(merged, origins, found)
    found.extend(resolve_given(merged, origins))
    document = _validated(merged, catalogue, origins, found)
    found.extend(check_references(merged, catalogue, origins))
    found.extend(check_workloads(document, catalogue, origins) if document is not None else ())
    if document is not None and not found and not known:
        found.extend(check_purchasing(Instance(document, catalogue, merged, MappingProxyType(origins))))
    told = {(problem.where, problem.code) for problem in known}
    for problem in found:
        if (problem.where, problem.code) not in told:
            yield replace(problem, found=f"scenario {name}: {problem.found}")


def _merged(
    path: Path, problems: list[Problem]
) -> tuple[dict[str, Any], dict[str, str], list[Path], dict[str, tuple[Any, YamlDocument]]]:
    """The document with ``extends`` applied (base first); catalogue folders in order; scenarios, each with its name and file."""
    chain: list[YamlDocument] = []
    seen: set[Path] = set()
    current: Path | None = path
    while current is not None:
        if current.resolve() in seen:
            raise InstanceError(
                [Problem("extends-cycle", f"{current}:1", "an instance that extends itself", hint="break the circle")]
            )
        seen.add(current.resolve())
        document = read_yaml(current)
        chain.append(document)
        current = _base(document, problems)
    merged: dict[str, Any] = {}
    origins: dict[str, str] = {}
    folders = [catalogue_folder()]
    scenarios: dict[str, tuple[Any, YamlDocument]] = {}
    for document in reversed(chain):
        content = {key: value for key, value in document.content.items() if key not in Document.beside}
        _merge(merged, content, document.origins, origins, "")
        folders.extend(_folders(document, problems))
        scenarios.update({name: ((name, value), document) for name, value in _scenarios(document, problems)})
    return merged, origins, folders, scenarios


def _scenarios(document: YamlDocument, problems: list[Problem]) -> list[tuple[str, dict[str, Any]]]:
    """The named overrides of a document; each is a mapping of keys as they stand at the top."""
    listed = document.content.get("scenarios") or {}
    if not isinstance(listed, dict):
        problems.append(Problem("scenarios", document.where("scenarios"), repr(listed), "a mapping of named overrides"))
        return []
    found = []
    for name, value in listed.items():
        if isinstance(value, dict):
            found.append((name, value))
        else:
            where = document.where(f"scenarios.{name}")
            problems.append(Problem("scenarios", where, f"scenarios.{name}: {value!r}", "keys and values to override"))
    return found


def _base(document: YamlDocument, problems: list[Problem]) -> Path | None:
    named = document.content.get("extends")
    if named is None:
        return None
    if not isinstance(named, str):
        problems.append(
            Problem("extends", document.where("extends"), repr(named), "a path or the name of a shipped instance")
        )
        return None
    beside = Path(os.path.normpath(document.path.parent / named))
    try:
        return beside if beside.is_file() else find_instance(named)
    except UsageError as error:
        problems.append(Problem("extends", document.where("extends"), str(error)))
        return None


def _folders(document: YamlDocument, problems: list[Problem]) -> list[Path]:
    listed = document.content.get("catalogues") or []
    if not isinstance(listed, list):
        problems.append(Problem("catalogues", document.where("catalogues"), repr(listed), "a list of folders"))
        return []
    found = []
    for number, name in enumerate(listed):
        folder = (document.path.parent / str(name)).resolve()
        if folder.is_dir():
            found.append(folder)
        else:
            problems.append(Problem("catalogue-missing", document.where(f"catalogues.{number}"), f"no folder {name!r}"))
    return found


def _merge(
    target: dict[str, Any],
    source: Mapping[str, Any],
    source_origins: Mapping[str, str],
    origins: dict[str, str],
    prefix: str,
    source_prefix: str = "",
) -> None:
    """Deep merge of ``source`` into ``target``: mappings merge key by key, everything else is replaced."""
    for key, value in source.items():
        path = f"{prefix}{key}"
        merges = isinstance(value, Mapping) and isinstance(target.get(key), dict)
        if not merges:
            for stale in [known for known in origins if known.startswith(f"{path}.")]:
                del origins[stale]
        _copy_origins(source_origins, origins, f"{source_prefix}{path}", path)
        if merges:
            place = _file_of(source_origins.get(f"{source_prefix}{path}", OVERRIDE))
            for gone in forget_speakers(target[key], value, place):
                origins.pop(f"{path}.{gone}", None)
            _merge(target[key], value, source_origins, origins, f"{path}.", source_prefix)
        else:
            target[key] = _plain_copy(value)


def _file_of(where: str) -> str:
    """The name of the file that a ``file:line`` is in."""
    return "this run" if where == OVERRIDE else Path(where.rpartition(":")[0]).name


def _plain_copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain_copy(item) for key, item in value.items()}
    return [_plain_copy(item) for item in value] if isinstance(value, list) else value


def _copy_origins(source: Mapping[str, str], target: dict[str, str], source_path: str, path: str) -> None:
    for known, where in source.items():
        if known == source_path or known.startswith(f"{source_path}."):
            target[path + known[len(source_path) :]] = where


def _validated(
    merged: dict[str, Any], figures: Catalogue, origins: Mapping[str, str], problems: list[Problem]
) -> Document | None:
    version = merged.get("schema")
    if version != SCHEMA or isinstance(version, bool):
        where = origins.get("schema", origins.get("name", "instance"))
        expected = f"schema: {SCHEMA} at the top"
        hint = (
            "this instance is newer than the program: update the program"
            if isinstance(version, int) and version > SCHEMA
            else ""
        )
        problems.append(
            Problem("schema", where, "no schema" if version is None else f"schema {version!r}", expected, hint)
        )
        return None
    rates, rate_problems = _rates(merged, origins)
    problems.extend(rate_problems)
    problems.extend(_unknown_nulls(merged, rates, origins))
    whole, places = with_class_figures(_without_nulls(merged), figures, origins)
    try:
        return Document.model_validate(whole, context={"rates": rates})
    except ValidationError as error:
        problems.extend(problems_of(error, Document, places))
        return None


def _unknown_nulls(merged: dict[str, Any], rates: Mapping[str, float], origins: Mapping[str, str]) -> list[Problem]:
    """Keys without a value that no record has."""
    try:
        Document.model_validate(merged, context={"rates": rates})
    except ValidationError as error:
        return empty_unknown_keys(error, Document, origins)
    return []


def _without_nulls(node: dict[str, Any]) -> dict[str, Any]:
    """The same without keys whose value is null: absent and null are one thing, also where an override takes back."""
    return {
        key: _without_nulls(value) if isinstance(value, dict) else value
        for key, value in node.items()
        if value is not None
    }


def _rates(merged: Mapping[str, Any], origins: Mapping[str, str]) -> tuple[dict[str, float], list[Problem]]:
    """USD per unit of each currency stated under money.currencies; the schema reports malformed entries itself."""
    stated = merged.get("money", {})
    stated = stated.get("currencies", {}) if isinstance(stated, Mapping) else {}
    rates: dict[str, float] = {}
    problems = []
    for code, entry in stated.items() if isinstance(stated, Mapping) else []:
        if len(str(code)) != 3 or not str(code).isupper():
            where = origins.get(f"money.currencies.{code}") or origins.get("money.currencies", "instance:1")
            problems.append(Problem("currency", where, f"{code!r}", "an ISO 4217 code such as EUR"))
        if isinstance(entry, Mapping) and isinstance(entry.get("usd"), int | float):
            rates[str(code)] = float(entry["usd"])
    return rates, problems
