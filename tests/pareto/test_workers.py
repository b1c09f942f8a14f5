"""Any number of processes gives the same points, designs and ledger, byte for byte."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from optimizer.pareto import solve
from tests.pareto.programs import random_program


def test_two_processes_give_the_same_bytes_as_one(tmp_path: Path) -> None:
    model = random_program(3, 5, columns=8)
    one = solve(model, ledger_path=tmp_path / "one.jsonl")
    two = solve(model, ledger_path=tmp_path / "two.jsonl", workers=2)
    np.testing.assert_array_equal(one.points, two.points)
    np.testing.assert_array_equal(one.solutions, two.solutions)
    assert (one.solves, one.relaxations, one.ledger) == (two.solves, two.relaxations, two.ledger)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()
