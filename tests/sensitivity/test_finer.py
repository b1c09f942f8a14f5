"""What a coarse quantum hides, against every legal point: the least cost is found to the cent, whichever points tie in quanta."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from models.loading import load
from optimizer.compiled_model import CompiledModel, Sense
from optimizer.sensitivity import program as programs
from optimizer.sensitivity.effort import Effort
from optimizer.sensitivity.finer import finer
from optimizer.sensitivity.gap_search import GapSearch
from optimizer.sensitivity.limit_rows import movable_candidates
from optimizer.sensitivity.part_program import Requirement

CENT = 0.01


def _model(rounded: np.ndarray, weights: list[int], needed: int, most: int) -> CompiledModel:
    n = len(weights)
    return CompiledModel(
        name="cover",
        matrix=sparse.csc_array(np.array([weights], dtype=np.float64)),
        row_lower=np.array([float(needed)]),
        row_upper=np.array([np.inf]),
        lower=np.zeros(n),
        upper=np.full(n, float(most)),
        integer=np.ones(n, dtype=bool),
        objectives=rounded[None, :],
        offsets=np.zeros(1),
        senses=(Sense.MINIMISE,),
        objective_names=("cost",),
        steps=(1.0,),
        row_keys=("demand",),
        column_keys=tuple(f"x{i}" for i in range(n)),
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(100, 900_000)), min_size=2, max_size=4),
    st.integers(3, 20),
    st.sampled_from([100.0, 1000.0, 2500.0]),
)
def test_the_least_cost_is_found_to_the_cent(items: list[tuple[int, int]], needed: int, quantum: float) -> None:
    most, weights = 3, [w for w, _ in items]
    needed = min(needed, most * sum(weights))
    cost = np.array([cents * CENT for _, cents in items])
    points = [
        np.array(p) for p in itertools.product(range(most + 1), repeat=len(items)) if np.dot(p, weights) >= needed
    ]
    truth = min(float(cost @ p) for p in points)
    model = _model(np.rint(cost / quantum), weights, needed, most)
    effort = Effort()
    coarse = effort.least(model)
    assert coarse is not None
    reached = float(cost @ coarse.point(len(items)))
    hidden = float(np.abs(cost - model.objectives[0] * quantum).sum() * most)
    question = finer(model, cost, quantum, coarse.bound, reached - coarse.bound * quantum + hidden, CENT)
    again = effort.least(question)
    assert again is not None
    x = again.point(question.n_columns)
    assert abs(float(cost @ x[:-1]) - truth) < CENT / 2
    assert abs(coarse.bound * quantum + again.bound * CENT - truth) < CENT / 2


def test_what_the_rounding_may_just_hide_is_found() -> None:
    cost = np.array(
        [249.0, 50.1]
    )  # one of the first covers what three of the second do: 2 quanta against 3, 249 against 150.3
    model = _model(np.rint(cost / 100.0), [3, 1], 3, 3)
    again = Effort().least(finer(model, cost, 100.0, 2.0, 100.0, CENT))
    assert again is not None
    assert again.point(3).tolist() == [0.0, 3.0, 1.0]


def test_a_program_whose_numbers_are_far_apart_is_exact(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    instance = load("tiny/sourcing")
    found = movable_candidates(instance)
    fine = GapSearch(instance, found, Requirement(), "tco", Effort()).best
    monkeypatch.setattr(programs, "LARGEST_COST", 50.0)
    assert abs(GapSearch(instance, found, Requirement(), "tco", Effort()).best - fine) < 1.0
