"""At a resolution every legal value vector has a listed point no worse than it by more than the resolution, in all objectives."""

from __future__ import annotations

import numpy as np
import pytest

from .brute_force import values
from .cases import candidates, designs, frontier, instance

CASES = (
    ("tiny/space", ("tco", "throughput")),
    ("tiny/power", ("tco", "throughput", "power")),
    ("tiny/thermal-liquid", ("capex", "throughput", "carbon")),
    ("tiny/serving", ("tco", "throughput", "power")),
    ("tiny/two-clusters", ("tco", "throughput", "power")),
)


def _uncovered(legal: np.ndarray, listed: np.ndarray, error: np.ndarray) -> float:
    """Largest excess over ``error`` that the best listed point still leaves somewhere."""
    excess = (listed[None, :, :] - legal[:, None, :] - error).max(axis=2)
    return float(excess.min(axis=1).max())


def _ranges(legal: np.ndarray) -> np.ndarray:
    """Range of each objective over the lexicographic optima (each objective first, the others behind it)."""
    k = legal.shape[1]
    optima = []
    for first in range(k):
        best = legal[legal[:, first] == legal[:, first].min()]
        optima.append(best[np.argmin(best.sum(axis=1))])
    spread = np.array(optima)
    return np.asarray(spread.max(axis=0) - spread.min(axis=0))


@pytest.mark.parametrize("share", [0.01, 0.05])
@pytest.mark.parametrize(("name", "objectives"), CASES)
def test_a_share_of_the_ranges(name: str, objectives: tuple[str, ...], share: float) -> None:
    legal = np.array(sorted(values(instance(name), designs(name), objectives)), dtype=float)
    found = frontier(instance(name), candidates(name), objectives, shares=[share] * len(objectives))
    assert set(map(tuple, found.points.tolist())) <= set(map(tuple, legal.tolist()))
    assert _uncovered(legal, found.points, np.asarray(found.error)) <= 1e-6
    # no objective's range over the optima exceeds its range over everything legal
    assert (np.asarray(found.error) <= share * (legal.max(axis=0) - legal.min(axis=0)) + 1e-6).all()


@pytest.mark.parametrize(("name", "objectives"), CASES)
def test_absolute_units(name: str, objectives: tuple[str, ...]) -> None:
    legal = np.array(sorted(values(instance(name), designs(name), objectives)), dtype=float)
    units = np.maximum(1.0, np.floor(0.1 * _ranges(legal)))
    exact = frontier(instance(name), candidates(name), objectives)
    found = frontier(instance(name), candidates(name), objectives, resolution=units.tolist())
    assert _uncovered(legal, found.points, units) <= 1e-6
    assert found.n_points <= exact.n_points


def test_a_resolution_of_nothing_is_exact() -> None:
    name, objectives = "tiny/space", ("tco", "throughput")
    exact = frontier(instance(name), candidates(name), objectives)
    assert np.array_equal(
        frontier(instance(name), candidates(name), objectives, resolution=[0, 0]).points, exact.points
    )
