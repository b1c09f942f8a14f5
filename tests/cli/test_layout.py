"""``layout`` from a shell: files, words, JSON, and its refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    from optimizer import load
    from optimizer.solve import solve

    run = tmp_path_factory.mktemp("layout") / "run"
    return run, solve(load("tiny/performance"), resolution="5%", out=run).points[0].design_id


def test_it_writes_drawings_and_tables(cli: Callable, solved: tuple[Path, str], tmp_path: Path) -> None:
    run, design = solved
    done = cli("layout", str(run), design[:6], "--out", str(tmp_path / "plan"))
    assert done.code == 0
    assert "(proven)" in done.out
    names = {file.name for file in (tmp_path / "plan").iterdir()}
    assert names == {"layout.json", "racks.csv", "devices.csv", "cables.csv", "elevation-hall.svg", "floor-hall.svg"}
    assert cli("layout", str(run), design).code == 0
    assert (run / "layout" / design / "cables.csv").is_file()
    # files beside the run's own do not disturb it
    assert cli("verify", str(run)).code == 0


def test_the_document(cli: Callable, solved: tuple[Path, str], tmp_path: Path) -> None:
    run, design = solved
    done = cli("layout", str(run), design, "--out", str(tmp_path), "--json")
    data = done.document["data"]
    assert done.document["status"] == "complete"
    assert data["design_id"] == design
    site = data["sites"][0]
    assert sum(level["links"] for level in site["levels"]) == len(data["cables"])
    assert site["gap"] >= 0
    assert {rack["id"] for rack in site["racks"]} >= {data["cables"][0]["a_rack"], data["cables"][0]["b_rack"]}


def test_a_gap_that_is_not_reached_exits_5(cli: Callable, solved: tuple[Path, str], tmp_path: Path) -> None:
    run, design = solved
    done = cli("layout", str(run), design, "--out", str(tmp_path), "--gap", "0", "--time-limit", "0.001s", "--json")
    worst = max(site["gap"] for site in done.document["data"]["sites"])
    assert (done.code, done.document["status"]) == ((5, "partial") if worst > 0 else (0, "complete"))


def test_an_unknown_design_exits_2(cli: Callable, solved: tuple[Path, str]) -> None:
    assert cli("layout", str(solved[0]), "zzz").code == 2
