"""Reads multi-objective integer programs from JSON: dense objectives, sparse rows, bounds and integrality."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from models.errors import InstanceError, Problem, UsageError, why_unreadable
from optimizer.compiled_model import CompiledModel, Sense, value_steps

_FIELDS = ("sense", "objectives", "constraints", "lb", "ub", "integrality")


def read(path: str | Path) -> CompiledModel:
    """The program in file ``path``. UsageError when it cannot be read, InstanceError with every problem found in it."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {why_unreadable(error)}") from None
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InstanceError([Problem("json-syntax", f"{path}:{error.lineno}", error.msg, "a JSON document")]) from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, lists in lists in lists
        raise InstanceError([Problem("json-syntax", f"{path}:1", str(error), "a JSON document")]) from error
    return parse(data, where=str(path))


def parse(data: Any, *, where: str = "problem") -> CompiledModel:
    """The program described by ``data``: a mapping with the fields ``sense`` (``max``/``min`` per objective), ``objectives``
    (one coefficient list each), ``constraints`` (``idx``, ``val``, ``sense``, ``rhs``), ``lb``, ``ub`` (null: none), ``integrality`` (``I`` or ``C``).
    """
    problems = _problems(data, where)
    if problems:
        raise InstanceError(problems)
    n = len(data["lb"])
    signs = np.array([-1.0 if s == "max" else 1.0 for s in data["sense"]])
    objectives = np.array(data["objectives"], dtype=np.float64).reshape(len(signs), n) * signs[:, None] + 0.0
    matrix, row_lower, row_upper = _rows(data["constraints"], n)
    integer = np.array([kind == "I" for kind in data["integrality"]], dtype=bool)
    lower = np.array([-np.inf if v is None else v for v in data["lb"]], dtype=np.float64)
    upper = np.array([np.inf if v is None else v for v in data["ub"]], dtype=np.float64)
    return CompiledModel(
        name=str(data.get("name") or where),
        matrix=matrix,
        row_lower=row_lower,
        row_upper=row_upper,
        lower=lower,
        upper=upper,
        integer=integer,
        objectives=objectives,
        offsets=np.zeros(len(signs)),
        senses=tuple(Sense.MAXIMISE if s == "max" else Sense.MINIMISE for s in data["sense"]),
        objective_names=tuple(
            str(name) for name in data.get("objective_names") or [f"f{i + 1}" for i in range(len(signs))]
        ),
        steps=value_steps(objectives, integer),
    )


def _rows(constraints: list[dict[str, Any]], n: int) -> tuple[sparse.csc_array, Any, Any]:
    rows, columns, values, low, high = [], [], [], [], []
    for number, row in enumerate(constraints):
        rows += [number] * len(row["idx"])
        columns += row["idx"]
        values += row["val"]
        low.append(-np.inf if row["sense"] == "<=" else row["rhs"])
        high.append(np.inf if row["sense"] == ">=" else row["rhs"])
    matrix = sparse.csc_array(
        (np.array(values, dtype=np.float64), (np.array(rows, dtype=int), np.array(columns, dtype=int))),
        shape=(len(constraints), n),
    )
    return matrix, np.array(low, dtype=np.float64), np.array(high, dtype=np.float64)


def _is_number(value: Any) -> bool:
    if not isinstance(value, int | float | Fraction) or isinstance(value, bool):
        return False
    try:
        return not math.isnan(float(value))
    except OverflowError:
        return False


def _numbers(values: Any, *, optional: bool = False) -> bool:
    """Whether ``values`` are numbers: finite ones, or (``optional``) also none and infinite ones."""
    return isinstance(values, list) and all(
        (v is None and optional) or (_is_number(v) and (optional or math.isfinite(v))) for v in values
    )


def _problems(data: Any, where: str) -> list[Problem]:
    if not isinstance(data, dict):
        return [Problem("problem-shape", where, type(data).__name__, "an object")]
    missing = [f for f in _FIELDS if f not in data]
    if missing:
        return [Problem("field-missing", where, f"no field {f!r}", "one of " + ", ".join(_FIELDS)) for f in missing]
    found: list[Problem] = []

    def say(code: str, place: str, what: str, expected: str) -> None:
        found.append(Problem(code, f"{where}: {place}", what, expected))

    for bound in ("lb", "ub"):
        if not _numbers(data[bound], optional=True):
            say("bound-invalid", bound, "not a list of numbers", "numbers, null for none")
    if found:
        return found
    n = len(data["lb"])
    if len(data["ub"]) != n or not isinstance(data["integrality"], list) or len(data["integrality"]) != n:
        say("length", "ub, integrality", "lengths differ from lb", f"{n} entries each")
    elif bad := [k for k in data["integrality"] if k not in ("I", "C")]:
        say("integrality", "integrality", repr(bad[0]), "'I' or 'C'")
    if not isinstance(data["objectives"], list) or not isinstance(data["sense"], list) or not data["objectives"]:
        say("objectives", "objectives, sense", "no list of objectives and senses", "one or more of each")
        return found
    if len(data["sense"]) != len(data["objectives"]) or any(s not in ("max", "min") for s in data["sense"]):
        say("sense", "sense", str(data["sense"])[:60], "'max' or 'min' per objective")
    for i, row in enumerate(data["objectives"]):
        if not _numbers(row) or len(row) != n:
            say("objective-invalid", f"objectives[{i}]", "not one number per variable", f"{n} numbers")
    if not isinstance(data["constraints"], list):
        say("constraints", "constraints", "not a list", "a list of rows")
        return found
    for i, row in enumerate(data["constraints"]):
        if problem := _row_problem(row, n):
            say("constraint-invalid", f"constraints[{i}]", *problem)
    return found


def _row_problem(row: Any, n: int) -> tuple[str, str] | None:
    if not isinstance(row, dict) or any(f not in row for f in ("idx", "val", "sense", "rhs")):
        return "a field is missing", "idx, val, sense, rhs"
    if not isinstance(row["idx"], list) or not _numbers(row["val"]) or len(row["idx"]) != len(row["val"]):
        return "idx and val differ in length or hold no numbers", "one index per value"
    if any(not isinstance(j, int) or isinstance(j, bool) or not 0 <= j < n for j in row["idx"]):
        return "an index is out of range", f"integers from 0 to {n - 1}"
    if row["sense"] not in ("<=", ">=", "="):
        return f"sense {row['sense']!r}", "'<=', '>=' or '='"
    return None if _is_number(row["rhs"]) else ("rhs is no number", "a number")
