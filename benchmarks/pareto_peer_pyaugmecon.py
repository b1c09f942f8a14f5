"""Runs pyaugmecon on one instance and prints one JSON line. Needs its own environment: this file imports nothing of ours.

    python pareto_peer_pyaugmecon.py INSTANCE.json

Exact mode of release 1.x: as many grid points as the widest range of objectives 2..k has integers (or the instance's own
``grid_points``), safe nadir values. HiGHS through Pyomo.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace


def build(data, pyo):
    model = pyo.ConcreteModel()
    n = data["n_vars"]
    model.x = pyo.Var(range(n), domain=pyo.Integers, bounds=lambda _, j: (data["lb"][j], data["ub"][j]))
    model.rows = pyo.ConstraintList()
    for row in data["constraints"]:
        body = sum(v * model.x[j] for j, v in zip(row["idx"], row["val"], strict=True))
        side = {"<=": body <= row["rhs"], ">=": body >= row["rhs"], "=": body == row["rhs"]}
        model.rows.add(side[row["sense"]])
    model.obj_list = pyo.ObjectiveList()
    for sense, row in zip(data["sense"], data["objectives"], strict=True):
        goal = pyo.maximize if sense == "max" else pyo.minimize
        model.obj_list.add(expr=sum(v * model.x[j] for j, v in enumerate(row) if v), sense=goal)
    for i in range(len(data["sense"])):
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
    """CPU seconds of this process and its finished children; imports before the first call do not count."""
    use = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in use)


def main() -> None:
    import pyaugmecon
    import pyaugmecon.model
    import pyomo.environ as pyo
    from pyomo.contrib.appsi.solvers import Highs

    Highs().available()
    pyaugmecon.model.pyo.SolverFactory = lambda *_, **__: FreshHighs()

    path = Path(sys.argv[1]).resolve()
    data = json.loads(path.read_text())
    signs = [1 if s == "max" else -1 for s in data["sense"]]
    points = data["nondominated_points"]
    columns = list(zip(*points, strict=True))
    worst = [min(s * v for v in column) for s, column in zip(signs, columns, strict=True)]
    spread = [max(s * v for v in column) - low for s, column, low in zip(signs, columns, worst, strict=True)]
    grid = data.get("grid_points") or int(max(spread[1:])) + 1
    options = {
        "name": path.stem, "grid_points": grid, "nadir_points": worst[1:], "cpu_count": 1,
        "solver_name": "appsi_highs", "solver_io": None, "output_excel": False,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        started, before = time.perf_counter(), used()
        run = pyaugmecon.PyAugmecon(build(data, pyo), options, {"MIPGap": None, "mip_rel_gap": 0.0})
        run.solve()
        seconds, cpu = time.perf_counter() - started, used() - before
        os.chdir("/")
    found = sorted([round(v) for v in y] for y in run.get_pareto_solutions())
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(
        json.dumps(
            {
                "grid": grid,
                "instance": path.stem,
                "solver": "pyaugmecon 1.0.8",
                "points": len(found),
                "true_points": sum(y in points for y in found),
                "solves": run.model.models_solved.value(),
                "cpu": cpu,
                "seconds": seconds,
                "peak_mb": peak / 1024,
            }
        )
    )


if __name__ == "__main__":
    main()
