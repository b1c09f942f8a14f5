"""Every figure of a run's files, changed one at a time: verification tells, but for what only says when, where and how a run was made."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from models.errors import UsageError
from optimizer.design import Design
from optimizer.store import read_frontier, read_manifest, write_json
from optimizer.verification.designs import check_design
from optimizer.verification.files import check_manifest, check_tables
from optimizer.verification.ledger import check_ledger
from optimizer.verification.plant import Plant
from optimizer.verify import verify_run

Way = tuple[str | int, ...]

EACH = 2
"""Places of each kind in a design that are changed: first ones of lists."""

ELSEWHERE = (
    r"margins\.#\.says",  # a sentence; its two figures are compared where it tells them
    r"rings\.#\.racks\.#\.(first|second)",  # another pair may do as well: every block is lost in turn
)
"""Of a design: what may be otherwise without being wrong."""

HOW = (
    r"(finished|started|seed)|(machine|versions|program)\..*|options\.\w+\.origin|options\.(cross_check|time_limit_s|workers)\.value",
    r"frontier\.(seconds|proof\.cross_check|objectives\.#\.title)",
)
"""Of a manifest: when, where and how a run was made."""

PROGRAM = (
    r"run:(fingerprint|options|reduce|width)",  # how it was asked
    r"answer:(query\..*|effort\.#|proven|x\..*|bound|point\.#)",  # what the program answers, and points that nothing lists
    r"zone:(upper\.#|bound|direction|solve)",
)
"""Of a ledger: what only the program itself can tell, which the certificate builds again; points and zones as far as arithmetic goes below."""


def leaves(data: Any, way: Way = ()) -> Iterator[tuple[Way, Any]]:
    """Every value and how to come to it."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else None
    if inner is None:
        yield way, data
        return
    for key, value in inner:
        yield from leaves(value, (*way, key))


def changed(data: Any, way: Way, value: Any) -> Any:
    """A copy with another value in one place."""
    fresh = copy.deepcopy(data)
    place = fresh
    for key in way[:-1]:
        place = place[key]
    place[way[-1]] = value
    return fresh


