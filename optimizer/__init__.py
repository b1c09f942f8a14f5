"""Exact design-space exploration for AI racks and clusters.

Public names are loaded on first use, so that ``import optimizer`` stays light::

    import optimizer
    instance = optimizer.load("training-30mw")
    frontier = optimizer.solve(instance, objectives=["tco", "throughput", "power"], resolution=0.01)
    frontier.designs
"""

from __future__ import annotations

import os
import sys

# only what every Python has loaded at its start: what is imported here comes before any answer to Ctrl-C
TYPE_CHECKING = False

if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from models.catalogue import Catalogue
    from models.errors import (
        InfeasibleError,
        InstanceError,
        OptimizerError,
        Problem,
        SolverError,
        UsageError,
        VerificationError,
    )
    from models.instance import Instance
    from models.loading import load
    from optimizer.design import Design
    from optimizer.diff.runs import diff_runs
    from optimizer.explain.binding import explain_binding
    from optimizer.explain.infeasible import explain_infeasible
    from optimizer.explain.why_not import why_not
    from optimizer.frontier import Frontier
    from optimizer.report.sensitivity_report import sensitivity_report
    from optimizer.sensitivity.alternatives import alternatives
    from optimizer.sensitivity.gap_list import gap_list
    from optimizer.sensitivity.global_indices import global_indices
    from optimizer.sensitivity.price_to_win import price_to_win
    from optimizer.sensitivity.regimes import regime_map
    from optimizer.sensitivity.spec_to_win import spec_to_win
    from optimizer.sensitivity.switch_points import switch_points
    from optimizer.sensitivity.tornado import tornado
    from optimizer.sensitivity.value_of_limits import value_of_limits
    from optimizer.solve import solve
    from optimizer.verify import VerificationReport, verify_design, verify_run

_HOMES = {
    "Catalogue": "models.catalogue",
    "Design": "optimizer.design",
    "Frontier": "optimizer.frontier",
    "InfeasibleError": "models.errors",
    "Instance": "models.instance",
    "InstanceError": "models.errors",
    "OptimizerError": "models.errors",
    "Problem": "models.errors",
    "SolverError": "models.errors",
    "UsageError": "models.errors",
    "VerificationError": "models.errors",
    "VerificationReport": "optimizer.verify",
    "alternatives": "optimizer.sensitivity.alternatives",
    "diff_runs": "optimizer.diff.runs",
    "explain_binding": "optimizer.explain.binding",
    "explain_infeasible": "optimizer.explain.infeasible",
    "gap_list": "optimizer.sensitivity.gap_list",
    "global_indices": "optimizer.sensitivity.global_indices",
    "load": "models.loading",
    "price_to_win": "optimizer.sensitivity.price_to_win",
    "regime_map": "optimizer.sensitivity.regimes",
    "sensitivity_report": "optimizer.report.sensitivity_report",
    "solve": "optimizer.solve",
    "spec_to_win": "optimizer.sensitivity.spec_to_win",
    "switch_points": "optimizer.sensitivity.switch_points",
    "tornado": "optimizer.sensitivity.tornado",
    "value_of_limits": "optimizer.sensitivity.value_of_limits",
    "verify_design": "optimizer.verify",
    "verify_run": "optimizer.verify",
    "why_not": "optimizer.explain.why_not",
}
_SUBPACKAGES = frozenset({"backends", "pareto"})

__all__ = [
    "Catalogue",
    "Design",
    "Frontier",
    "InfeasibleError",
    "Instance",
    "InstanceError",
    "OptimizerError",
    "Problem",
    "SolverError",
    "UsageError",
    "VerificationError",
    "VerificationReport",
    "alternatives",
    "diff_runs",
    "explain_binding",
    "explain_infeasible",
    "gap_list",
    "global_indices",
    "load",
    "price_to_win",
    "regime_map",
    "sensitivity_report",
    "solve",
    "spec_to_win",
    "switch_points",
    "tornado",
    "value_of_limits",
    "verify_design",
    "verify_run",
    "why_not",
]


def _file_of(name: str) -> str | None:
    """The file a top-level package is, or would be, imported from."""
    loaded = sys.modules.get(name)
    if loaded is not None:
        return getattr(getattr(loaded, "__spec__", None), "origin", None) or getattr(loaded, "__file__", None)
    specs = (finder.find_spec(name, None) for finder in sys.meta_path if hasattr(finder, "find_spec"))
    return next((spec.origin for spec in specs if spec is not None), None)


def _require_own_models() -> None:
    """ImportError naming the file when another ``models`` would be imported instead of the one beside this package."""
    own = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "models")
    found = _file_of("models")
    if found is None or os.path.dirname(os.path.realpath(found)) == own:
        return
    # Carrying this package's name makes `python -m optimizer` print the message alone, without a traceback.
    raise ImportError(
        f"{found} shadows the package 'models' that optimizer needs ({own}): "
        "rename that file or start Python from another folder",
        name="optimizer",
    )


if not TYPE_CHECKING:
    ModuleType = type(sys)


class _Package(ModuleType):
    """Keeps a public function in its place when the file of the same name is imported (``verify`` of ``verify.py``)."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _HOMES and isinstance(value, ModuleType):
            return
        super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from optimizer._version import version

        return version()
    from importlib import import_module

    if name in _SUBPACKAGES:
        return import_module(f"optimizer.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'optimizer' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_SUBPACKAGES, "__version__"})


_require_own_models()
sys.modules[__name__].__class__ = _Package
