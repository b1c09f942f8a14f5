"""A 12 MW hall of liquid-cooled ORv3 racks with three vendors' quotes, worked by hand as one would in a spreadsheet.

Every expected figure is arithmetic on numbers that stand in the instance, its own catalogue folder, or the rows named beside it.
"""

from __future__ import annotations

import csv
from math import ceil, sqrt
from pathlib import Path

import pytest

from models.errors import InfeasibleError, InstanceError
from models.loading import load
from optimizer.design import Design
from optimizer.frontier import Frontier
from optimizer.solve import solve
from optimizer.store import read_inputs
from optimizer.verify import verify_run

HALL = Path(__file__).parent.parent / "data" / "instances" / "training_hall" / "hall.yaml"
NODES, SWITCHES, ENDS = 256, 48, 4096
NODE_MAX, NODE_TYPICAL = 16_200, 13_600
RATE = 0.09
ANNUITY = (1 - (1 + RATE) ** -5) / RATE


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Frontier, Path]:
    out = tmp_path_factory.mktemp("hall") / "run"
    return solve(load(str(HALL)), ["tco", "throughput"], out=out), out


@pytest.fixture(scope="module")
def design(run: tuple[Frontier, Path]) -> Design:
    """The cheapest design of 2048 accelerators without oversubscription: 32 leaves and 16 spines."""
    points = [p for p in run[0].points if p.choices["train.accelerators"] == 8 * NODES]
    return next(p for p in points if p.choices["train.oversubscription"] == "1")


def test_the_hall_is_confirmed_from_its_folder(run: tuple[Frontier, Path]) -> None:
    frontier, out = run
    assert not verify_run(out).findings
    # the folder's own table has fewer columns than the shipped one: its rows are the same input all the same
    assert read_inputs(out).fingerprint == frontier.fingerprint


def test_power_and_heat(design: Design) -> None:
    # design power is typical and nine tenths of the way to nameplate; th5_64x800 1066 to 1684 W, aoc_800 14 W an end
    node = NODE_TYPICAL + 0.9 * (NODE_MAX - NODE_TYPICAL)
    switches = SWITCHES * (1066 + 0.9 * (1684 - 1066)) + ENDS * 14
    it = NODES * node + switches
    liquid = 0.82 * NODES * node
    air = it - liquid
    # pumps: PG25 carries 3.927 kJ per litre and kelvin; 10 K, 200 kPa, 55 %
    pumps = 200e3 / (3.927e6 * 10) / 0.55
    # peak of the coolers: 26 degC without spraying leaves 10 K of 6 K: fans at 0.6; pumps of the cooler 1 %
    coolers = (1 + pumps) * (0.02 * 0.6**3 + 0.01)
    facility = it / (0.97 * 0.99) + air * (24 + 120) / 1e3 + liquid * (pumps + coolers)
    assert design.figures["it_kw"] == pytest.approx(it / 1e3, abs=1e-6)
    assert design.figures["power_kw"] == pytest.approx(facility / 1e3, rel=1e-6)
    units = {p.part: p.units for p in design.plant}
    # 600 kW fan walls and 1.5 MW chillers with one more; CDUs of 1350 x 4/5 kW in fours of which three carry
    assert units["crah_fanwall"] == ceil(air / 600e3) + 1
    assert units["chiller_air"] == ceil(air / 1500e3) + 1
    assert units["cdu_inrow_1350"] == 4 * ceil(liquid / (3 * 1350e3 * 4 / 5))
    assert units["dry_cooler"] == ceil(liquid * (1 + pumps) / 2000e3) + 1
    assert (units["ups_1500k"], units["xfmr_3000"]) == (2 * ceil(it / 1350e3), 2 * ceil(it / 3000e3))
    # the adiabatic coolers spray in 60 of 8760 hours: 10.2 K of air, fans at 6/10.2, a rise of 10 K, 2.43 MJ a litre
    used = design.pods[0].liquid_w[3] * (1 + pumps)
    litres = 6 / 10.2 * 10.2 / 10 / 2.43e6 * used * 60 / 8760 * 8766 * 3600
    assert design.figures["water_m3_per_year"] == pytest.approx(litres / 1e3, rel=1e-6)
    assert design.figures["floor_racks"] == 64 + 6 + 2 * 8


def test_the_rack_on_its_feeds(design: Design) -> None:
    rack, pod = design.pods[0].rack, design.pods[0]
    whip = sqrt(3) * 415 * 60 * 0.8
    assert (pod.systems_per_rack, pod.distribution, pod.distribution_per_rack) == (4, "orv3_shelf_33k", 4)
    # two shelves a feed: 110 kW with their reserve kept, 66 kW with a feed lost, each on a whip of 34.5 kW: 64.8 kW live
    assert (rack["supplies_reserve_w"], rack["supplies_feed_lost_w"]) == (4 * 27.5e3, 2 * 33e3)
    assert whip > 33e3
    assert (rack["one_feed_w"], rack["feed_loss_remedy"], rack["batteries"]) == (4 * NODE_MAX, "none", 0)
    assert rack["line_one_feed_a"] == pytest.approx(4 * NODE_MAX / 2 / sqrt(3) / 415)
    assert rack["line_limit_a"] == pytest.approx(33e3 / sqrt(3) / 415)


