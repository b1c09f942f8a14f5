"""The analyses as commands: their documents, their exit codes, and what they say to a person."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


def test_price_to_win(cli: Callable) -> None:
    outcome = cli("price-to-win", "tiny/performance", "qm9700", "--json")
    assert outcome.code == 0
    data = outcome.document["data"]
    assert {"part", "interval", "list_price", "staircase", "displaces", "solves", "seconds"} <= set(data)
    assert data["interval"][0] <= data["interval"][1]
    assert set(data["staircase"][0]) == {"price_low", "price_high", "units", "design_id"}
    assert data["staircase"][-1]["price_high"] is None
    levels = cli(
        "price-to-win",
        "tiny/performance",
        "qm9700",
        "--along",
        "throughput=1",
        "--along",
        "throughput=3 Mtoken/s",
        "--json",
    )
    assert len(levels.document["data"]["levels"]) == 2
    assert "wins below" in cli("price-to-win", "tiny/performance", "qm9700").out


def test_price_to_win_refuses_what_makes_no_sense(cli: Callable) -> None:
    assert cli("price-to-win", "tiny/performance", "qm970").code == 2
    assert cli("price-to-win", "tiny/performance", "qm9700", "--along", "tco=5 MUSD").code == 2
    assert cli("price-to-win", "tiny/performance", "qm9700", "--along", "throughput").code == 2
    assert cli("price-to-win", "tiny/performance", "qm9700", "--gap", "twice").code == 2
    assert cli("price-to-win", "tiny/performance", "qm9700", "--along", "throughput=1e15").code == 4
    assert cli("price-to-win", "tiny/performance", "qm9700", "--time-limit", "0.000001s").code == 5


def test_prices_at_a_design_of_a_run(cli: Callable, tmp_path: object) -> None:
    run = f"{tmp_path}/run"
    solved = cli("solve", "tiny/performance", "--out", run, "--json").document["data"]
    design = solved["designs"][-1]
    outcome = cli("price-to-win", run, "qm9700", "--design", design["design_id"], "--json")
    assert outcome.code == 0
    assert outcome.document["data"]["requirement"]["throughput"] == design["objectives"]["throughput_tokens_per_s"]


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        ("hall.electricty_price", "sites.hall.electricity_price"),
        ("hal.utility", "sites.hall.utility"),
        ("train.dedline", "workloads.train.deadline"),
        ("carbn", "limits.carbon"),
    ],
)
def test_a_misspelt_field_is_met_by_the_path_whose_end_is_like_it(cli: Callable, field: str, meant: str) -> None:
    outcome = cli("switch-points", "tiny/power", field)
    assert outcome.code == 2
    assert f"did you mean {meant!r}?" in outcome.err


def test_value_of_limits(cli: Callable) -> None:
    outcome = cli("value-of-limits", "tiny/power", "--json")
    assert outcome.code == 0
    by_source = {limit["source"]: limit for limit in outcome.document["data"]["limits"]}
    assert by_source["workloads.train.deadline"]["looser"]["gain"] > 0
    assert "sites.hall.utility" in cli("value-of-limits", "tiny/power").out


def test_why_not(cli: Callable) -> None:
    outcome = cli("explain", "why-not", "tiny/performance", "sn5600", "--json")
    assert outcome.code == 0
    data = outcome.document["data"]
    assert data["verdict"] == "dearer"
    assert sum(round(line["usd"] * 100) for line in data["bridge"]) == round(data["price"] * 100)
    outcome = cli("explain", "why-not", "tiny/performance", "no_such_thing")
    assert outcome.code == 2
    assert "no_such_thing" in outcome.err


def test_switch_points(cli: Callable) -> None:
    outcome = cli("switch-points", "tiny/power", "hall.utility", "--range", "330..400kW", "--json")
    assert outcome.code == 0
    assert [p["changes_architecture"] for p in outcome.document["data"]["switch_points"]]
    assert "today's best design" in cli("switch-points", "tiny/power", "deadline").out
    mapped = cli("switch-points", "tiny/power", "utility", "--field2", "deadline", "--steps", "2", "--json")
    assert len(mapped.document["data"]["cells"]) == 4
    assert cli("switch-points", "tiny/power", "utility", "--range", "400").code == 2


def test_spec_to_win(cli: Callable) -> None:
    outcome = cli("spec-to-win", "tiny/performance", "sn5600", "power", "--range", "0.1..2kW", "--json")
    assert outcome.code == 0
    assert outcome.document["data"]["price_per_unit"] < 0
    made = cli(
        "spec-to-win", "tiny/performance", "next", "power", "--like", "sn5600", "--set", "price=20000 USD", "--json"
    )
    assert made.document["data"]["wins_at"] == "everywhere"
    assert cli("spec-to-win", "tiny/performance", "sn5600", "colour").code == 2
    assert cli("spec-to-win", "tiny/performance", "sn5600", "power", "--set", "price=1").code == 2


def test_gap_list(cli: Callable) -> None:
    outcome = cli("spec-to-win", "tiny/performance", "--layer", "network", "--json")
    assert outcome.code == 0
    assert {gap["layer"] for gap in outcome.document["data"]["gaps"]} == {"network"}
    assert "native ports" in cli("spec-to-win", "tiny/performance", "qm9700").out


def test_what_was_stopped_is_resumed(cli: Callable, tmp_path: object) -> None:
    kept = f"{tmp_path}/answers.jsonl"
    asked = ("value-of-limits", "tiny/power", "--json", "--journal", kept)
    early = cli(*asked, "--time-limit", "0.000001s")
    assert early.code == 5
    assert early.document["status"] == "partial"
    assert "--resume" in early.err
    whole = cli(*asked, "--resume")
    assert whole.code == 0
    again = cli(*asked, "--resume", "--workers", "1")
    assert {**again.document["data"], "seconds": 0} == {**whole.document["data"], "seconds": 0}
    assert cli(*asked).code == 2
    assert cli("value-of-limits", "tiny/power", "--resume").code == 0


def test_a_stopped_comparison_goes_on_where_it_was_and_ends_alike(cli: Callable, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(
        "extends: tiny/performance\nname: other\nmoney: {freight: 5 %}\nworkloads: {train: {deadline: 20 days}}\n"
    )
    for name, out in (("tiny/performance", "a"), (str(other), "b")):
        assert cli("solve", name, "--objectives", "tco", "--out", str(tmp_path / out)).code == 0
    asked = ("diff", str(tmp_path / "a"), str(tmp_path / "b"), "--json")
    kept = (*asked, "--journal", str(tmp_path / "answers"))
    early = cli(*kept, "--time-limit", "0.000001s")
    assert early.code == 5
    assert early.document["status"] == "partial"
    whole = cli(*kept, "--resume")
    assert whole.code == 0
    for again in (cli(*kept, "--resume"), cli(*asked, "--workers", "2")):
        assert {**again.document["data"], "seconds": 0} == {**whole.document["data"], "seconds": 0}


@pytest.mark.parametrize(
    "command",
    [
        ("alternatives", "tiny/budget"),
        ("tornado", "tiny/budget"),
        ("spec-to-win", "tiny/budget", "--layer", "power"),
        ("spec-to-win", "tiny/budget", "dgx_h100", "power"),
        ("value-of-limits", "tiny/budget"),
        ("switch-points", "tiny/budget", "deadline"),
        ("explain", "why-not", "tiny/budget", "air"),
        ("explain", "infeasible", "broken/too-few-racks"),
    ],
)
def test_what_had_no_time_claims_nothing(cli: Callable, command: tuple[str, ...]) -> None:
    outcome = cli(*command, "--time-limit", "0.000001s", "--json")
    assert outcome.code == 5
    assert outcome.document["status"] == "partial"


def test_a_run_of_another_program_is_refused(cli: Callable, tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert cli("solve", "tiny/space", "--objectives", "tco", "--out", str(run)).code == 0
    assert cli("explain", "infeasible", str(run)).code == 0
    manifest = run / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"optimizer.run/1"', '"optimizer.run/9"'))
    outcome = cli("explain", "infeasible", str(run))
    assert outcome.code == 2
    assert "manifest" in outcome.err
