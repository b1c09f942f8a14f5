"""Plant options from catalogue rows, weather and loops: the worked CDU group, derating by the design day, refusals with reasons."""

from pathlib import Path

import numpy as np
import pytest

from models.candidates.climate import bins_of, heat_sink, supply_of
from models.candidates.plant import Combination, plant_options
from models.errors import InstanceError
from models.loading import load
from models.physics.cooling_plant import CoolingLoop, Rejection, RejectionPlant, site_effectiveness
from models.policy import PowerFigure
from models.site import Chain

WEATHER = {
    "bins": [
        {"dry_bulb": "10 degC", "wet_bulb": "7 degC", "hours": 5000},
        {"dry_bulb": "25 degC", "wet_bulb": "17 degC", "hours": 3700},
        {"dry_bulb": "33 degC", "wet_bulb": "22 degC", "hours": 50},
        {"dry_bulb": "38 degC", "wet_bulb": "23 degC", "hours": 10},
    ]
}
WORKED = {"rise": "10 K", "approach": "4 K", "rated_approach": "5 K", "pressure": "2 bar", "flow_limit": "900 L/min",
          "pump_efficiency": 0.55}  # fmt: skip


def site(**fields):
    return load("tiny/thermal-liquid", overrides={"sites": {"hall": fields}})


def options(inst, chain):
    found, refused = plant_options(inst, "hall")
    return {o.id: o for o in found[chain]}, {r.item: r.reason for r in refused}


def liquid(*equipment, weather=WEATHER, **fields):
    built = {"small_cdus": None, "large_cdu": None, "one": {"equipment": list(equipment), **fields}}
    return site(liquid=built, **({} if weather is None else {"weather": weather}))


def test_the_worked_cdu_group(tmp_path: Path):
    """docs/worked-examples.md: CDUs of 600 kW at 5 K used at 4 K carry 480 kW; four of them 1,221 kW with one out."""
    (tmp_path / "cooling.csv").write_text(
        "id,kind,name,capacity_kw,power_w_per_kw_cooled,price_usd_per_kw_low,price_usd_per_kw_high,source,confidence\n"
        "worked,cdu,worked example,600,10,100,100,worked example,unverified\n",
        encoding="utf-8",
    )
    (tmp_path / "case.yaml").write_text(
        "extends: tiny/thermal-liquid\nname: case\ncatalogues: ['.']\nsites:\n  hall:\n    liquid:\n      small_cdus: null\n"
        "      large_cdu: null\n      four:\n        equipment:\n          - {part: worked, redundancy: n+1, group: 4, loop: "
        "{rise: 10 K, approach: 4 K, rated_approach: 5 K, pressure: 2 bar, flow_limit: 900 L/min, pump_efficiency: 0.55}}\n",
        encoding="utf-8",
    )
    (unit,) = options(load(tmp_path / "case.yaml"), Chain.LIQUID)[0]["four"].units
    assert unit.step == 4
    assert unit.capacity == pytest.approx(3 * 480e3)
    share = options(load(tmp_path / "case.yaml"), Chain.LIQUID)[0]["four"].share(PowerFigure.TYPICAL)
    assert share * 1_221_200 == pytest.approx(11_308, abs=1)


@pytest.mark.parametrize(
    ("change", "capacity"),
    [
        ({}, 480e3),
        ({"flow_limit": "600 L/min"}, 600 / 60e3 * 1020 * 3850 * 10),
        ({"pump_curve": [{"flow": "400 L/min", "pressure": "4 bar"}, {"flow": "800 L/min", "pressure": "1 bar"}]},
         (400 + 400 * 2 / 3) / 60e3 * 1020 * 3850 * 10),
        ({"rise": "2 K"}, 900 / 60e3 * 1020 * 3850 * 2),
    ],
)  # fmt: skip
def test_a_loop_ends_at_exchanger_flow_or_pump(change, capacity):
    use = {"part": "cdu_inrow_1350", "redundancy": "n", "loading": 600 / 1350, "loop": {**WORKED, **change}}
    (unit,) = options(liquid(use), Chain.LIQUID)[0]["one"].units
    assert unit.capacity == pytest.approx(capacity, rel=1e-9)


