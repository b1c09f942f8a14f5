"""Runs NSGA-II of pymoo on one instance for a given CPU time and prints one JSON line. Imports nothing of ours.

python pareto_peer_pymoo.py INSTANCE.json CPU_SECONDS
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np


def main() -> None:
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.termination import Termination
    from pymoo.operators.crossover.ux import UniformCrossover
    from pymoo.operators.mutation.pm import PolynomialMutation
    from pymoo.operators.repair.rounding import RoundingRepair
    from pymoo.operators.sampling.rnd import IntegerRandomSampling
    from pymoo.optimize import minimize

    path, budget = Path(sys.argv[1]), float(sys.argv[2])
    data = json.loads(path.read_text())
    signs = np.array([-1 if s == "max" else 1 for s in data["sense"]])

    class CpuTime(Termination):
        def _update(self, algorithm):
            return time.process_time() / budget

    algorithm = NSGA2(
        pop_size=max(100, 2 * (data["n_nondominated"] or 100)),
        sampling=IntegerRandomSampling(),
        crossover=UniformCrossover(repair=RoundingRepair()),
        mutation=PolynomialMutation(
            prob=1.0, prob_var=1.0 / data["n_vars"], eta=3.0, vtype=float, repair=RoundingRepair()
        ),
        eliminate_duplicates=True,
    )
    started = time.perf_counter()
    found = minimize(linear(data, signs), algorithm, CpuTime(), seed=1)
    values = [] if found.F is None else np.unique(np.round(np.atleast_2d(found.F)) * signs, axis=0).astype(int).tolist()
    truth = data["nondominated_points"]
    print(
        json.dumps(
            {
                "instance": path.stem,
                "solver": "pymoo NSGA-II",
                "points": len(values),
                "true_points": None if truth is None else sum(y in truth for y in values),
                "hypervolume_share": share(values, truth, signs),
                "solves": int(found.algorithm.evaluator.n_eval),
                "cpu": time.process_time(),
                "seconds": time.perf_counter() - started,
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def linear(data, signs):
    """The instance as a problem of pymoo, every objective minimised."""
    from pymoo.core.problem import Problem

    costs = np.array(data["objectives"]) * signs[:, None]
    body = np.zeros((len(data["constraints"]), data["n_vars"]))
    for i, row in enumerate(data["constraints"]):
        body[i, row["idx"]] = row["val"]
    kind = np.array([row["sense"] for row in data["constraints"]])
    rhs = np.array([row["rhs"] for row in data["constraints"]])

    class Linear(Problem):
        def __init__(self):
            super().__init__(
                n_var=data["n_vars"],
                n_obj=len(costs),
                n_ieq_constr=len(rhs),
                xl=np.array(data["lb"]),
                xu=np.array(data["ub"]),
                vtype=int,
            )

        def _evaluate(self, x, out, *_, **__):
            gap = x @ body.T - rhs
            out["G"] = np.where(kind == "<=", gap, np.where(kind == ">=", -gap, np.abs(gap)))
            out["F"] = x @ costs.T

    return Linear()


def share(values, truth, signs):
    """Hypervolume relative to that of the true set, from the componentwise worst true value plus a tenth of the range."""
    from pymoo.indicators.hv import Hypervolume

    if truth is None or not values:
        return None
    true = np.array(truth) * signs
    low, high = true.min(axis=0), true.max(axis=0)
    span = np.maximum(high - low, 1)
    indicator = Hypervolume(ref_point=np.full(len(signs), 1.1))
    return float(indicator((np.array(values) * signs - low) / span) / indicator((true - low) / span))


if __name__ == "__main__":
    main()
