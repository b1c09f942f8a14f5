"""What purchasing has to give: each repair names a field, mends the instance as it says, and by less than its step it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from models.instance import Instance
from models.loading import load
from optimizer.explain.asking import Asking, Standing
from optimizer.explain.changes import Change
from optimizer.explain.measuring import measured
from optimizer.explain.purchases import purchase_of

Overrides = dict[str, Any]
CASES: list[tuple[str, str, Overrides, str, str]] = [
    (
        "tiny/sourcing", "sourcing.shares.few.at_most",
        {"sourcing": {"shares": {"few": {"layer": "network", "vendor": "Northern", "at_most": 0.4}}}},
        "sourcing.shares.few.at_most", "Northern at most 40 % of network spend",
    ),
    (
        "tiny/sourcing", "sourcing.shares.south.at_least",
        {"sourcing": {"shares": {"south": {"at_least": 0.6, "at_most": 0.6}}, "second_sources": {"servers": {"each_at_least": 0.45}}}},
        "sourcing.shares.south.at_least", "Southern at least 60 % of odm units",
    ),
    (
        "tiny/sourcing", "sourcing.second_sources.servers.vendors",
        {
            "sourcing": {"shares": {"south": {"at_most": 0.1}}},
            "workloads": {"train": {"design_space": {"systems": ["dgx_h100"]}}},
        },
        "sourcing.second_sources.servers.each_at_least", "2 vendors of dgx_h100, each at least 25 % of units",
    ),
    (
        "tiny/sourcing", "sourcing.second_sources.few.vendors",
        {"sourcing": {"second_sources": {"few": {"part": "qm9700", "each_at_least": 0.2}}}},
        "sourcing.second_sources.few", "2 vendors of qm9700, each at least 20 % of units",
    ),
    (
        "tiny/supply", "sourcing.supply.switches.per_quarter",
        {"sourcing": {"supply": {"switches": {"per_quarter": {"2026Q4": 1, "2027Q1": 1, "2027Q2": 1}}}}},
        "sourcing.supply.switches.per_quarter", "2026Q4 1 units, 2027Q1 1 units, 2027Q2 1 units",
    ),
    (
        "tiny/supply", "quotes.pdu.lead_time", {"quotes": {"pdu": {"lead_time": "420 days"}}},
        "quotes.pdu.lead_time", "first units after 420 days",
    ),
    (
        "tiny/supply", "sites.fjord.needed_by", {"quotes": {"pdu": {"lead_time": "420 days"}}},
        "sites.fjord.needed_by", "needed by 2027Q3",
    ),
    ("tiny/supply", "limits.lead_time", {"limits": {"lead_time": "30 days"}}, "limits.lead_time", "everything within 30 days"),
    ("tiny/sourcing", "limits.concentration", {"limits": {"concentration": "3 MUSD"}}, "limits.concentration", "3 MUSD"),
    ("tiny/performance", "limits.availability", {"limits": {"availability": 0.9999999}}, "limits.availability", "0.9999999"),
    ("tiny/performance", "limits.blast_radius", {"limits": {"blast_radius": 1}}, "limits.blast_radius", "1"),
]  # fmt: skip


STEPPED = [
    case for case in CASES if case[1] not in ("limits.concentration", "limits.availability", "limits.blast_radius")
]
"""Those that do not move in a row of the program."""


def _nested(path: str, value: Any, into: Mapping[str, Any]) -> Overrides:
    step, _, rest = path.partition(".")
    below = into.get(step)
    inner = _nested(rest, value, below if isinstance(below, Mapping) else {}) if rest else value
    return {**into, step: inner}


def _has_a_design(instance: Instance) -> bool:
    asking = Asking(instance)
    return asking.standing(list(asking.groups)) is Standing.FEASIBLE


def _change(name: str, group: str, overrides: Overrides) -> Change:
    asking = Asking(load(name, overrides=overrides))
    assert asking.standing(list(asking.groups)) is Standing.INFEASIBLE
    assert group in asking.groups
    told = measured(asking, frozenset([group]))
    assert told is not None
    (change,) = told.changes
    return change


@pytest.mark.parametrize(("name", "group", "overrides", "field", "before"), CASES, ids=[case[1] for case in CASES])
def test_a_repair_names_a_field_and_mends_the_instance(
    name: str, group: str, overrides: Overrides, field: str, before: str
) -> None:
    change = _change(name, group, overrides)
    assert change.before == before
    assert list(change.overrides) == [field]
    assert "lifted" not in change.after
    mended = load(name, overrides=_nested(field, change.overrides[field], overrides))
    assert _has_a_design(mended)


@pytest.mark.parametrize(
    ("name", "group", "overrides"), [case[:3] for case in STEPPED], ids=[case[1] for case in STEPPED]
)
def test_a_step_less_does_not(name: str, group: str, overrides: Overrides) -> None:
    instance = load(name, overrides=overrides)
    moved = purchase_of(instance, group)
    assert moved is not None
    change = _change(name, group, overrides)
    assert change.apply is not None
    told = next(n for n, value in enumerate(moved.steps) if moved.told(value).after == change.after)
    assert _has_a_design(moved.apply(instance, moved.steps[told]))
    for short in {max(told - 1, 0), told // 2} - {told}:
        assert not _has_a_design(moved.apply(instance, moved.steps[short]))


def test_units_that_come_once_do_not_come_again_where_supply_goes_on() -> None:
    supply = {"part": "sr4_400", "per_quarter": {"2026Q4": 2}, "continues": True}
    instance = load("tiny/supply", overrides={"sourcing": {"supply": {"modules": supply}}})
    moved = purchase_of(instance, "sourcing.supply.modules.per_quarter")
    assert moved is not None
    table = moved.told(5).text
    # 2 a quarter as before, five more by 2027Q1, and 2 a quarter from then on
    assert table == {"2026Q4": 2, "2027Q1": 7, "2027Q2": 2}
