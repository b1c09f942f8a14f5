"""Certified Pareto frontiers of multi-objective integer programs."""

from optimizer.pareto.engine import RunLimits
from optimizer.pareto.payoff import Payoff
from optimizer.pareto.progress import Progress
from optimizer.pareto.result import Closure, FrontierStatus, HypervolumeBounds, ParetoResult, ZoneRecord
from optimizer.pareto.solving import payoff_ranges, solve

__all__ = [
    "Closure",
    "FrontierStatus",
    "HypervolumeBounds",
    "ParetoResult",
    "Payoff",
    "Progress",
    "RunLimits",
    "ZoneRecord",
    "payoff_ranges",
    "solve",
]
