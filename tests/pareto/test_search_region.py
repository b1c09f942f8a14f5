"""The search region against the definition of its update, zone by zone: same corners, same order, whatever ties there are."""

from __future__ import annotations

import math

import numpy as np
import pytest

from optimizer.pareto.prospects import Prospects, longest_edges
from optimizer.pareto.query import Answer, Outcome, Point, Query
from optimizer.pareto.search_region import SearchRegion
from optimizer.pareto.space import Space


class Plain:
    """The update as it is defined: corners with all their defining points, by number."""

    def __init__(self, k: int) -> None:
        self.k = k
        self.zones: dict[int, tuple[Point, list[list[Point]]]] = {0: ((math.inf,) * k, [[] for _ in range(k)])}
        self.made = 1

    def add(self, z: Point) -> None:
        children = []
        for key, (upper, defining) in list(self.zones.items()):
            if any(a > b for a, b in zip(z, upper, strict=True)):
                continue
            equal = [j for j in range(self.k) if z[j] == upper[j]]
            if len(equal) == 1:
                defining[equal[0]].append(z)
            if equal:
                continue
            del self.zones[key]
            for j in range(self.k):
                others = [defining[i] for i in range(self.k) if i != j]
                if all(not points or min(p[j] for p in points) < z[j] for points in others):
                    left = [[p for p in points if p[j] < z[j]] for points in defining]
                    left[j] = [z]
                    children.append(((*upper[:j], z[j], *upper[j + 1 :]), left))
        for child in children:
            self.zones[self.made] = child
            self.made += 1


def check(plain: Plain, region: SearchRegion) -> None:
    assert len(region) == len(plain.zones)
    assert region.keys.tolist() == list(plain.zones)
    assert region.uppers.tolist() == [list(upper) for upper, _ in plain.zones.values()]


@pytest.mark.parametrize("k", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("high", [2, 4, 1000])
def test_same_zones_in_the_same_order_as_the_definition(k: int, high: int) -> None:
    rng = np.random.default_rng(100 * k + high)
    for _ in range(12):
        plain, region = Plain(k), SearchRegion(k)
        seen: set[int] = set()
        for z in rng.integers(-high, high + 1, size=({2: 80, 3: 50, 4: 25, 5: 15, 6: 10}[k], k)).astype(float).tolist():
            assert region.holds(z) == any(np.all(np.array(z) < u) for u, _ in plain.zones.values())
            plain.add(tuple(z))
            region.add(tuple(z))
            if rng.random() < 0.3 and len(plain.zones) > 3:
                gone = set(rng.choice(list(plain.zones), size=3).tolist())
                region.remove(gone)
                for key in gone:
                    del plain.zones[key]
                    assert key not in region
            if rng.random() < 0.4:
                check(plain, region)
                new = region.unseen().tolist()
                assert new == [key for key in plain.zones if key not in seen and key >= max(seen, default=-1)]
                seen |= set(range(plain.made))
                box = np.array(z) + rng.integers(0, 3, size=k)
                below = [slot for slot, (u, _) in enumerate(plain.zones.values()) if np.all(np.array(u) <= box)]
                assert region.below(box).tolist() == below
        check(plain, region)
        for key, (upper, _) in plain.zones.items():
            assert region.zone(key).upper == upper


def test_a_zone_that_is_gone_is_not_known() -> None:
    region = SearchRegion(2)
    region.add((3.0, 4.0))
    assert region.keys.tolist() == [1, 2]
    region.remove([1])
    assert 0 not in region
    assert 1 not in region
    assert 2 in region
    assert 3 not in region
    with pytest.raises(KeyError):
        region.zone(1)


@pytest.mark.parametrize("k", [2, 4])
def test_scores_are_those_of_a_fresh_judgement_after_every_answer(k: int) -> None:
    rng = np.random.default_rng(k)
    space = Space(np.ones(k), np.zeros(k), np.full(k, 99.0), np.ones(k, dtype=bool))
    region, kept = SearchRegion(k), Prospects(space)
    history: list[tuple[Query, Answer]] = []
    # the first points set what is far; after them only sums change scores
    for point in [tuple(np.where(np.arange(k) == j, 99.0, 0.0).tolist()) for j in range(k)]:
        space.list_point(Answer(Outcome.OPTIMAL, 1, point))
        region.add(point)
    for z in rng.integers(1, 99, size=(25, k)).astype(float).tolist():
        scores = kept.scores(region)
        fresh = Prospects(space)
        for query, answer in history:
            fresh.learn(query, answer, SearchRegion(k))
        assert scores == pytest.approx(fresh.scores(region), abs=1e-8)
        zone = region.zone(int(region.keys[int(np.argmax(scores))]))
        weights = kept.weights(zone.key)
        answer = Answer(Outcome.OPTIMAL, 1, tuple(z), bound=float(np.dot(weights, np.minimum(z, zone.upper)) * 0.7))
        history.append((Query((zone.upper,), weights=weights), answer))
        space.list_point(answer)
        region.add(tuple(z))
        kept.learn(*history[-1], region)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_no_edges_within_the_sums_have_a_much_larger_product(k: int) -> None:
    rng = np.random.default_rng(k)
    for rows in (1, 2, 4, 30):
        edges, weights = rng.uniform(1, 50, (20, k)), rng.integers(1, 1000, (rows, k)).astype(float)
        left = rng.uniform(0.05, 1.2, (20, rows)) * (edges @ weights.T)
        left[rng.uniform(size=left.shape) < 0.3] = np.inf
        made = longest_edges(edges, weights, left)
        assert (made <= edges * (1 + 1e-12)).all()
        assert (made @ weights.T <= left * (1 + 1e-12)).all()
        for one, sides, limits in zip(made, edges, left, strict=True):
            others = rng.uniform(0, 1, (500, k)) * sides
            others = np.vstack([others, one * rng.uniform(0.5, 1.8, (1000, k))])
            others /= np.maximum((others / sides).max(axis=1), (others @ weights.T / limits).max(axis=1))[:, None]
            assert (others.prod(axis=1) <= one.prod() * 1.15).all()


def test_one_sum_is_shared_equally_by_the_edges_that_it_holds() -> None:
    edges, weights = np.array([[100.0, 100.0, 1.0]]), np.array([[1.0, 3.0, 4.0]])
    made = longest_edges(edges, weights, np.array([[20.0]]))
    assert made[0] == pytest.approx([8.0, 8.0 / 3.0, 1.0], rel=0.05)
