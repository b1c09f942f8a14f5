"""Two tiny runs compared: cells, designs, splits and the decision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.loading import load
from optimizer.diff.inputs import Between, changed_inputs
from optimizer.diff.runs import diff, diff_runs
from optimizer.frontier import Frontier
from optimizer.solve import solve

OBJECTIVES = ["tco", "power"]
CHANGES: dict[str, Any] = {
    "workloads": {"train": {"deadline": "20 days"}},
    "money": {"freight": "5 %"},
    "assumptions": {"discount_rate": 0.05},
}


def _solved(overrides: dict[str, Any] | None = None, out: Path | None = None) -> tuple[Frontier, Any]:
    instance = load("tiny/performance", overrides=overrides)
    return solve(instance, OBJECTIVES, "exact", out=out), instance


def test_every_changed_cell_is_named_and_the_parts_sum_to_the_change() -> None:
    before, after = _solved(), _solved(CHANGES)
    found = diff(before, after)
    assert {c.path.removesuffix(".value") for c in found.inputs} == {
        "workloads.train.deadline",
        "money.freight",
        "assumptions.discount_rate",
    } | {f"assumptions.discount_rate.{k}" for k in ("owner", "reason")}
    assert found.complete
    for told in found.splits:
        ends = [min(d.objectives[told.column] for d in side[0].points) for side in (before, after)]
        assert [told.before, told.after] == ends
        assert told.parts is not None
        assert sum(told.parts.values()) == told.after - told.before  # type: ignore[operator]
        assert told.method == "shapley"
    mine, theirs = ({d.design_id for d in side[0].points} for side in (before, after))
    assert {d.design_id for d in found.gained} == theirs - mine
    assert {d.design_id for d in found.lost} == mine - theirs
    assert found.same + len(found.moved) == len(mine & theirs)
    assert found.decision is not None
    best = [min(side[0].points, key=lambda d: d.objectives["tco_usd"]).design_id for side in (before, after)]
    assert found.decision.moved == (best[0] != best[1])


def test_instances_between_two_are_those_with_the_changes_made() -> None:
    first, second = load("tiny/performance"), load("tiny/performance", overrides=CHANGES)
    changes = changed_inputs(first, second)
    between = Between(first, second, changes)
    assert between.at(()) is first
    assert between.at({c.group for c in changes}) is second
    half = between.at({"workloads.train.deadline"})
    meant = load("tiny/performance", overrides={"workloads": CHANGES["workloads"]})
    assert half.document == meant.document
    assert half.catalogue.parts == meant.catalogue.parts
    assert half.catalogue.constants == meant.catalogue.constants


def test_a_changed_catalogue_cell_is_found_and_split(tmp_path: Path) -> None:
    folder = tmp_path / "quotes"
    folder.mkdir()
    (folder / "systems.csv").write_text(
        "id,price_usd_low,price_usd_high,source,confidence\nmi300x_8u,150000,200000,a quote,quote\n"
    )
    cheaper = tmp_path / "cheaper.yaml"
    cheaper.write_text(f"extends: tiny/performance\nname: performance\ncatalogues: [{folder}]\n")
    runs = [tmp_path / "a", tmp_path / "b"]
    solve(load("tiny/performance"), OBJECTIVES, "exact", out=runs[0])
    solve(load(cheaper), OBJECTIVES, "exact", out=runs[1])
    found = diff_runs(*runs)
    assert {c.path for c in found.inputs if "price" in c.path} == {
        "catalogue.systems.csv.mi300x_8u.price_usd_low",
        "catalogue.systems.csv.mi300x_8u.price_usd_high",
    }
    told = {s.objective: s for s in found.splits}
    assert set(told["tco"].parts or {}) == {"catalogue.systems.csv.mi300x_8u"}
    assert told["tco"].after < told["tco"].before  # type: ignore[operator]
    assert told["power"].parts == {"catalogue.systems.csv.mi300x_8u": 0}


def test_a_run_does_not_differ_from_itself(tmp_path: Path) -> None:
    solve(load("tiny/space"), OBJECTIVES, out=tmp_path / "a")
    found = diff_runs(tmp_path / "a", tmp_path / "a")
    assert not (found.inputs or found.gained or found.lost or found.moved)
    assert found.decision is not None
    assert not found.decision.moved


@pytest.mark.parametrize("arguments", [("--json",), ()])
def test_the_command(arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from optimizer.cli import main

    _solved(out=tmp_path / "a")
    _solved(CHANGES, out=tmp_path / "b")
    with pytest.raises(SystemExit) as stop:
        main(["diff", str(tmp_path / "a"), str(tmp_path / "b"), *arguments])
    assert stop.value.code == 0
    assert "workloads.train.deadline" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("tiny/sourcing", {"quotes": {"north": {"tiers": [{"at_least": 1, "price": "290123.45 USD"}]}, "south": {"one_off": "60 kUSD"}}}),
        ("tiny/two-clusters", {"workloads": {"chat": {"rate": "120 ktoken/s"}}, "sites": {"hall": {"utility": "260 kW"}},
                               "money": {"freight": "2 %"}}),
    ],
)  # fmt: skip
def test_parts_sum_with_quotes_and_with_several_clusters(name: str, changes: dict[str, Any]) -> None:
    sides = []
    for overrides in (None, changes):
        instance = load(name, overrides=overrides)
        sides.append((solve(instance, OBJECTIVES, "exact"), instance))
    found = diff(sides[0], sides[1])
    for told in found.splits:
        ends = [min(d.objectives[told.column] for d in side[0].points) for side in sides]
        assert [told.before, told.after] == ends
        assert told.parts is not None
        assert sum(told.parts.values()) == told.after - told.before  # type: ignore[operator]
    assert {path.split(".")[0] for path in {c.path for c in found.inputs}} == set(changes)
