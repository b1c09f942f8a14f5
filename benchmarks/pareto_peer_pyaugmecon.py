"""Runs pyaugmecon on one instance and prints one JSON line. Needs its own environment: this file imports nothing of ours.

    python pareto_peer_pyaugmecon.py INSTANCE.json|PROGRAM.npz [CPU_SECONDS]

Exact mode of release 1.x: as many grid points as the widest range of objectives 2..k has integers (or the instance's own
``grid_points``), safe nadir values. HiGHS through Pyomo. After CPU_SECONDS in its solve it is stopped, and the line says how far it came.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np


def read(path):
    """Program, known points (or None), grid points and nadir values, from either format."""
    if path.suffix == ".npz":
        held = np.load(path)
        data = {name: held[name] for name in held.files}
        return data, data["points"].tolist(), int(data["grid_points"]), data["nadir"].tolist()
    held = json.loads(path.read_text())
    rows = held["constraints"]
    sizes = [len(row["idx"]) for row in rows]
    rhs = np.array([row["rhs"] for row in rows], dtype=float)
    kinds = [row["sense"] for row in rows]
    data = {
        "lb": np.array(held["lb"], dtype=float), "ub": np.array(held["ub"], dtype=float),
        "signs": np.array([1 if s == "max" else -1 for s in held["sense"]]), "objectives": np.array(held["objectives"], dtype=float),
        "indptr": np.concatenate([[0], np.cumsum(sizes)]).astype(int),
        "indices": np.array([j for row in rows for j in row["idx"]], dtype=int),
        "values": np.array([v for row in rows for v in row["val"]], dtype=float),
        "low": np.where([k == "<=" for k in kinds], -np.inf, rhs), "high": np.where([k == ">=" for k in kinds], np.inf, rhs),
    }  # fmt: skip
    points = held["nondominated_points"]
    better = np.array(points) * data["signs"]
    worst = better.min(axis=0)
    grid = held.get("grid_points") or int((better.max(axis=0) - worst)[1:].max()) + 1
    return data, points, grid, [float(v) for v in worst[1:]]


def build(data, pyo):
    from pyomo.core.expr.numeric_expr import LinearExpression

    model = pyo.ConcreteModel()
    low, high = data["lb"].tolist(), data["ub"].tolist()
    model.x = pyo.Var(range(len(low)), domain=pyo.Integers, bounds=lambda _, j: (low[j], high[j]))
    columns = list(model.x.values())
    model.rows = pyo.ConstraintList()

    def linear(indices, values):
        return LinearExpression(
            constant=0, linear_coefs=values.tolist(), linear_vars=[columns[j] for j in indices.tolist()]
        )

    for row, (least, most) in enumerate(zip(data["low"].tolist(), data["high"].tolist(), strict=True)):
        part = slice(data["indptr"][row], data["indptr"][row + 1])
        body = linear(data["indices"][part], data["values"][part])
        if least == most:
            model.rows.add(body == least)
            continue
        if least > -np.inf:
            model.rows.add(body >= least)
        if most < np.inf:
            model.rows.add(body <= most)
    model.obj_list = pyo.ObjectiveList()
    for sign, row in zip(data["signs"], data["objectives"], strict=True):
        used = np.flatnonzero(row)
        model.obj_list.add(expr=linear(used, row[used]), sense=pyo.maximize if sign > 0 else pyo.minimize)
    for i in range(len(data["signs"])):
        model.obj_list[i + 1].deactivate()
    return model


class FreshHighs:
    """HiGHS for a release that was written for Gurobi: a new instance per solve as it asks for, gap 0, one thread; infeasible is no exception."""

    def __init__(self):
        from pyomo.contrib.appsi.solvers import Highs

        self.options = {}
        self._highs = Highs()
        self._highs.config.load_solution = False
        self._highs.highs_options = {"mip_rel_gap": 0.0, "threads": 1}

    def solve(self, model):
        import pyomo.environ as pyo
        from pyomo.contrib.appsi.base import TerminationCondition as Appsi

        found = self._highs.solve(model)
        optimal = found.termination_condition == Appsi.optimal
        if optimal:
            found.solution_loader.load_vars()
        term = pyo.TerminationCondition.optimal if optimal else pyo.TerminationCondition.infeasible
        status = pyo.SolverStatus.ok if optimal else pyo.SolverStatus.warning
        return SimpleNamespace(solver=SimpleNamespace(termination_condition=term, status=status))


def used() -> float:
    """CPU seconds of this process, its finished children and, where there is /proc, its live ones."""
    use = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    total = sum(u.ru_utime + u.ru_stime for u in use)
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == os.getpgrp() and int(folder.name) != os.getpid() and fields[0] != "Z":
                total += sum(int(f) for f in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return total


def peak_mb() -> float:
    own = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[2]) == os.getpgrp():
                held = [x for x in (folder / "status").read_text().splitlines() if x.startswith("VmHWM")]
                own = max([own, *(int(x.split()[1]) / 1024 for x in held)])
    return own


def nondominated(rows, signs):
    rows = sorted({tuple(round(float(v)) for v in y) for y in rows})
    best = [tuple(s * v for s, v in zip(signs, y, strict=True)) for y in rows]
    return [
        list(y)
        for y, own in zip(rows, best, strict=True)
        if not any(other != own and all(a >= b for a, b in zip(other, own, strict=True)) for other in best)
    ]


def report(out, run, path, grid, points, signs, before, started, stopped):
    keys = [key for found in getattr(run, "unprocessed_sols", []) for key in found]
    goals = getattr(run.model, "obj_goal", [1] * len(signs))
    found = nondominated([[v * g for v, g in zip(key, goals, strict=True)] for key in keys], signs)
    print(
        "\n" + json.dumps({
            "grid": grid, "instance": path.stem, "solver": "pyaugmecon 1.0.8", "points": len(found),
            "true_points": sum(y in points for y in found), "solves": run.model.models_solved.value(),
            "cpu": used() - before, "seconds": time.perf_counter() - started, "peak_mb": peak_mb(), "stopped": stopped,
        }),
        flush=True, file=out,
    )  # fmt: skip


def main() -> None:
    import pyaugmecon
    import pyaugmecon.model
    import pyomo.environ as pyo
    from pyomo.contrib.appsi.solvers import Highs

    Highs().available()
    pyaugmecon.model.pyo.SolverFactory = lambda *_, **__: FreshHighs()
    if os.getpgrp() != os.getpid():
        os.setpgrp()  # so that what it starts can be told apart, and ended

    out = os.fdopen(os.dup(1), "w")  # Pyomo captures the streams while it solves
    path, most = Path(sys.argv[1]).resolve(), float(sys.argv[2]) if len(sys.argv) > 2 else None
    data, points, grid, nadir = read(path)
    signs = data["signs"].tolist()
    options = {
        "name": path.stem, "grid_points": grid, "nadir_points": nadir, "cpu_count": 1,
        "solver_name": "appsi_highs", "solver_io": None, "output_excel": False,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        building = used()
        model = build(data, pyo)
        print(json.dumps({"built": used() - building, "peak_mb": peak_mb()}), flush=True, file=out)
        started, before = time.perf_counter(), used()
        run = pyaugmecon.PyAugmecon(model, options, {"MIPGap": None, "mip_rel_gap": 0.0})

        def watch():
            while used() - before < most:
                time.sleep(0.2)
            report(out, run, path, grid, points, signs, before, started, True)
            os.killpg(os.getpgrp(), signal.SIGKILL)

        if most is not None:
            threading.Thread(target=watch, daemon=True).start()
        with contextlib.redirect_stdout(io.StringIO()):
            run.solve()
        report(out, run, path, grid, points, signs, before, started, False)
        os.chdir("/")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
