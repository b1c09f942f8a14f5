"""Rules at the last digit: a bound on power that only rounding would meet, and spend that rounds to nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.candidates.placement import enumerate_candidates
from models.errors import InfeasibleError
from models.loading import load
from models.policy import PowerFigure
from optimizer.solve import solve

from .brute_force import legal_designs, nondominated, values
from .cases import frontier, points

OBJECTIVES = ("tco", "throughput")
OWNED = {"owner": "test", "reason": "test"}
POWER = {"measure": "power", "cluster": "train"}
CHAT = {"measure": "power", "cluster": "chat"}
NO_RULES: dict[str, Any] = dict.fromkeys(
    ("few_racks", "chat_after_train", "spare_ups", "nvidia", "one_seller", "feeders")
)
# training pods draw 98.186, 98.608, 178.732 and 179.576 kW
RULES: dict[str, dict[str, Any]] = {
    "floor between a power and its ceiling": {"at_least": "179 kW", "of": POWER},
    "floor at a whole kW below": {"at_least": "178 kW", "of": POWER},
    "ceiling between a power and its floor": {"at_most": "179.2 kW", "of": POWER},
    "condition met by a ceiling": {"if": {"of": POWER, "at_most": "178.8 kW"}, "then": {"of": CHAT, "at_most": "40 kW"}},
    "condition met by a floor": {"if": {"of": POWER, "at_least": "179 kW"}, "then": {"of": CHAT, "at_least": "51 kW"}},
    "a fixed power": {"fix": "180 kW", "of": POWER},
    "a required power": {"require": CHAT},
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_rules_on_power_hold_what_they_say(name: str) -> None:
    inst = load("tiny/rules", overrides={"rules": {**NO_RULES, "one": {**RULES[name], **OWNED}}})
    found = enumerate_candidates(inst)
    expected = nondominated(values(inst, legal_designs(inst, found), OBJECTIVES))
    assert expected
    assert points(frontier(inst, found, OBJECTIVES)) == expected
    assert points(frontier(inst, found, OBJECTIVES, pruned=False)) == expected


def test_no_pod_below_a_floor_is_taken_for_one_that_reaches_it() -> None:
    rule = {"at_least": "179 kW", "of": POWER, **OWNED}
    plain = load("tiny/rules", overrides={"rules": NO_RULES})
    ruled = load("tiny/rules", overrides={"rules": {**NO_RULES, "one": rule}})
    train = next(p for p in enumerate_candidates(plain).placements if p.cluster == "train")
    below = train.facility_power(PowerFigure.DESIGN) < 179e3
    assert (below & (train.facility_power(PowerFigure.DESIGN) > 178e3)).any()
    least = [min(points(frontier(one, enumerate_candidates(one), ("power",)))) for one in (plain, ruled)]
    assert least[0] < least[1]


@pytest.mark.parametrize("kind", ["forbid", "require"])
def test_nothing_is_too_cheap_to_count(kind: str, tmp_path: Path) -> None:
    """A rack PDU of one dollar: the spend of every pod rounds to nothing."""
    (tmp_path / "power_components.csv").write_text("id,price_usd_low,price_usd_high\nrpdu_34k,1,1\n")
    (tmp_path / "case.yaml").write_text("extends: tiny/rules\ncatalogues: [.]\n")
    rule = {kind: {"measure": "spend", "part": "rpdu_34k", "cluster": "train"}, **OWNED}
    inst = load(tmp_path / "case.yaml", overrides={"rules": {**NO_RULES, "one": rule}})
    if kind == "forbid":  # every node rack has one
        with pytest.raises(InfeasibleError):
            solve(inst, OBJECTIVES)
    else:
        assert solve(inst, OBJECTIVES).points
