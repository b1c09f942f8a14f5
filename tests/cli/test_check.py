"""``check``: valid or not, usable parts and exclusions, and what arithmetic alone proves; no solver is loaded."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("systems", "accelerators", "racks", "switches", "links", "cooling", "power_components")


def test_a_valid_instance(cli: Callable) -> None:
    done = cli("check", "tiny/performance", "--json")
    assert (done.code, done.document["status"]) == (0, "complete")
    data = done.document["data"]
    assert data["systems"] == ["dgx_h100", "mi300x_8u"]
    assert data["switches"] == ["qm9700", "sn5600"]
    assert all(isinstance(data[name], list) and data[name] == sorted(data[name]) for name in PARTS)
    assert data["problems"] == []
    reasons = {item["id"]: item["reason"] for item in data["excluded"]}
    assert reasons["dgx_h200"] == "not among design_space.systems"
    assert "heat to the air" in reasons["5xdgx_h100@eia48.air"]
    demand = data["limits"][0]
    assert (demand["limit"], demand["hopeless"]) == ("workloads.train.deadline", False)
    assert demand["best"] > demand["asked"]


def test_a_person_reads_it(cli: Callable) -> None:
    done = cli("check", "tiny/performance")
    assert done.code == 0
    assert done.out.startswith("performance: the instance is valid.")
    assert "optimizer solve tiny/performance" in done.err
    assert cli("check", "tiny/performance", "-q").err == ""


def test_rows_that_lack_a_figure_are_named(cli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "all.yaml"
    space = "{systems: null, preliminary_parts: true, cooling: [air, liquid]}"
    path.write_text(
        f"schema: 1\nname: all\nextends: tiny/performance\nworkloads:\n  train:\n    design_space: {space}\n"
    )
    excluded = cli("check", str(path), "--json").document["data"]["excluded"]
    reasons = {item["id"]: item["reason"] for item in excluded if item["stage"] == "catalogue"}
    assert reasons["dgx_b300_busbar"] == "weight_kg not in the catalogue"
    assert "no dense bf16 peak" in reasons["vr_nvl72"]


def test_no_solver_starts() -> None:
    code = (
        "import sys; from optimizer.check import check_instance; from models.loading import load\n"
        "check_instance(load('tiny/two-clusters'))\n"
        "print([m for m in ('pyomo', 'highspy', 'ortools') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


HOPELESS = [
    ("hall.utility=100 kW", "sites.hall.utility"),
    ("hall.rack_positions=3", "sites.hall.rack_positions"),
    ("tco=1 MUSD", "limits.tco"),
    ("capex=1 MUSD", "limits.capex"),
    ("carbon=10 t", "limits.carbon"),
    ("floor=2", "limits.floor"),
    ("goodput=0.99999", "limits.goodput"),
    ("train.deadline=1 h", "workloads.train.deadline"),
]


@pytest.mark.parametrize(("limit", "where"), HOPELESS, ids=[limit for limit, _ in HOPELESS])
def test_a_hopeless_limit_is_proven_by_arithmetic(cli: Callable, tmp_path: Path, limit: str, where: str) -> None:
    done = cli("check", "tiny/performance", "--limit", limit, "--json")
    assert done.code == 4
    assert done.document["status"] == "infeasible"
    problems = done.document["data"]["problems"]
    assert any(problem["found"].startswith(where) for problem in problems)
    assert cli("solve", "tiny/performance", "--limit", limit, "--out", str(tmp_path / "run")).code == 4


@pytest.mark.parametrize(
    "limit",
    ["hall.utility=-3 MW", "tco=abc", "train.deadline=0 days", "goodput=2"],
    ids=lambda text: text.partition("=")[0],
)
def test_a_wrong_limit_is_found_on_the_command_line(cli: Callable, limit: str) -> None:
    done = cli("check", "tiny/power", "--limit", limit)
    assert done.code == 3
    assert f"command line (--limit {limit.partition('=')[0]}): " in done.err


@pytest.mark.parametrize(
    "name", ["budget", "power", "serving", "space", "two-clusters", "two-sites", "thermal-rear-door"]
)
def test_no_feasible_instance_is_called_hopeless(cli: Callable, name: str) -> None:
    assert cli("check", f"tiny/{name}").code == 0


def test_limits_that_only_clash_together_are_left_to_solve(cli: Callable) -> None:
    limits = ("--limit", "power=400 kW", "--limit", "throughput=4000000 token/s")
    assert cli("check", "tiny/performance", *limits).code == 0


def test_nothing_to_build_from(cli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "bare.yaml"
    text = "schema: 1\nname: bare\nextends: tiny/performance\nworkloads:\n  train:\n    design_space:\n      systems: [vr_nvl72]\n"
    path.write_text(text)
    done = cli("check", str(path))
    assert done.code == 4
    assert "no legal pod" in done.out
    assert cli("check", str(path), "--json").document["data"]["problems"][0]["code"] == "no-candidate"


def test_a_service_whose_answers_no_pod_gives_in_time_is_infeasible(cli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "quick.yaml"
    limit = "{value: 1 ms, owner: product team}"
    path.write_text(
        f"schema: 1\nname: quick\nextends: tiny/serving-roles\nworkloads:\n  chat:\n    tpot_at_most: {limit}\n"
    )
    assert cli("check", str(path)).code == 4
    done = cli("solve", str(path), "--out", str(tmp_path / "run"))
    assert done.code == 4
    assert "workloads.chat.rate" in done.err


def test_an_invalid_instance_exits_3(cli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(
        "schema: 1\nname: bad\nextends: tiny/performance\nsites:\n  hall: {utility: 30, rackpositions: 3}\n"
    )
    done = cli("check", str(path))
    assert done.code == 3
    assert f"{path}:5" in done.err
    assert "rack_positions" in done.err
    document = cli("check", str(path), "--json").document
    assert document["status"] == "error"
    assert len(document["error"]["problems"]) == 2


def test_an_unknown_instance_and_scenario(cli: Callable) -> None:
    assert cli("check", "tiny/nothing").code == 2
    assert cli("check", "tiny/performance", "--scenario", "x").code == 2


def test_reasons_that_differ_in_amounts_are_one_row(cli: Callable, tmp_path: Path) -> None:
    cli("init", str(tmp_path / "own.yaml"))
    told = cli("check", str(tmp_path / "own.yaml"), "--json").document["data"]["excluded"]
    hot = {entry["reason"] for entry in told if "heat to the air" in entry["reason"]}
    rows = [line for line in cli("check", str(tmp_path / "own.yaml")).out.splitlines() if "heat to the air" in line]
    assert len(hot) > len(rows) == 1
    heats = sorted(float(reason.split()[0]) for reason in hot)
    assert f"{heats[0]:.1f} to {heats[-1]:.1f} kW of heat" in rows[0]
