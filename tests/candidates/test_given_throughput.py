"""A performance team's results replace this project's own, by rules that are written down."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.candidates.given_throughput import interpolated
from models.candidates.placement import Placements, enumerate_candidates
from models.errors import InstanceError
from models.loading import load
from models.workload import GivenPoint
from optimizer.performance_cache import PerformanceCache
from optimizer.solve import solve
from optimizer.store import read_inputs
from optimizer.verify import verify_run

GBIT = 1e9 / 8
TABLE = """system,accelerators,network [Gbit/s],throughput [ktoken/s],band [%]
dgx_h100,128,100,1500,5
dgx_h100,384,100,4300,7
dgx_h100,128,400,1600,2
dgx_h100,256,400,3300,3
dgx_h100,512,400,6300,4
"""


@pytest.fixture
def case(tmp_path: Path) -> Any:
    """An instance beside a table; ``throughput`` as written there."""

    def write(throughput: str, table: str = TABLE) -> Path:
        (tmp_path / "team.csv").write_text(table, encoding="utf-8")
        path = tmp_path / "case.yaml"
        path.write_text(
            f"schema: 1\nextends: tiny/performance\nname: case\nworkloads:\n  train:\n"
            f"    global_batch: 4.194304 Mtoken\n    throughput: {throughput}\n",
            encoding="utf-8",
        )
        return path

    return write


def _points(*rows: tuple[int, float, float, float]) -> list[GivenPoint]:
    return [
        GivenPoint(
            system="s", accelerators=n, network=f"{g} Gbit/s", throughput=f"{t} token/s", band=b,
        )  # type: ignore[arg-type]
        for n, g, t, b in rows
    ]  # fmt: skip


GRID = _points((100, 100, 1000, 0.1), (200, 100, 1800, 0.2), (100, 400, 1200, 0.1), (300, 400, 3000, 0.05))


@pytest.mark.parametrize(
    ("size", "gbit", "tokens", "band"),
    [
        (100, 100, 1000, 0.1),
        (150, 100, 1400, 0.2),
        (200, 400, 2100, 0.1),
        (300, 400, 3000, 0.05),
        (150, 250, 1400 + 0.5 * (1650 - 1400), 0.2),
        (300, 800, 3000, 0.05),
        (250, 250, None, 0.0),
        (250, 100, None, 0.0),
        (100, 99, None, 0.0),
        (99, 400, None, 0.0),
        (301, 400, None, 0.0),
    ],
)
def test_rules_of_interpolation(size: int, gbit: float, tokens: float | None, band: float) -> None:
    found, width = interpolated(GRID, np.array([size]), np.array([gbit * GBIT]))
    assert np.isnan(found[0]) if tokens is None else found[0] == pytest.approx(tokens, rel=1e-12)
    assert width[0] == band


def _throughput(path: Path) -> tuple[Placements, dict[tuple[str, int, float], float]]:
    (placements,) = enumerate_candidates(load(path), PerformanceCache()).placements
    pods = placements.pods
    rows = range(len(pods))
    keys = [
        (pods.rack_design(r).system.id, int(pods.accelerators[r]), float(pods.fabric_row(r)["bisection"])) for r in rows
    ]
    return placements, dict(zip(keys, pods.throughput.tolist(), strict=True))


def test_what_a_table_does_not_cover_is_refused_or_worked_out_as_the_user_says(case: Any) -> None:
    refused = enumerate_candidates(load(case("{table: team.csv}")))
    (placements,) = refused.placements
    assert {placements.pods.rack_design(int(p)).system.id for p in placements.pod} == {"dgx_h100"}
    reasons = [r.reason for r in refused.rejections if r.item.endswith("mi300x_8u@eia48.air")]
    assert any("table team.csv covers it" in reason and "refuse" in reason for reason in reasons)
    _, own = _throughput(case("mapping"))
    _, mixed = _throughput(case("{table: team.csv, otherwise: mapping}"))
    assert mixed.keys() == own.keys()
    covered = {key for key in own if key[0] == "dgx_h100" and mixed[key] != own[key]}
    assert covered
    assert all(mixed[key] == own[key] for key in own if key[0] == "mi300x_8u")
    _, simple = _throughput(case("{table: team.csv, otherwise: first_order}"))
    assert simple != mixed
    assert all(simple[key] == mixed[key] for key in covered)


@pytest.mark.parametrize("otherwise", ["refuse", "mapping"])
@pytest.mark.parametrize("source", ["table: team.csv", "callable: 'tests.candidates.given_function:known'"])
def test_a_run_carries_what_was_given_and_is_verified(case: Any, tmp_path: Path, source: str, otherwise: str) -> None:
    path = case(f"{{{source}, otherwise: {otherwise}}}")
    run = tmp_path / "run"
    frontier = solve(load(path), resolution="exact", out=run)
    told = [pod.performance for design in frontier.points for pod in design.pods]
    name = source.replace(": ", " ").replace("'", "")
    assert any(one.get("source") == name for one in told)
    assert all(0 < pod.throughput_band < 0.25 for design in frontier.points for pod in design.pods)
    (path.parent / "team.csv").unlink()
    report = verify_run(run)
    assert report.confirmed, [str(finding) for finding in report.findings[:3]]
    assert read_inputs(run).fingerprint == frontier.fingerprint


def test_another_number_in_the_table_is_another_input(case: Any, tmp_path: Path) -> None:
    first = load(case("{table: team.csv}")).fingerprint
    assert load(case("{table: team.csv}", TABLE.replace("6300", "6301"))).fingerprint != first
    assert load(case("{table: team.csv}")).fingerprint == first


def test_a_design_that_passes_over_the_table_is_caught(case: Any, tmp_path: Path) -> None:
    run, own = tmp_path / "run", tmp_path / "own"
    only = {"workloads": {"train": {"design_space": {"systems": ["dgx_h100"]}}}}
    solve(load(case("{table: team.csv, otherwise: mapping}"), overrides=only), resolution="exact", out=run)
    solve(load(case("mapping"), overrides=only), resolution="exact", out=own)
    shutil.copy(own / "designs.jsonl", run / "designs.jsonl")
    fields = {finding.field for finding in verify_run(run).findings}
    assert any(field.endswith("throughput_tokens_s") for field in fields)
    assert any(field.endswith("performance.source") for field in fields)


HEAD = TABLE.splitlines()[0]
WRONG = {
    "a system nobody knows": (TABLE.replace("dgx_h100,256", "dgx_h10,256"), 5, "unknown-system", "did you mean 'dgx_h100'?"),
    "no number": (TABLE.replace("3300", "fast"), 5, "unit", "fast ktoken/s"),
    "less than nothing": (TABLE.replace("3300", "-5"), 5, "unit", "negative"),
    "half an accelerator": (TABLE.replace("256", "25.6"), 5, "value", "a whole number"),
    "a cell too many": (TABLE.replace("6300,4", "6300,4,5"), 6, "row-length", "6 cells"),
    "the same point twice": (TABLE + "dgx_h100,512,400,6400,4\n", 7, "duplicate-row", "512 accelerators and 400 Gbit/s"),
    "no unit": (TABLE.replace(" [Gbit/s]", ""), 1, "unit-missing", "'network' has no unit"),
    "another unit": (TABLE.replace("Gbit/s", "MW"), 2, "unit", "MW"),
    "an unknown column": (TABLE.replace("band", "bend"), 1, "unknown-column", "did you mean 'band'?"),
    "a column missing": ("system,accelerators,network [GB/s]\ndgx_h100,8,50\n", 1, "missing-column", "no column 'throughput'"),
    "no lines": (f"{HEAD}\n", 1, "table", "no lines of results"),
    "an empty cell": (TABLE.replace("256,400,3300", "256,,3300"), 5, "missing-key", "network"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_table_is_said_with_its_line(case: Any, name: str) -> None:
    table, line, code, words = WRONG[name]
    with pytest.raises(InstanceError) as raised:
        load(case("{table: team.csv}", table))
    found = [p for p in raised.value.problems if p.where.endswith(f"team.csv:{line}")]
    assert any(p.code == code and words in str(p) for p in found), [str(p) for p in raised.value.problems]


@pytest.mark.parametrize(
    ("throughput", "words"),
    [
        ("{table: none.csv}", "cannot be read"),
        ("{callable: nothing_here:f}", "No module named"),
        ("{callable: tests.candidates.given_function:g}", "no attribute 'g'"),
        ("{callable: math:pi}", "is no function"),
        ("{callable: math}", "package.module:function"),
        ("{table: team.csv, callable: math:sqrt}", "one of the two"),
    ],
)
def test_what_cannot_be_found_is_said_with_its_line(case: Any, throughput: str, words: str) -> None:
    with pytest.raises(InstanceError) as raised:
        load(case(throughput))
    assert any("case.yaml:7" in p.where and words in str(p) for p in raised.value.problems)


@pytest.mark.parametrize(("function", "words"), [("broken", "ValueError"), ("negative", "negative or infinite")])
def test_a_function_that_answers_nonsense_is_named(case: Any, function: str, words: str) -> None:
    instance = load(case(f"{{callable: 'tests.candidates.given_function:{function}'}}"))
    with pytest.raises(InstanceError, match=words) as raised:
        enumerate_candidates(instance)
    assert raised.value.problems[0].where.endswith("case.yaml:7")
