"""What a verification finds: a field of a design, what the run reports, and what the inputs give."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement. ``design`` is an id, or the name of a file of the run where no single design is meant."""

    design: str
    field: str
    reported: Any
    recomputed: Any
    note: str = ""

    def __str__(self) -> str:
        text = f"{self.design}: {self.field}: reported {_short(self.reported)}, recomputed {_short(self.recomputed)}"
        return f"{text} ({self.note})" if self.note else text

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON; NaN and infinity as text."""
        return {
            "design": self.design,
            "field": self.field,
            "reported": _plain(self.reported),
            "recomputed": _plain(self.recomputed),
            "note": self.note,
        }


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _short(value: Any) -> str:
    text = f"{value:.10g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 200 else f"{text[:197]}..."


@dataclass
class Checks:
    """Collects the findings of one design (or file) and counts what was compared."""

    design: str
    findings: list[Finding] = field(default_factory=list)
    compared: int = 0

    def same(self, name: str, reported: Any, recomputed: Any, note: str = "") -> bool:
        """Compares numbers within a billionth, everything else exactly."""
        self.compared += 1
        if equal(reported, recomputed):
            return True
        self.findings.append(Finding(self.design, name, reported, recomputed, note))
        return False

    def rule(self, name: str, holds: bool, found: Any, wanted: Any, note: str = "") -> bool:
        """Notes a broken rule: what was found and what the rule asks for."""
        self.compared += 1
        if not holds:
            self.findings.append(Finding(self.design, name, found, wanted, note))
        return holds


def equal(reported: Any, recomputed: Any) -> bool:
    """Equality with room for rounding in the last digits of real numbers; a number never equals a truth value."""
    if isinstance(reported, bool) or isinstance(recomputed, bool):
        return reported is recomputed
    if isinstance(reported, int | float) and isinstance(recomputed, int | float):
        if not (math.isfinite(reported) and math.isfinite(recomputed)):
            return False
        return abs(reported - recomputed) <= TOLERANCE * max(abs(reported), abs(recomputed), 1e-12)
    if isinstance(reported, list | tuple) and isinstance(recomputed, list | tuple):
        return len(reported) == len(recomputed) and all(map(equal, reported, recomputed))
    return bool(reported == recomputed) and type(reported) is type(recomputed)
