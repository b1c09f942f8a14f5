"""The search for conflicts and repairs against full enumeration, on random families of clashing groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from itertools import chain, combinations
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from optimizer.explain.asking import Standing
from optimizer.explain.groups import Group, GroupKind
from optimizer.explain.infeasible import ConflictSearch
from optimizer.explain.repairs import LARGEST_SET, correction_sets


@dataclass
class Planted:
    """Answers for known minimal conflicts: a set is infeasible exactly when it holds one of them whole."""

    groups: Mapping[str, Group]
    clashes: tuple[frozenset[str], ...]
    out_of_time: bool = False
    rows: tuple[Any, ...] = ()
    asked: list[frozenset[str]] = field(default_factory=list)

    def standing(self, kept: Collection[str]) -> Standing:
        self.asked.append(frozenset(kept))
        return Standing.INFEASIBLE if any(c <= set(kept) for c in self.clashes) else Standing.FEASIBLE

    def prepared(self, _lifted: Collection[str]) -> bool:
        return True

    def program(self, _lifted: Collection[str]) -> Any:
        return SimpleNamespace(model=None, formulation=None)


NAMES = [f"g{n}" for n in range(7)]


def _planted(clashes: Collection[Collection[str]]) -> Planted:
    smallest = [frozenset(c) for c in clashes]
    kinds = list(GroupKind)
    groups = {
        name: Group(name, kinds[n % len(kinds)], name, "", "", "", None, ("row",) if n % 2 else ())
        for n, name in enumerate(NAMES)
    }
    return Planted(groups, tuple(smallest))


def _subsets(names: Collection[str]) -> chain:
    return chain.from_iterable(combinations(sorted(names), size) for size in range(len(names) + 1))


clashes = st.lists(st.sets(st.sampled_from(NAMES), min_size=1, max_size=4), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(clashes, st.sets(st.sampled_from(NAMES), max_size=2))
def test_a_conflict_is_infeasible_and_every_proper_subset_feasible(planted: list[set[str]], hint: set[str]) -> None:
    asking = _planted(planted)
    search = ConflictSearch(asking, lambda _line: None, hopeless=[frozenset(hint)] if hint else [])  # type: ignore[arg-type]
    found = search.within(NAMES)
    assert found.infeasible
    assert found.irreducible
    for subset in _subsets(found.names):
        infeasible = asking.standing(subset) is Standing.INFEASIBLE
        assert infeasible == (frozenset(subset) == found.names)


@settings(max_examples=150, deadline=None)
@given(clashes)
def test_repairs_are_the_minimal_sets_that_meet_every_conflict(planted: list[set[str]]) -> None:
    asking = _planted(planted)
    search = ConflictSearch(asking, lambda _line: None, hopeless=[])  # type: ignore[arg-type]
    first = search.within(NAMES).names
    found = set(correction_sets(asking, first, lambda names: search.within(names).names, most=10**6))  # type: ignore[arg-type]
    mending = [frozenset(s) for s in _subsets(NAMES) if all(frozenset(s) & c for c in asking.clashes)]
    minimal = {s for s in mending if len(s) <= LARGEST_SET and not any(other < s for other in mending)}
    assert found == minimal


def test_what_time_left_unproven_is_not_called_irreducible() -> None:
    asking = _planted([{"g1", "g3"}])
    asking.out_of_time = True
    search = ConflictSearch(asking, lambda _line: None, hopeless=[])  # type: ignore[arg-type]
    found = search.within(NAMES)
    assert found.infeasible
    assert not found.irreducible