def dry(**rejection):
    return {
        "part": "dry_cooler",
        "redundancy": "n",
        "rejection": {"kind": "dry-cooler", "approach": "8 K", **rejection},
    }


def test_the_design_day_derates_a_dry_cooler_and_the_hottest_hours_do_not_count():
    (unit,) = options(liquid(dry(), supply_temperature="37 degC"), Chain.LIQUID)[0]["one"].units
    assert unit.capacity == pytest.approx(2e6 * (37 - 33) / 8)
    allowed = {**WEATHER, "exceeded": 0}
    found, refused = options(liquid(dry(), supply_temperature="37 degC", weather=allowed), Chain.LIQUID)
    assert "one" not in found
    assert "leaves no approach below a supply of 37 degC" in refused["liquid=one"]


def test_a_tower_follows_the_wet_bulb_and_drinks():
    tower = {"part": "dry_cooler", "redundancy": "n", "rejection": {"kind": "cooling-tower", "approach": "6 K"}}
    option = options(liquid(tower, supply_temperature="30 degC"), Chain.LIQUID)[0]["one"]
    assert option.units[0].capacity == pytest.approx(2e6)
    assert option.water * 3.6e6 == pytest.approx(0.9 / 2.43 * 3.6 * 1.25, rel=1e-9)  # latent share, 5 cycles
    assert options(liquid(dry(), supply_temperature="45 degC"), Chain.LIQUID)[0]["one"].water == 0


def test_a_chiller_trims_what_the_cooler_leaves():
    chiller = {"part": "chiller_air", "redundancy": "n", "rejection": {"kind": "chiller"}}
    option = options(liquid(dry(), chiller, supply_temperature="37 degC"), Chain.LIQUID)[0]["one"]
    by_part = {unit.part: unit.capacity for unit in option.units}
    assert by_part["dry_cooler"] == pytest.approx(2e6)
    assert by_part["chiller_air"] == pytest.approx(1.5e6 / 0.5)  # half of the heat on the design day
    assert option.share(PowerFigure.DESIGN) > option.share(PowerFigure.TYPICAL) > 0
    warm = options(liquid(dry(), chiller, supply_temperature="45 degC"), Chain.LIQUID)[0]["one"]
    assert [unit.part for unit in warm.units] == ["dry_cooler"]  # nothing is left for the chiller


def test_shares_and_water_are_those_of_the_yearly_model():
    inst = liquid(
        {"part": "cdu_inrow_1350", "redundancy": "n"},
        {"part": "dry_cooler", "redundancy": "n", "rejection": {"kind": "cooling-tower", "approach": "6 K"}},
        supply_temperature="30 degC",
        weather={**WEATHER, "exceeded": 0},
    )
    option = options(inst, Chain.LIQUID)[0]["one"]
    plant = RejectionPlant(Rejection.TOWER, approach=6.0)
    year = site_effectiveness([CoolingLoop(1.0, 30.0, plant, 15.2e-3)], bins_of(inst.sites["hall"].weather))
    assert option.share(PowerFigure.TYPICAL) == pytest.approx(year.pue - 1)
    assert option.water == pytest.approx(year.wue)
    assert option.share(PowerFigure.DESIGN) == pytest.approx(year.peak_pue - 1)


def test_without_weather_the_stated_shares_hold():
    option = options(site(), Chain.LIQUID)[0]["large_cdu"]
    assert option.shares == pytest.approx((15.2e-3 + 12.5e-3,) * 4)
    assert option.water == 0


