"""The sensitivity report: every section is there, says what its method says, and is whole in Markdown and JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from models.loading import load
from optimizer.cli import main
from optimizer.report.chapter import Turn
from optimizer.report.sensitivity_report import SensitivityReport, section_names, sensitivity_report
from optimizer.report.summary import anchor, nearest_turns
from optimizer.solve import solve


@pytest.fixture(scope="module")
def report() -> SensitivityReport:
    return sensitivity_report(load("tiny/performance"))


def _tables(markdown: str) -> Iterator[list[str]]:
    rows: list[str] = []
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|"):
            rows.append(line)
        elif rows:
            yield rows
            rows = []


def test_every_section_is_there_and_proven(report: SensitivityReport) -> None:
    assert tuple(s.name for s in report.sections) == section_names()
    assert {"limits", "binding", "alternatives", "tornado", "price-to-win", "spec-to-win", "why-not", "switch-points", "regimes",
            "morris", "sobol"} <= set(section_names())  # fmt: skip
    assert report.proven
    for section in report.sections:
        assert section.markdown.startswith("## ")
        assert section.markdown.rstrip() in report.markdown
        assert section.sentence in report.markdown
    assert "Every figure is proven." in report.markdown


def test_the_summary_comes_first_and_says_what_the_sections_prove(report: SensitivityReport) -> None:
    heads = re.findall(r"^## (.*)$", report.markdown, flags=re.MULTILINE)
    assert heads[:4] == ["The decision", "What would change it", "What to ask, and of whom", "In short"]
    assert heads[-2:] == ["Where the figures come from", "How to read this"]
    links = re.findall(r"\]\(#([a-z0-9-]+)\)", report.markdown)
    assert len(links) == len(report.sections)
    assert set(links) <= {anchor(head) for head in heads}
    # every price that is asked for is one at which the part is bought
    prices = {p["part"]: p for p in next(s.data for s in report.sections if s.name == "price-to-win")}
    for request in report.requests:
        if request["topic"] == "A lower price, for an order":
            told = prices[request["what"].removeprefix("unit price of ")]
            assert told["interval"][0] < told["list_price"]
            assert f"{told['interval'][0]:,.0f} USD" in request["wanted"]


def test_the_smallest_changes_come_first_and_each_thing_once_a_direction() -> None:
    turns = [Turn("a", "1", "2", "x", 1.0), Turn("a", "1", "1.1", "y", 0.1), Turn("a", "1", "0.5", "z", -0.5),
             Turn("b", "1", "?", "w", None)]  # fmt: skip
    assert [(t.what, t.then) for t in nearest_turns(turns)] == [("a", "1.1"), ("a", "0.5"), ("b", "?")]


def test_the_answer_is_the_best_design(report: SensitivityReport) -> None:
    best = solve(load("tiny/performance"), ["tco"], "exact").points[0]
    assert report.answer.choices["train.system"] == best.choices["train.system"]
    assert f"{best.figures['tco_usd'] / 1e6:,.1f} MUSD" in report.markdown
    assert report.answer.design_id in report.markdown


def test_tables_are_whole_and_no_path_is_of_this_machine(report: SensitivityReport) -> None:
    found = list(_tables(report.markdown))
    assert len(found) >= 5
    for rows in found:
        assert re.fullmatch(r"\|(:?-+:?\|)+", rows[1].replace(" ", ""))
        assert len({len(re.split(r"(?<!\\)\|", row)) for row in rows}) == 1
    assert str(Path(__file__).resolve().parents[2]) not in report.markdown


def test_the_data_are_json_without_holes(report: SensitivityReport) -> None:
    told = json.loads(json.dumps(report.as_dict(), allow_nan=False, default=str))
    assert set(told["sections"]) == set(section_names())
    assert all(section["data"] for section in told["sections"].values())


def test_the_command_writes_both_files_and_keeps_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run: Callable[..., int] = lambda *a: _code(["report", "sensitivity", "tiny/space", *a])  # noqa: E731
    out = tmp_path / "report.md"
    assert run("--section", "limits", "--out", str(out)) == 0
    assert "## Value of limits" in out.read_text()
    assert json.loads(out.with_suffix(".json").read_text())["instance"] == "space"
    assert run("--section", "limits", "--out", str(out)) == 2
    assert "--force" in capsys.readouterr().err
    assert run("--section", "limit") == 2


def _code(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert isinstance(stop.value.code, int)
    return stop.value.code
