"""Exact design-space exploration for AI racks and clusters.

Public names are loaded on first use, so that ``import optimizer`` stays light::

    import optimizer
    instance = optimizer.load("training-30mw")
    frontier = optimizer.solve(instance, objectives=["tco", "throughput", "power"], resolution=0.01)
    frontier.designs
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    from optimizer.frontier import Frontier
    from optimizer.report.sensitivity_report import sensitivity_report
    from optimizer.sensitivity.alternatives import alternatives
    from optimizer.sensitivity.global_indices import global_indices
    from optimizer.sensitivity.tornado import tornado
    from optimizer.solve import solve
    from optimizer.verify import VerificationReport, verify_design, verify_run

_HOMES = {
    "alternatives": "optimizer.sensitivity.alternatives",
    "Catalogue": "models.catalogue",
    "Design": "optimizer.design",
    "diff_runs": "optimizer.diff.runs",
    "explain_binding": "optimizer.explain.binding",
    "explain_infeasible": "optimizer.explain.infeasible",
    "Frontier": "optimizer.frontier",
    "global_indices": "optimizer.sensitivity.global_indices",
    "InfeasibleError": "models.errors",
    "Instance": "models.instance",
    "InstanceError": "models.errors",
    "load": "models.loading",
    "OptimizerError": "models.errors",
    "Problem": "models.errors",
    "sensitivity_report": "optimizer.report.sensitivity_report",
    "solve": "optimizer.solve",
    "SolverError": "models.errors",
    "tornado": "optimizer.sensitivity.tornado",
    "UsageError": "models.errors",
    "VerificationError": "models.errors",
    "VerificationReport": "optimizer.verify",
    "verify_design": "optimizer.verify",
    "verify_run": "optimizer.verify",
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
    "global_indices",
    "load",
    "sensitivity_report",
    "solve",
    "tornado",
    "verify_design",
    "verify_run",
]


def _require_own_models() -> None:
    """ImportError naming the file when another ``models`` would be imported instead of the one beside this package."""
    own = Path(__file__).resolve().parent.parent / "models"
    try:
        spec = importlib.util.find_spec("models")
    except ValueError:  # a module without a spec, put into sys.modules by hand
        spec = None
    found = getattr(spec, "origin", None) or getattr(sys.modules.get("models"), "__file__", None)
    if found is None or Path(found).resolve().parent == own:
        return
    # Carrying this package's name makes `python -m optimizer` print the message alone, without a traceback.
    raise ImportError(
        f"{found} shadows the package 'models' that optimizer needs ({own}): "
        "rename that file or start Python from another folder",
        name="optimizer",
    )


class _Package(types.ModuleType):
    """Keeps a public function in its place when the file of the same name is imported (``verify`` of ``verify.py``)."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _HOMES and isinstance(value, types.ModuleType):
            return
        super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from optimizer._version import version

        return version()
    if name in _SUBPACKAGES:
        return importlib.import_module(f"optimizer.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'optimizer' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_SUBPACKAGES, "__version__"})


_require_own_models()
sys.modules[__name__].__class__ = _Package