@pytest.mark.parametrize(
    ("supply", "found"),
    [({"supply_class": "W32"}, 32.0), ({"supply_class": "S40"}, 36.0), ({"supply_temperature": "35 degC"}, 35.0),
     ({"supply_class": "W4"}, 45.0)],
)  # fmt: skip
def test_classes_give_the_supply(supply, found):
    cdu = {"part": "cdu_inrow_1350", "redundancy": "n", "loop": WORKED}
    assert supply_of(liquid(cdu, **supply).sites["hall"].liquid["one"]) == found


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"supply_temperature": "40 degC", "supply_class": "S40"}, "warmer than the 36 degC of class S40"),
        ({"supply_temperature": "50 degC"}, "cdu_inrow_1350 runs at up to 52 degC, its supply would be 54 degC"),
    ],
)
def test_too_warm_a_supply_is_refused(fields, reason):
    cdu = {"part": "cdu_inrow_1350", "redundancy": "n", "loop": WORKED}
    assert reason in options(liquid(cdu, **fields), Chain.LIQUID)[1]["liquid=one"]


BLOCK = [{"part": "ups_1500k"}]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"liquid": {"one": {"equipment": [dry()]}}}, "supply_temperature"),
        ({"liquid": {"one": {"equipment": [dry()], "supply_temperature": "30 degC"}}}, "weather"),
        ({"liquid": {"one": {"equipment": [dry()], "supply_class": "W33"}}}, "unknown liquid class"),
        ({"power": {"one": {"topology": "distributed", "needed": 2, "of": 4, "block": BLOCK}}}, "of - 1"),
        ({"power": {"one": {"topology": "2n", "needed": 2, "of": 3, "block": BLOCK}}}, "2n pairs blocks"),
        ({"power": {"one": {"topology": "block_redundant", "block": BLOCK}}}, "`needed` and `of`"),
        ({"power": {"one": {"topology": "2n"}}}, "`topology` with the parts of its `block`"),
        ({"power": {"one": {"topology": "2n", "block": [{"part": "ups_1500k", "curve": "ups_dc"}]}}}, "loading_range"),
        ({"power": {"one": {"topology": "2n", "block": [{"part": "ups_1500k", "curve": "ups_cd"}]}}}, "ups_dc"),
        ({"air": {"one": {"topology": "2n", "block": [{"part": "crah_fanwall"}]}}}, "a way to build `power`"),
        ({"weather": {"bins": [{"dry_bulb": "10 degC", "wet_bulb": "12 degC", "hours": 1}]}}, "wet bulb"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(change, expected):
    with pytest.raises(InstanceError) as error:
        site(**change)
    assert any(expected in f"{p.found} {p.expected} {p.hint}" for p in error.value.problems), error.value.problems


def test_losses_are_the_worst_of_the_stated_range_and_the_range_must_hold():
    block = [{"part": "ups_1500k", "curve": "ups_dc"}]
    power = {"pair": {"topology": "2n", "block": block, "loading_range": {"least": 0.3, "most": 0.5}}}
    option = options(site(power=power), Chain.POWER)[0]["pair"]
    assert option.share(PowerFigure.TYPICAL) == pytest.approx(1 / (0.95 + 0.2 * 0.02) - 1)
    power["pair"]["loading_range"] = {"least": 0.3, "most": 0.4}
    refused = options(site(power=power), Chain.POWER)[1]
    assert "runs at up to 50.0% of its rating, loading_range ends at 40.0%" in refused["power=pair"]


def write_weather(folder: Path, text: str) -> Path:
    (folder / "hours.csv").write_text(text, encoding="utf-8")
    case = folder / "case.yaml"
    case.write_text(
        "extends: tiny/thermal-liquid\nname: case\nsites:\n  hall:\n    weather: {file: hours.csv}\n", encoding="utf-8"
    )
    return case


def test_a_weather_file_becomes_bins_that_keep_the_mean(tmp_path: Path):
    rng = np.random.default_rng(3)
    dry_bulb = rng.uniform(-5, 38, 500)
    humidity = rng.uniform(0.2, 0.9, 500)
    rows = "\n".join(f"{d},{h}" for d, h in zip(dry_bulb, humidity, strict=True))
    inst = load(write_weather(tmp_path, f"dry_bulb_c,relative_humidity\n{rows}\n"))
    bins = bins_of(inst.sites["hall"].weather)
    assert bins.dry_bulb @ bins.share == pytest.approx(dry_bulb.mean())
    assert "file" not in inst.raw["sites"]["hall"]["weather"]  # a run folder needs no second file


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("temperature\n3\n", "hours.csv:1", "columns temperature"),
        ("dry_bulb_c,wet_bulb_c\n3,2\n4,x\n", "hours.csv:3", "wet_bulb_c 'x'"),
        ("dry_bulb_c,relative_humidity\n3,55\n", "hours.csv:1", "fraction between 0 and 1"),
    ],
)
def test_a_bad_weather_file_is_named_with_its_line(tmp_path: Path, text: str, line: str, found: str):
    with pytest.raises(InstanceError) as error:
        load(write_weather(tmp_path, text))
    assert any(p.where.endswith(line) and found in p.found for p in error.value.problems), error.value.problems


