"""What a solver left unsettled is settled before the ledger closes: the points of the ledger are those of the designs handed over."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.loading import load
from optimizer.certify import certify_run
from optimizer.pareto.engine import Run
from optimizer.pareto.ledger import read_lines
from optimizer.pareto.query import Answer, Query
from optimizer.pareto.reply import Reply
from optimizer.solve import solve
from optimizer.verify import verify_run

CASE = "tiny/power-blocks"


def _wasteful(run: Any, query: Query, reply: Reply) -> Reply:
    """The answer of a solver that stopped early: a plant unit more than the racks need, where that still lies in the zone."""
    if reply.x is None:
        return reply
    model = run._problem.original
    for place in np.flatnonzero([key.startswith("units[") for key in model.column_keys]):
        if not reply.x[place]:
            continue
        x = reply.x.copy()
        x[place] += 1.0
        point = tuple(run._problem.image(x).tolist())
        inside = any(all(v <= t for v, t in zip(point, box, strict=True)) for box in query.boxes)
        if inside and point != reply.point and run._problem.violation(x) is None:
            return dataclasses.replace(reply, x=x, point=point, proven=False)
    return reply


def test_points_that_can_be_bettered_are_bettered_in_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = load(CASE)
    honest = solve(instance, ("tco", "throughput"), resolution="20%")
    spoiled: list[Any] = []
    real = Run._take

    def take(self: Run, query: Query, reply: Reply) -> Answer:
        fresh = _wasteful(self, query, reply)
        if fresh is not reply:
            spoiled.append(fresh.point)
        return real(self, query, fresh)

    monkeypatch.setattr(Run, "_take", take)
    frontier = solve(instance, ("tco", "throughput"), resolution="20%", out=tmp_path / "run")
    assert spoiled, "no answer could be spoiled: the test shows nothing"
    verify_run(tmp_path / "run").require()
    certificate = certify_run(tmp_path / "run", sample=None)
    assert certificate.holds
    assert certificate.points == len(frontier)
    listed = [line["point"] for line in read_lines(tmp_path / "run" / "ledger.jsonl") if line["kind"] == "point"]
    assert any(list(point) in listed for point in spoiled), "a spoiled answer has been listed first"
    assert {p.design_id for p in honest.points} == {p.design_id for p in frontier.points}
