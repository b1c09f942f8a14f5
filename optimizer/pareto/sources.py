"""Where the engine's programs come from: JSON and MPS files with several objectives, Pyomo models with several objectives."""

from __future__ import annotations

import math
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from models.errors import InstanceError, Problem, UsageError, why_unreadable
from optimizer import moo_json
from optimizer.compiled_model import CompiledModel, Sense, value_steps
from optimizer.mps_check import check_mps


def read_problem(path: str | Path) -> CompiledModel:
    """The program in ``path``: MPS by its suffix (``.mps``), JSON otherwise."""
    return read_mps(path) if str(path).lower().endswith(".mps") else moo_json.read(path)


def read_mps(path: str | Path) -> CompiledModel:
    """The program of an MPS file; every free (N) row is an objective, minimised unless the file's OBJSENSE says MAX.

    Solvers keep the first N row only, so the file is read once per N row, each time with another one put first. Mistakes that
    solvers pass over are InstanceError with their lines.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {why_unreadable(error)}") from None
    check_mps(text, path)
    lines = text.splitlines()
    free = _free_rows(lines)
    if not free:
        raise InstanceError([Problem("mps-objective", str(path), "no objective", "at least one row of type N")])
    programs = [_read_one(lines, free, at, path) for at in range(len(free))]
    lp = programs[0]
    sign = -1.0 if re.search(r"^\s*OBJSENSE\s*(\n\s*)?MAX", text, re.MULTILINE | re.IGNORECASE) else 1.0
    objectives = np.array([np.array(p.col_cost_) for p in programs]) * sign + 0.0
    names = [lines[at].split()[1] for at in free]
    offsets = np.array(_offsets(lines, names)) * sign
    matrix = _csc(lp)
    lower, upper = np.array(lp.col_lower_), np.array(lp.col_upper_)
    integer = np.array(
        [int(kind) != 0 for kind in lp.integrality_] if len(lp.integrality_) else [False] * lp.num_col_, dtype=bool
    )
    return CompiledModel(
        name=Path(path).stem,
        matrix=matrix,
        row_lower=np.array(lp.row_lower_),
        row_upper=np.array(lp.row_upper_),
        lower=lower,
        upper=upper,
        integer=integer,
        objectives=objectives,
        offsets=offsets + 0.0,
        senses=(Sense.MINIMISE if sign > 0 else Sense.MAXIMISE,) * len(free),
        objective_names=tuple(names),
        steps=value_steps(objectives, integer),
        row_keys=tuple(lp.row_names_),
        column_keys=tuple(lp.col_names_),
    )


def _free_rows(lines: list[str]) -> list[int]:
    """Numbers of the lines that declare a row of type N."""
    found, section = [], ""
    for number, line in enumerate(lines):
        if line[:1].strip() and not line.startswith("*"):
            section = line.split()[0].upper()
        elif section == "ROWS" and line.split()[:1] and line.split()[0].upper() == "N":
            found.append(number)
    return found


def _offsets(lines: list[str], names: list[str]) -> list[float]:
    """Constants of the objectives: the right-hand side of an N row with its sign turned. (HiGHS gives that of any N row to the first.)"""
    found = dict.fromkeys(names, 0.0)
    section = ""
    for line in lines:
        words = line.split()
        if line[:1].strip() and not line.startswith("*"):
            section = words[0].upper()
        elif section == "RHS" and words and not line.startswith("*"):
            pairs = words[len(words) % 2 :]
            for name, value in zip(pairs[::2], pairs[1::2], strict=True):
                if name in found:
                    found[name] = -float(value)
    return [found[name] for name in names]


def _read_one(lines: list[str], free: list[int], at: int, path: str | Path) -> Any:
    """The program with free row number ``at`` as its only objective, read by HiGHS."""
    import highspy

    order = list(lines)
    order[free[0]], order[free[at]] = lines[free[at]], lines[free[0]]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "program.mps"
        copy.write_text("\n".join(order) + "\n", encoding="utf-8")
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        if solver.readModel(str(copy)) == highspy.HighsStatus.kError:
            raise InstanceError([Problem("mps-syntax", str(path), "not a readable MPS file")])
        lp = solver.getLp()
    keep = [row for row in range(lp.num_row_) if lp.row_lower_[row] > -math.inf or lp.row_upper_[row] < math.inf]
    if len(keep) < lp.num_row_:
        drop = np.array(sorted(set(range(lp.num_row_)) - set(keep)), dtype=np.int32)
        solver.deleteRows(len(drop), drop)
        lp = solver.getLp()
    return lp


def _csc(lp: Any) -> sparse.csc_array:
    form = lp.a_matrix_
    shape = (lp.num_row_, lp.num_col_)
    data = (np.array(form.value_), np.array(form.index_), np.array(form.start_))
    if int(form.format_) == 1:
        return sparse.csc_array(data, shape=shape)
    return sparse.csc_array(sparse.csr_array(data, shape=shape))


def from_pyomo(model: Any) -> CompiledModel:
    """A Pyomo model with one or more active linear objectives. UsageError when it is not linear or has no objective."""
    import pyomo.environ as pyo
    from pyomo.repn.plugins.standard_form import LinearStandardFormCompiler

    active = list(model.component_data_objects(pyo.Objective, active=True))
    if not active:
        raise UsageError("the Pyomo model has no active objective")
    try:
        form = LinearStandardFormCompiler().write(model, mixed_form=True, set_sense=None)
    except Exception as error:
        raise UsageError(f"the Pyomo model is not a mixed-integer linear program: {error}") from error
    senses = tuple(Sense.MAXIMISE if o.sense == pyo.maximize else Sense.MINIMISE for o in form.objectives)
    signs = np.array([-1.0 if s is Sense.MAXIMISE else 1.0 for s in senses])
    objectives = np.asarray(form.c.todense(), dtype=np.float64) * signs[:, None] + 0.0
    kinds = np.array([row.bound_type for row in form.rows])
    rhs = np.asarray(form.rhs, dtype=np.float64)
    lower = np.array([_bound(v.lb, -math.inf) for v in form.columns])
    upper = np.array([_bound(v.ub, math.inf) for v in form.columns])
    integer = np.array([not v.is_continuous() for v in form.columns], dtype=bool)
    return CompiledModel(
        name=str(model.name),
        matrix=sparse.csc_array(form.A),
        row_lower=np.where(kinds <= 0, rhs, -math.inf),
        row_upper=np.where(kinds >= 0, rhs, math.inf),
        lower=lower,
        upper=upper,
        integer=integer,
        objectives=objectives,
        offsets=np.asarray(form.c_offset, dtype=np.float64) * signs + 0.0,
        senses=senses,
        objective_names=tuple(str(o.name) for o in form.objectives),
        steps=value_steps(objectives, integer),
        row_keys=_row_names(form.rows),
        column_keys=tuple(str(v.name) for v in form.columns),
    )


def _row_names(rows: Any) -> tuple[str, ...]:
    """Names of the constraints; one with two bounds comes as two rows, the second named ``NAME.lower``."""
    names = [str(row.constraint.name) for row in rows]
    return tuple(f"{name}.lower" if at and names[at - 1] == name else name for at, name in enumerate(names))


def _bound(value: Any, missing: float) -> float:
    return missing if value is None else float(value)
