"""Who backs a number that overrides another: whoever overrides it, never the source or owner of the number it replaces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.parts.part import Confidence

NUMBERS = frozenset({"value", "price", "tiers", "usd", "at_most", "at_least", "fix"})
"""Keys of an instance whose figure the owner, reason and source beside it speak for."""

_SPOKEN = ("owner", "reason")
_BESIDE = frozenset({"id", "name", "vendor", "source", "confidence", "fields_unverified", "notes", *_SPOKEN, "label"})


def forget_speakers(target: dict[str, Any], override: Mapping[str, Any], where: str) -> list[str]:
    """Takes from ``target`` who spoke for a number that ``override`` replaces, unless it says so itself; the keys taken.

    A quote or rate that named its source names the place of the override (``where``) instead. The label stays: who may
    read it is not wider for a new number.
    """
    if not any(key in override and override[key] != target.get(key) for key in NUMBERS):
        return []
    gone = [key for key in _SPOKEN if key in target and key not in override]
    for key in gone:
        del target[key]
    if "source" in target and "source" not in override:
        target["source"] = f"stated in {where}"
    return gone


def restated(known: Mapping[str, str], row: Mapping[str, str], path: Path) -> dict[str, str]:
    """Cells that follow where a catalogue ``row`` of the file at ``path`` overrides figures of a ``known`` one.

    Without a source of its own the file is named beside the old one, and the columns count as not found there; without a
    confidence the figures are no better than stated.
    """
    changed = [name for name, cell in row.items() if cell and name not in _BESIDE and known and known.get(name) != cell]
    found: dict[str, str] = {}
    if changed and not row.get("source"):
        mine = f"{', '.join(changed)} as stated in {path.parent.name}/{path.name}"
        found["source"] = " ; ".join(text for text in (known.get("source", ""), mine) if text)
        unverified = [name for name in known.get("fields_unverified", "").split(";") if name]
        if not row.get("fields_unverified") and "all" not in unverified:
            found["fields_unverified"] = ";".join(dict.fromkeys([*unverified, *changed]))
    if changed and not row.get("confidence"):
        found["confidence"] = Confidence.STATED.value
    return found
