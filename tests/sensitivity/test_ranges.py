"""Uncertain inputs: answers of the one program are those of the instance with the value in it; samples resume exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.errors import UsageError
from models.instance import Instance
from models.loading import load
from models.parts.part import PriceRange
from optimizer.sensitivity.global_indices import global_indices
from optimizer.sensitivity.ranges import read_range
from optimizer.sensitivity.repricing import find_part, priced_at, with_part
from optimizer.sensitivity.tornado import tornado
from optimizer.sensitivity.uncertain import Uncertain
from optimizer.solve import solve

ROUNDING = 20e3
"""USD: the program of an instance rounds each coefficient to 1 kUSD, the one with free weights does not."""


def _least(instance: Instance) -> float:
    return solve(instance, ["tco"], "exact").points[0].objectives["tco_usd"]


@pytest.mark.parametrize("name", ["tiny/performance", "tiny/two-clusters", "tiny/thermal-liquid"])
def test_a_value_in_the_program_is_that_value_in_the_instance(name: str) -> None:
    instance = load(name)
    asked = Uncertain(instance)
    assert asked.at({}).tco == pytest.approx(_least(instance), abs=1.0)
    stated: dict[str, Any] = {"assumptions.discount_rate": 0.03, "assumptions.maintenance_per_year": 0.12}
    for path, value in stated.items():
        changed = load(name, overrides={"assumptions": {path.split(".")[1]: value}})
        assert asked.at({path: value}).tco == pytest.approx(_least(changed), abs=ROUNDING)
    for part in ("mi300x_8u", "dgx_h100"):
        key = f"catalogue.{part}.price"
        if key in asked.ranges:
            low = asked.ranges[key].low * 0.8
            changed = with_part(instance, priced_at(find_part(instance, part), PriceRange(low, low)))
            assert asked.at({key: low}).tco == pytest.approx(_least(changed), abs=ROUNDING)


def test_fields_with_a_range_of_the_caller() -> None:
    instance = load("tiny/performance")
    ranges = [
        read_range(instance, "workloads.train.deadline = 20..40 days"),
        read_range(instance, "sites.hall.electricity_price=0.05..0.2 USD/kWh"),
        read_range(instance, "money.horizon=3 years..6 years"),
        read_range(instance, "sites.hall.shell_cost=2..9 USD/W"),
    ]
    asked = Uncertain(instance, ranges)
    changes: dict[str, dict[str, Any]] = {
        "workloads.train.deadline": {"workloads": {"train": {"deadline": "20 days"}}},
        "sites.hall.electricity_price": {"sites": {"hall": {"electricity_price": "0.05 USD/kWh"}}},
        "money.horizon": {"money": {"horizon": "3 years"}},
        "sites.hall.shell_cost": {"sites": {"hall": {"shell_cost": "2 USD/W"}}},
    }
    for known in ranges:
        changed = load("tiny/performance", overrides=changes[known.name])
        assert asked.at({known.name: known.low}).tco == pytest.approx(_least(changed), abs=ROUNDING)


@pytest.mark.parametrize("text", ["discount", "assumptions.discount_rat=0.1..0.2", "money.horizon=6..3 years"])
def test_bad_ranges_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--range"):
        read_range(load("tiny/performance"), text)


def test_bars_hold_both_ends_and_the_regret_of_keeping() -> None:
    instance = load("tiny/performance")
    found = tornado(instance, given=[read_range(instance, "workloads.train.deadline=20..40 days")])
    assert found.proven
    assert [b.swing for b in found.bars] == sorted((b.swing for b in found.bars), reverse=True)
    asked = Uncertain(instance)
    for bar in found.bars:
        for end in (bar.low, bar.high):
            assert end.best is not None
            if bar.name in asked.ranges:
                assert end.best == pytest.approx(asked.at({bar.name: end.value}).tco, abs=1.0)
            if end.kept is not None:
                assert end.kept >= end.best - 1.0
                assert end.regret is not None
                assert (end.regret > 1.0) == end.moved
    deadline = next(b for b in found.bars if b.name.endswith("deadline"))
    assert deadline.low.kept is None
    assert deadline.decides


def test_workers_change_nothing() -> None:
    instance = load("tiny/performance")
    one, two = tornado(instance), tornado(instance, workers=2)
    assert one.bars == two.bars


@pytest.mark.parametrize(("method", "size"), [("sobol", 4), ("morris", 3)])
def test_a_run_that_was_stopped_goes_on_to_the_same_indices(method: str, size: int, tmp_path: Path) -> None:
    pytest.importorskip("SALib")
    instance = load("tiny/performance")
    inputs = ["catalogue.mi300x_8u.price", "assumptions.maintenance_per_year", "catalogue.qm9700.price"]
    whole = global_indices(instance, method, size=size, inputs=inputs, seed=0)
    assert whole.complete
    calls = []

    def stop() -> bool:
        calls.append(1)
        return len(calls) > 5

    file = tmp_path / "samples.jsonl"
    part = global_indices(instance, method, size=size, inputs=inputs, seed=0, samples=file, stop=stop)
    assert not part.complete
    assert part.samples == 5
    with file.open("a") as stream:
        stream.write('{"outputs": {"tco')  # a line the interrupted process did not finish
    rest = global_indices(instance, method, size=size, inputs=inputs, seed=0, samples=file, resume=True)
    assert rest.resumed == 5
    assert rest.indices == whole.indices
    assert rest.decisions == whole.decisions
    assert json.loads(file.read_text().splitlines()[0])["seed"] == 0
    with pytest.raises(UsageError, match="another question"):
        global_indices(instance, method, size=size, inputs=inputs, seed=8, samples=file, resume=True)
    with pytest.raises(UsageError, match="--resume"):
        global_indices(instance, method, size=size, inputs=inputs, seed=0, samples=file)


def test_shares_of_variance_single_out_what_varies_most() -> None:
    pytest.importorskip("SALib")
    instance = load("tiny/performance")
    inputs = ["catalogue.mi300x_8u.price", "catalogue.eia48.price"]
    found = global_indices(instance, "sobol", size=32, inputs=inputs)
    of_cost = {i.name: i for i in found.indices if i.output == "tco_usd"}
    assert of_cost[inputs[0]].total > 0.9
    assert of_cost[inputs[1]].total < 0.1


def test_a_missing_extra_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "SALib" else known(name))
    with pytest.raises(UsageError, match=r"refarch\[study\]"):
        global_indices(load("tiny/performance"))
