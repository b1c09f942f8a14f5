"""Solvers behind one protocol: one file per solver, found by looking in this folder."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.errors import SolverError, UsageError, nearest

if TYPE_CHECKING:
    from optimizer.backends.protocol import Backend, SolverOptions
    from optimizer.compiled_model import CompiledModel

_NOT_SOLVERS = frozenset(
    {"protocol", "integers", "implied", "features", "watchdog", "guarded", "question", "highs_here"}
)


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether a solver can run here; ``reason`` says why not, ``version`` which one."""

    name: str
    usable: bool
    version: str | None
    reason: str | None


def names() -> tuple[str, ...]:
    """Names of all solvers of this folder, sorted."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name not in _NOT_SOLVERS))


def backend_class(name: str) -> type[Backend]:
    """The class of solver ``name``. UsageError when there is none, SolverError when it cannot run here."""
    if name not in names():
        raise UsageError(f"no backend {name!r}; {nearest(name, ['auto', *names()])}")
    found: type[Backend] = importlib.import_module(f"{__name__}.{name}").BACKEND
    reason = found.unavailable()
    if reason is not None:
        raise SolverError(f"backend {name} cannot run: {reason}")
    return found


def available() -> tuple[Availability, ...]:
    """Every solver of this folder with its version, or the reason why it cannot run."""
    rows = []
    for name in names():
        found: type[Backend] = importlib.import_module(f"{__name__}.{name}").BACKEND
        reason = found.unavailable()
        rows.append(Availability(name, reason is None, found.version() if reason is None else None, reason))
    return tuple(rows)


def create(name: str, model: CompiledModel, options: SolverOptions | None = None) -> Backend:
    """A hot instance of solver ``name`` (or ``auto``, chosen by features of the model) for ``model``.

    SolverError with the reason when the solver refuses the model.
    """
    from optimizer.backends.features import choose
    from optimizer.backends.protocol import SolverOptions as Options

    chosen = choose(model) if name == "auto" else name
    found = backend_class(chosen)
    reason = found.refusal(model)
    if reason is not None:
        raise SolverError(f"backend {chosen} refuses this model: {reason}")
    return found(model, options or Options())
