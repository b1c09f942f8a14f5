"""Tables that leave the program keep their shape whatever their cells hold."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from optimizer.tables import markdown_table

CELLS = st.text(st.sampled_from("ab|\\\n -"), max_size=6)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=4), st.booleans())
def test_every_row_has_as_many_cells_as_there_are_headings(rows: list[tuple[str, str]], numbers: bool) -> None:
    lines = markdown_table(("part", "USD"), rows, ("USD",) if numbers else ())
    assert len(lines) == 2 + len(rows)
    assert lines[1] == ("|---|---:|" if numbers else "|---|---|")
    for line in lines:
        assert "\n" not in line
        assert len(re.sub(r"\\.", "", line).split("|")) == 4
