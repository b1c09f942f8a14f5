"""Readable names for the columns of placements, for a program a person reads: rack design, fabric, size and plant options.

The program itself knows placements by number, which is short and never needs the catalogue.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from models.formulation.build import Formulation
from models.formulation.core import block_name


def labelled(formulation: Formulation) -> Formulation:
    """The same program with ``use`` columns named after what they place; unique, of letters, digits, dots and underscores."""
    blocks = dict(formulation.blocks)
    for placements in formulation.candidates.placements:
        name = block_name(placements)
        labels = [label(placements.key(int(row))) for row in formulation.positions[name]]
        blocks[name] = replace(blocks[name], keys=_unique(labels))
    return replace(formulation, blocks=blocks)


def label(key: str) -> str:
    """A placement's key without the characters that program files give a meaning: ``50:13`` becomes ``50to13``."""
    return re.sub(r"[^A-Za-z0-9_.]", ".", re.sub(r"[a-z_]+=", "", key).replace(":", "to"))


def _unique(labels: list[str]) -> tuple[str, ...]:
    """Repeated labels get a number behind them, in order."""
    seen: Counter[str] = Counter()
    taken = set(labels)
    found = []
    for name in labels:
        seen[name] += 1
        numbered = name
        while seen[name] > 1 and numbered in taken:
            numbered = f"{name}_{seen[name]}"
            seen[name] += numbered in taken
        taken.add(numbered)
        found.append(numbered)
    return tuple(found)
