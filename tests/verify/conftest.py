"""Solved runs of the tiny instances, solved once, and ways to tamper with a copy of one."""

from __future__ import annotations

import copy
import functools
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from models.instance import Instance
from models.loading import load
from optimizer.design import Design
from optimizer.solve import solve
from optimizer.store import read_inputs, table_text
from optimizer.whole_file import write_json, write_text

Data = dict[str, Any]


def _space(**fields: Any) -> Data:
    return {"workloads": {"train": {"design_space": fields}}}


_LIMITS = {
    "capex": "900 MUSD", "opex": "900 MUSD", "tco": "950 MUSD", "power": "1.9 MW", "carbon": "90000 t", "floor": 50,
    "throughput": "2400000 token/s", "goodput": 0.9,
}  # fmt: skip
_MONEY = {"price_basis": "high", "freight": 0.01, "duty": 0.03, "tax": 0.08}
_ALL = ("capex", "carbon", "floor", "goodput")
_FABRIC = {"rail_optimised": False, "tiers": [1, 2, 3], "oversubscription": [1, 2, 4, 7], "wasted_ports_at_most": 0.2}
_PAIRS = {"ups": {"equipment": [{"part": "ups_1500k", "redundancy": "2n", "loading": 0.1}]}}
_RACK_SCALE = {"systems": ["gb200_nvl72", "helios"], "frames": ["mgx", "orw"], "cooling": ["liquid"]}

_MAPPING = {"workloads": {"train": {"throughput": "mapping", "global_batch": "4.194304 Mtoken"}}}

_LOAN = {
    "freight": 0.02, "duty": 0.01, "financing": {"share": "60 %", "rate": "7 %", "term": "4 years"},
    "residual_value": {"decline_per_year": "30 %", "at_least": "5 %"},
}  # fmt: skip
_BLOCKS = {
    "power": {
        "ups": None,
        "catcher": {
            "topology": "block_redundant", "needed": 2, "of": 3, "small_racks": "20 kW",
            "block": [{"part": "ups_1500k", "loading": 0.1, "curve": "ups_dc"}],
            "loading_range": {"least": 0.02, "most": 0.2},
        },
        "three_to_make_two": {
            "topology": "distributed", "needed": 2, "of": 3, "small_racks": "20 kW",
            "block": [{"part": "ups_1500k", "loading": 0.06}, {"part": "xfmr_3000", "loading": 0.5}],
        },
    }
}  # fmt: skip

VARIANTS: dict[str, tuple[str, Data, tuple[str, ...] | None]] = {
    "blocks-serving": ("serving", {"sites": {"hall": _BLOCKS}}, ("tco", "throughput")),
    "doors": ("thermal-rear-door", _space(cooling=["rear_door"]), None),
    "pairs": ("performance", {"sites": {"hall": {"power": _PAIRS}}}, None),
    "plain": ("performance", _space(fabric=_FABRIC), None),
    "limits": ("performance", {"limits": _LIMITS, "money": _MONEY}, _ALL),
    "mapping": ("performance", _MAPPING, None),
    "orders": ("sourcing", {"money": _LOAN, "limits": {"lead_time": "200 days", "concentration": "40 MUSD"}}, None),
    "arrivals": ("supply", {}, ("capex", "lead_time", "throughput")),
    "vendors": ("sourcing", {"sourcing": {"shares": {"each": {"at_most": "70 %"}}}}, ("concentration", "throughput")),
    "ruled": ("rules", {}, ("tco", "throughput_x_demand", "concentration")),
    "serving-goodput": ("serving", {}, ("tco", "goodput")),
    "two-goodputs": ("two-clusters", {}, ("tco", "goodput", "throughput:train")),
    "rack-scale": (
        "thermal-liquid",
        _space(
            **_RACK_SCALE,
            preliminary_parts=True,
            fabric={"switches": None, "media": None, "tiers": [2, 3], "speeds": ["400 Gbit/s", "800 Gbit/s"]},
            sizes={"smallest": 144, "largest": 432, "step": 72},
        ),
        None,
    ),
}


def solved(folder: Path, name: str) -> Path:
    """A run folder with the exact frontier of a tiny instance, or of a variant of one."""
    base, overrides, objectives = VARIANTS.get(name, (name, {}, None))
    solve(load(f"tiny/{base}", overrides=overrides), objectives, "exact", out=folder)
    return folder


class Copy:
    """A copy of a run that a test may tamper with."""

    def __init__(self, run: Path) -> None:
        self.path = run

    @property
    def designs(self) -> list[Data]:
        text = (self.path / "designs.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def write_designs(self, designs: list[Data]) -> None:
        """Writes the designs, and the tables made from them, so that only recomputation can tell."""
        from optimizer.frontier import Frontier
        from optimizer.store import read_frontier

        whole = read_frontier(self.path)
        points = tuple(Design.from_json(json.dumps(data)) for data in designs)
        changed = Frontier(**{**{n: getattr(whole, n) for n in whole.__dataclass_fields__}, "points": points})
        write_text(self.path / "designs.jsonl", "".join(f"{d.to_json()}\n" for d in points))
        write_text(self.path / "frontier.csv", table_text(changed.rows()))
        lines = [{"design_id": d.design_id, **asdict(line)} for d in points for line in d.bom]
        write_text(self.path / "bom.csv", table_text(lines))
        write_text(self.path / "spend.csv", table_text([line.row(d.design_id) for d in points for line in d.spend]))
        (self.path / "frontier.parquet").unlink(missing_ok=True)

    def change(self, mutate: Callable[[Data], None]) -> tuple[str, str]:
        """Changes, everywhere, the first design that the case applies to; its id before and after."""
        designs = self.designs
        for data in designs:
            before = copy.deepcopy(data)
            mutate(data)
            if data != before:
                self.write_designs(designs)
                return str(before["design_id"]), str(data["design_id"])
        raise AssertionError("the case changes nothing")

    def change_json(self, name: str, mutate: Callable[[Data], None]) -> None:
        """Changes one JSON file."""
        data = json.loads((self.path / name).read_text(encoding="utf-8"))
        mutate(data)
        write_json(self.path / name, data)

    def change_text(self, name: str, mutate: Callable[[str], str]) -> None:
        """Changes one text file."""
        text = (self.path / name).read_text(encoding="utf-8")
        changed = mutate(text)
        assert changed != text, "the case changes nothing"
        (self.path / name).write_text(changed, encoding="utf-8")


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The run of a tiny instance, solved when first asked for."""
    root = tmp_path_factory.mktemp("runs")
    done: dict[str, Path] = {}

    def run(name: str) -> Path:
        if name not in done:
            done[name] = solved(root / name, name)
        return done[name]

    return run


@pytest.fixture(scope="session")
def inputs(runs: Callable[[str], Path]) -> Callable[[str], Instance]:
    """The inputs of a run, parsed once for all cases that leave them alone."""
    return functools.cache(lambda name: read_inputs(runs(name)))


@pytest.fixture
def tampered(runs: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Copy]:
    """A private copy of the run of a tiny instance."""

    def make(name: str) -> Copy:
        target = tmp_path / name
        shutil.copytree(runs(name), target)
        return Copy(target)

    return make
