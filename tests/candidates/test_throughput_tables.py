"""Tables of many parts and networks searched together, against one search per size and network."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from models.candidates.mapping_search import Question
from models.candidates.throughput_table import ThroughputTable, throughput_tables
from models.physics.performance.cards import ModelShape, Network
from models.physics.performance.training import best_mapping
from tests.physics.performance.conftest import CLASSIC, DENSE, EXPERTS, make_card, make_constants

SMALLEST, LARGEST, BATCH = 40, 112, 96
RATES = [(12.5e9, 1.0), (50e9, 1.0), (50e9, 4.0), (100e9, 2.0)]
PARTS = [make_card(), make_card(name="tight", hbm_bytes=30e9), make_card(name="wide", scaleup_domain=72)]


def _questions(model: ModelShape) -> list[Question]:
    return [
        Question(model, part, Network.of(part, rate, oversubscription=ratio), BATCH, "bf16", SMALLEST, LARGEST)
        for part in PARTS
        for rate, ratio in RATES
    ]


def _alone(question: Question) -> list[tuple[int, float, str, str | None]]:
    """Sizes that beat all smaller ones, each searched by itself: size, tokens/s, best, runner-up."""
    q, rows = question, []
    for size in range(SMALLEST // 2, LARGEST + 1):
        found = best_mapping(q.model, q.accelerator, q.network, size, q.global_batch, make_constants(), q.dtype)
        if found is not None and (not rows or found.tokens_s > rows[-1][1]):
            other = None if found.runner_up is None else str(found.runner_up)
            rows.append((size, found.tokens_s, str(found.mapping), other))
    return rows


@pytest.mark.parametrize("model", [DENSE, CLASSIC, EXPERTS], ids=lambda m: m.name)
def test_bounds_lose_nothing(model: ModelShape) -> None:
    questions = _questions(model)
    for question, table in zip(questions, throughput_tables(questions, make_constants()), strict=True):
        told = [table.describe(int(n)) for n in table.used]
        found = [
            (d["accelerators_used"], r, d["mapping"], d["runner_up"]) for d, r in zip(told, table.tokens_s, strict=True)
        ]
        expected = _alone(question)
        assert [f[0] for f in found] == [e[0] for e in expected]
        assert [f[1] for f in found] == pytest.approx([e[1] for e in expected], rel=1e-12)
        assert [f[2:] for f in found] == [e[2:] for e in expected]


def test_throughput_never_falls_with_size_and_nothing_that_fits_is_zero() -> None:
    questions = [
        _questions(DENSE)[0],
        dataclasses.replace(_questions(DENSE)[0], accelerator=make_card(hbm_bytes=2.5e9)),
    ]
    table, empty = throughput_tables(questions, make_constants())
    assert (np.diff(table.rate(np.arange(SMALLEST, LARGEST + 1))) >= 0).all()
    assert (empty.rate([SMALLEST, LARGEST]) == 0).all()


class _Kept(dict):
    def put(self, key: str, arrays: dict) -> None:
        self[key] = arrays


def test_a_kept_table_is_the_searched_one_and_is_kept_by_content() -> None:
    memo, one = _Kept(), _questions(DENSE)[:2]
    first = throughput_tables(one, make_constants(), memo)
    assert len(memo) == 2
    again = throughput_tables(list(reversed(one)), make_constants(), memo)
    for made, kept in zip(first, reversed(again), strict=True):
        for name in (f.name for f in dataclasses.fields(ThroughputTable)):
            assert np.array_equal(getattr(made, name), getattr(kept, name), equal_nan=True)
    throughput_tables(one, make_constants(gemm=0.8), memo)
    assert len(memo) == 4