def test_orders_to_the_cent(design: Design) -> None:
    orders = {one.quote: one for one in design.orders}
    # B may have three quarters; its units from 150 on are cheaper than A's
    units_b = NODES * 3 // 4
    euro = 1.09
    b = 149 * 352_000 * euro + (units_b - 149) * 334_000 * euro
    a = (NODES - units_b) * 380_000
    assert (orders["a_nodes"].units, orders["b_nodes"].units) == (NODES - units_b, units_b)
    assert orders["b_nodes"].goods_usd == pytest.approx(b, abs=0.005)
    assert orders["a_nodes"].goods_usd == pytest.approx(a, abs=0.005)
    # 64 switches at 53,000 cost more than 48 at 61,000, and a bundle of 32 with optics more than both
    assert (orders["c_switches"].units, orders["c_switches"].goods_usd) == (48, 48 * 61_000)
    assert [orders[q].arrives for q in ("c_switches", "a_nodes", "b_nodes")] == [
        "2027-02-15",
        "2027-03-01",
        "2027-03-15",
    ]


def test_the_ledger_and_carbon(run: tuple[Frontier, Path], design: Design) -> None:
    bom: dict[str, float] = {}
    for line in design.bom:
        bom[line.layer] = bom.get(line.layer, 0.0) + line.cost_usd
    goods = sum(bom.values())
    racks = 64 * 6_500 + 64 * 4 * 7_500 + 6 * (5_250 + 2 * 2_800)
    plant = 3 * 195_000 + 2 * 637_500 + 8 * 1_350 * 155 + 3 * 260_000 + 4 * 195_000 + 8 * 450_000
    parts = sum(one.goods_usd for one in design.orders) + racks + ENDS * 600 + plant
    assert goods == pytest.approx(parts, abs=0.01)
    capex = 1.02 * parts + 350_000
    energy = design.figures["in_use_kw"] * 8766
    growing = (1 - (1.02 / (1 + RATE)) ** 5) / (RATE - 0.02)
    opex = 0.04 * 1.02 * parts * growing + energy * 0.065 * ANNUITY
    loan = 0.7 * capex * (ANNUITY / ((1 - 1.06**-5) / 0.06) - 1)
    residual = parts * 0.65**5 / (1 + RATE) ** 5
    assert design.figures["capex_usd"] == pytest.approx(capex, abs=0.01)
    assert design.figures["opex_usd"] == pytest.approx(opex, rel=1e-9)
    assert design.figures["financing_usd"] == pytest.approx(loan, rel=1e-9)
    assert design.figures["residual_usd"] == pytest.approx(residual, rel=1e-9)
    assert design.figures["tco_usd"] == pytest.approx(capex + opex + loan - residual, rel=1e-9)
    assert design.figures["carbon_t"] == pytest.approx(energy * 5 * 0.2 / 1e3 + 8 * NODES * 1.5, rel=1e-9)
    with (run[1] / "spend.csv").open(encoding="utf-8", newline="") as file:
        lines = [row for row in csv.DictReader(file) if row["design_id"] == design.design_id]
    assert sum(round(float(row["amount_usd"] or 0) * 100) for row in lines) == round(design.objectives["tco_usd"] * 100)


def test_idle_servers_do_not_meet_a_share(run: tuple[Frontier, Path]) -> None:
    """One ODM builds all of `mi355x_dlc`: idle servers of others would bring its share below the cap, at tens of millions."""
    for point in run[0].points:
        assert point.choices["train.system"] == "odm_mi355x_orv3"
        assert not any(line.layer == "surplus" for line in point.bom)


def test_a_clash_with_a_share_speaks_of_the_share() -> None:
    """In silicon all of the hall is of one maker, so that no design keeps the cap."""
    cap = {"layer": "silicon", "measure": "units", "at_most": "75 %"}
    small = {"design_space": {"sizes": {"smallest": 1024, "largest": 1024, "step": 512}}}
    overrides = {"sourcing": {"shares": {"cap": cap}}, "workloads": {"train": small}}
    with pytest.raises(
        InfeasibleError, match=r"at_most asks any vendor at most 75 % of silicon units .sourcing.share_at_most.cap,AMD"
    ) as found:
        solve(load(str(HALL), overrides=overrides), ["tco"])
    assert "256 units beyond it" in str(found.value)


def test_a_share_is_not_above_itself() -> None:
    cap = {"layer": "odm", "vendor": "ODM A", "at_most": "20 %", "at_least": "60 %"}
    with pytest.raises(InstanceError, match=r"`at_least` 0.6 is above `at_most` 0.2"):
        load(str(HALL), overrides={"sourcing": {"shares": {"cap": cap}}})