def test_an_adiabatic_cooler_sprays_on_hot_days_only():
    use = {"part": "dry_cooler", "redundancy": "n", "rejection": {"kind": "adiabatic-cooler"}}
    inst = liquid(use, supply_temperature="33 degC")
    place = inst.sites["hall"]
    sink = heat_sink(place.liquid["one"], place.weather, 33.0)
    assert sink.cooler == 1.0  # 33 - 0.85 x 11 = 23.65 degC leave more than 8 K
    assert 0 < sink.water < 1e-7


def test_a_combination_reads_as_its_options():
    found = plant_options(site(), "hall")[0]
    assert Combination((found[Chain.POWER][0],)).id == "power=ups"


HOURS = {"mtbf": "1000 h", "mttr": "10 h"}
STANDS = 1000 / 1010


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        # 450 kW units under a utility of 2 MW: five carry it
        ({"equipment": [{"part": "ups_1500k", "redundancy": "n", "loading": 0.3, **HOURS}]}, STANDS**5),
        ({"equipment": [{"part": "ups_1500k", "redundancy": "n+1", "loading": 0.3, **HOURS}]},
         STANDS**6 + 6 * STANDS**5 * (1 - STANDS)),
        ({"equipment": [{"part": "ups_1500k", "redundancy": "2n", "loading": 0.3, **HOURS}]},
         1 - (1 - STANDS**5) ** 2),
        # groups of three, two of which carry 900 kW: three groups
        ({"equipment": [{"part": "ups_1500k", "redundancy": "n+1", "group": 3, "loading": 0.3, **HOURS}]},
         (STANDS**3 + 3 * STANDS**2 * (1 - STANDS)) ** 3),
        # rings of three make 2 x 600 kW: two rings, each with one of three blocks down at most
        ({"topology": "distributed", "needed": 2, "of": 3, "block": [{"part": "ups_1500k", "loading": 0.4, **HOURS}]},
         (STANDS**3 + 3 * STANDS**2 * (1 - STANDS)) ** 2),
        ({"topology": "2n", "block": [{"part": "ups_1500k", "count": 2, **HOURS}, {"part": "xfmr_3000"}]},
         1 - (1 - STANDS**2) ** 2),
        ({"equipment": [{"part": "ups_1500k", "redundancy": "n"}]}, 1.0),
        ({"equipment": [{"part": "ups_1500k", "redundancy": "n", "failures": "cdu_pump"}]},
         (1 / (1 + 2280e-9 * 4)) ** 2),
    ],
)  # fmt: skip
def test_availability_follows_from_redundancy(power, expected):
    option = options(site(power={"ups": None, "one": power}), Chain.POWER)[0]["one"]
    assert option.availability == pytest.approx(expected, rel=1e-12)
    assert Combination((option, option)).availability == pytest.approx(expected**2)
