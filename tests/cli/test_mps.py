"""MPS files with a mistake the solver's reader passes over: refused with their line, never answered as another program."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = """NAME T
ROWS
 N COST
 N WEIGHT
 L LIM1
 G LIM2
COLUMNS
 M1 'MARKER' 'INTORG'
 X COST 1 LIM1 1
 X WEIGHT -3 LIM2 1
 Y COST 2 LIM1 1
 Y WEIGHT 1
 M2 'MARKER' 'INTEND'
RHS
 RHS LIM1 9 LIM2 -2
RANGES
 RNG LIM1 11
BOUNDS
 UP BND X 7
 LO BND X -3
 UP BND Y 5
 LO BND Y -2
ENDATA
"""


def test_a_program_with_ranges_negative_bounds_and_two_objectives(cli: Callable, tmp_path: Path) -> None:
    (tmp_path / "p.mps").write_text(PROGRAM)
    legal = [(x, y) for x in range(-2, 8) for y in range(-2, 6) if -2 <= x + y <= 9]
    values = {(x + 2 * y, -3 * x + y) for x, y in legal}
    best = sorted(v for v in values if not any(w != v and w[0] <= v[0] and w[1] <= v[1] for w in values))
    found = cli("frontier", str(tmp_path / "p.mps"), "--json").document["data"]
    assert [tuple(point) for point in found["nondominated_points"]] == best


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("X COST 1 LIM1 1", "X COST one LIM1 1", 9, "'one'; expected a number"),
        ("X COST 1 LIM1 1", "X COST 1 LIM9 1", 9, "unknown row 'LIM9'"),
        ("UP BND Y 5", "UP BND Q 5", 21, "unknown column 'Q'"),
        ("M1 'MARKER'", "M1 M1 'MARKER'", 8, "expected NAME 'MARKER' 'INTORG'"),
        ("ENDATA\n", "", 22, "the file is cut off; expected ENDATA"),
    ],
)
def test_a_mistake_is_named(cli: Callable, tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    path = tmp_path / "p.mps"
    path.write_text(PROGRAM.replace(old, new, 1))
    outcome = cli("frontier", str(path))
    assert outcome.code == 3
    assert f"{path}:{line}: mps-syntax: " in outcome.err
    assert words in outcome.err
