"""Every shipped instance, and every scenario in it, is valid and not hopeless; those shipped broken are broken where they say."""

from __future__ import annotations

import pytest

from models.loading import load
from models.reading.yaml_file import read_yaml
from models.shipped import shipped_instances
from optimizer.check import check_instance

FOUND_BY_SOLVING = "broken/clusters-too-many"


def _cases() -> list[tuple[str, str | None]]:
    """Names of shipped instances with each scenario of their own file."""
    found: list[tuple[str, str | None]] = []
    for name, path in sorted(shipped_instances().items()):
        if not name.startswith("broken/"):
            content = read_yaml(path).content
            found += [(name, scenario) for scenario in (None, *(content.get("scenarios") or {}))]
    return found


def test_scenarios_are_among_the_cases() -> None:
    assert ("mixed-100mw", "list-prices") in _cases()


@pytest.mark.parametrize(("name", "scenario"), _cases())
def test_it_is_valid_and_no_limit_alone_rules_it_out(name: str, scenario: str | None) -> None:
    report = check_instance(load(name, scenario))
    assert not report.problems
    assert all(report.placements.values())


@pytest.mark.parametrize("name", [name for name in sorted(shipped_instances()) if name.startswith("broken/")])
def test_a_broken_one_is_ruled_out_by_arithmetic_or_by_solving_as_meant(name: str) -> None:
    assert check_instance(load(name)).hopeless is (name != FOUND_BY_SOLVING)