def otherwise(value: Any) -> Any:
    """Another value of the same kind, close by; 7 for none."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, float):
        return value * 1.001 if value else 1.0
    return f"{value}x" if isinstance(value, str) else 7


def name_of(way: Way) -> str:
    return ".".join("#" if isinstance(key, int) else key for key in way)


def places(data: Any, exempt: tuple[str, ...], prefix: str = "", each: int = EACH) -> Iterator[tuple[Way, Any]]:
    """Up to so many places of every name that is not exempt, values that are there."""
    seen: dict[str, int] = {}
    for way, value in leaves(data):
        name = prefix + name_of(way)
        seen[name] = seen.get(name, 0) + 1
        if value is not None and seen[name] <= each and not any(re.fullmatch(one, name) for one in exempt):
            yield way, value


@pytest.mark.parametrize("case", ["power-blocks", "thermal-weather", "orders", "split-training", "serving-roles"])
def test_every_figure_of_a_design(runs: Any, inputs: Any, case: str) -> None:
    run, instance = runs(case), inputs(case)
    plant = Plant(instance)
    data = json.loads((run / "designs.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert not check_design(instance, Design.from_json(json.dumps(data)), plant).findings
    missed = []
    for way, value in places(data, ELSEWHERE):
        text = json.dumps(changed(data, way, otherwise(value)))
        try:
            told = bool(check_design(instance, Design.from_json(text), plant).findings)
        except (UsageError, TypeError, ValueError, LookupError):
            told = True  # no design any more
        if not told:
            missed.append((name_of(way), value))
    assert not missed


@pytest.mark.parametrize("case", ["power-blocks", "orders"])
def test_every_figure_of_a_manifest(runs: Any, tampered: Any, inputs: Any, case: str) -> None:
    run = tampered(case)
    instance, manifest = inputs(case), read_manifest(run.path)
    missed = []
    for way, value in places(manifest, HOW):
        write_json(run.path / "manifest.json", changed(manifest, way, otherwise(value)))
        try:
            told = read_manifest(run.path)
            frontier = read_frontier(run.path)
            checks = [check_manifest(instance, told, frontier), check_ledger(run.path / "ledger.jsonl", frontier, told)]
            checks += check_tables(run.path, frontier)
        except (UsageError, TypeError, ValueError, LookupError):
            continue  # no run any more
        if not any(one.findings for one in checks):
            missed.append((name_of(way), value))
    assert not missed


@pytest.mark.parametrize("case", ["power-blocks", "orders"])
def test_every_figure_of_a_ledger(runs: Any, tmp_path: Path, case: str) -> None:
    frontier, manifest = read_frontier(runs(case)), read_manifest(runs(case))
    lines = [json.loads(line) for line in (runs(case) / "ledger.jsonl").read_text(encoding="utf-8").splitlines()]
    path, missed = tmp_path / "ledger.jsonl", []

    def told(fresh: list[Any]) -> bool:
        path.write_text("".join(f"{json.dumps(line)}\n" for line in fresh), encoding="utf-8")
        try:
            return bool(check_ledger(path, frontier, manifest).findings)
        except (UsageError, TypeError, ValueError, LookupError):
            return True

    assert not told(lines)
    for number, line in enumerate(lines):
        for way, value in places(line, PROGRAM, f"{line['kind']}:"):
            fresh = [*lines[:number], changed(line, way, otherwise(value)), *lines[number + 1 :]]
            if not told(fresh):
                missed.append((line["kind"], name_of(way), value))
    assert not missed


def test_what_a_ledger_claims_by_arithmetic(runs: Any, tmp_path: Path) -> None:
    run = runs("orders")
    frontier, manifest = read_frontier(run), read_manifest(run)
    lines = [json.loads(line) for line in (run / "ledger.jsonl").read_text(encoding="utf-8").splitlines()]
    path = tmp_path / "ledger.jsonl"

    def fields(change: Any) -> set[str]:
        fresh = copy.deepcopy(lines)
        change(fresh)
        path.write_text("".join(f"{json.dumps(line)}\n" for line in fresh), encoding="utf-8")
        return {finding.field for finding in check_ledger(path, frontier, manifest).findings}

    zones = [number for number, line in enumerate(lines) if line["kind"] == "zone"]
    bounded = next(n for n in zones if lines[n].get("bound") is not None)
    answer = next(n for n, line in enumerate(lines) if line["kind"] == "answer" and line["query"]["direction"] == 0)
    for number in zones:  # a zone that closes less leaves a part of objective space to nobody
        low = [-1e12 if u is None else u - 1 for u in lines[number]["upper"]]
        assert "coverage" in fields(lambda fresh, n=number, low=low: fresh[n].update(upper=low))
    assert "zone.bound" in fields(lambda fresh: fresh[bounded].update(bound=lines[bounded]["bound"] - 1000))
    assert "zone.solve" in fields(lambda fresh: fresh[bounded].update(solve=999))
    assert "answer.bound" in fields(lambda fresh: fresh[answer].update(bound=lines[answer]["bound"] + 1000))
    assert "points" in fields(lambda fresh: fresh[answer].update(point=[-1.0, *lines[answer]["point"][1:]]))
    assert "answer.solve" in fields(lambda fresh: fresh[answer].update(solve=999))
    exact = replace(frontier.proof, hypervolume_share=0.9)
    told = check_ledger(run / "ledger.jsonl", replace(frontier, proof=exact), manifest)
    assert [finding.field for finding in told.findings] == ["hypervolume_share"]


def test_a_changed_figure_is_told_by_file_and_field(tampered: Any) -> None:
    run = tampered("orders")
    run.change_json("manifest.json", lambda data: data["frontier"]["proof"]["error"].update(tco_usd=5e6))
    report = verify_run(run.path)
    assert [(f.design, f.field) for f in report.findings] == [("ledger.jsonl", "error.tco_usd")]
