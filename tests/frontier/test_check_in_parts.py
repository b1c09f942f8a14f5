"""The best case of every limit is the same whether all placements are held together or looked at some at a time."""

from __future__ import annotations

import pytest

from models.candidates import placing
from models.candidates.placement import enumerate_candidates
from models.loading import load
from optimizer import check


@pytest.mark.parametrize("name", ["tiny/bandwidth", "tiny/serving-roles", "tiny/split-training", "tiny/twin-sites"])
def test_cases_from_parts_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    instance = load(name)
    every = check.check_instance(instance)
    held: list[int] = []
    real = check.enumerate_candidates

    def looked_at(*arguments: object, **options: object) -> object:
        found = real(*arguments, **options)
        held.append(sum(len(table) for table in found.placements))
        return found

    monkeypatch.setattr(check, "enumerate_candidates", looked_at)
    monkeypatch.setattr(placing, "TOGETHER", 5)
    assert check.check_instance(instance) == every
    assert held[0] < sum(every.placements.values())


@pytest.mark.parametrize("name", ["tiny/bandwidth", "tiny/serving-roles"])
def test_whole_enumeration_gives_the_same_cases(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    instance = load(name)
    found = check.check_instance(instance)

    def whole(*arguments: object, sift: object = None, **options: object) -> object:
        return enumerate_candidates(*arguments, **options)

    monkeypatch.setattr(check, "enumerate_candidates", whole)
    assert check.check_instance(instance) == found
