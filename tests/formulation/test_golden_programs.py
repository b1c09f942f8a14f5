"""The program of every family, written out for a small instance, is the one a person has read and agreed to.

After an intended change: ``python -m tests.formulation.rewrite_golden``, then read the difference.
"""

from __future__ import annotations

import re

import pytest

from models.formulation.build import build
from models.formulation.family import families
from models.formulation.labels import label, labelled
from models.loading import load

from .programs import FOLDER, GOLDEN, program


def test_every_family_has_a_golden_program() -> None:
    assert {name.partition("-")[0] for name in GOLDEN} == {"core", *(f.name for f in families())}
    assert {path.stem for path in FOLDER.glob("*.lp")} == set(GOLDEN)


@pytest.mark.parametrize("family", sorted(GOLDEN))
def test_the_program_is_the_agreed_one(family: str) -> None:
    assert program(family) == (FOLDER / f"{family}.lp").read_text(encoding="utf-8")


@pytest.mark.parametrize("family", sorted(GOLDEN))
def test_rows_read_family_what_index(family: str) -> None:
    rows = re.findall(r"^(\S+):$", (FOLDER / f"{family}.lp").read_text(encoding="utf-8"), flags=re.MULTILINE)
    rows = [row for row in rows if row != "objective.floor"]
    assert rows
    assert all(re.fullmatch(rf"{family.partition('-')[0]}\.[a-z_]+\[[A-Za-z0-9_.,-]+\]", row) for row in rows)


def test_labels_are_unique_and_say_what_is_placed() -> None:
    for name in ("tiny/thermal-rear-door", "tiny/two-sites", "tiny/serving"):
        named = labelled(build(load(name), pruned=False))
        for block in named.blocks.values():
            assert len(set(block.keys)) == len(block.keys)
    assert label("4xdgx_h100@eia48.air|qm9700.2t.50:13.rail|256|air=fan_wall,power=ups") == (
        "4xdgx_h100.eia48.air.qm9700.2t.50to13.rail.256.fan_wall.ups"
    )
