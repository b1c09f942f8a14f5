"""Files of a run that no longer belong together are told apart from each other, and from the inputs."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from models.errors import UsageError
from optimizer.verify import verify_design, verify_run
from tests.verify.conftest import VARIANTS

CASE = "performance"


def _drop_table_row(copy: Any) -> None:
    copy.change_text("frontier.csv", lambda t: "".join(t.splitlines(True)[:-1]))


def _cell(copy: Any) -> None:
    copy.change_text("frontier.csv", lambda t: t.replace(",hall,", ",yard,", 1))


def _number(copy: Any) -> None:
    tco = copy.designs[0]["objectives"]["tco_usd"]
    copy.change_text("frontier.csv", lambda t: t.replace(f"{tco:.0f}", f"{tco + 1:.0f}", 1))


def _bom_row(copy: Any) -> None:
    copy.change_text("bom.csv", lambda t: "".join(t.splitlines(True)[:3] + t.splitlines(True)[4:]))


def _bom_cell(copy: Any) -> None:
    copy.change_text("bom.csv", lambda t: t.replace("silicon", "gold", 1))


def _drop_design(copy: Any) -> None:
    copy.write_designs(copy.designs[:-1])


def _double_design(copy: Any) -> None:
    copy.write_designs([*copy.designs, copy.designs[-1]])


def _swap(copy: Any) -> None:
    copy.write_designs(copy.designs[::-1])


def _broken_line(copy: Any) -> None:
    copy.change_text("designs.jsonl", lambda t: t[:-40])


def _limit(copy: Any) -> None:
    copy.change_json("inputs/instance.json", lambda d: d["sites"]["hall"].update(utility="0.1 MW"))


def _price(copy: Any) -> None:
    copy.change_text("inputs/catalogue/systems.csv", lambda t: re.sub(r"\b400\b", "200", t))


def _damaged_inputs(copy: Any) -> None:
    copy.change_json("inputs/instance.json", lambda d: d["sites"]["hall"].update(utility="a lot"))


def _status(copy: Any) -> None:
    copy.change_json("manifest.json", lambda d: d.update(status="partial"))


def _proof(copy: Any) -> None:
    copy.change_json("manifest.json", lambda d: d["frontier"]["proof"].update(zones=99))


def _open(copy: Any) -> None:
    copy.change_json("manifest.json", lambda d: d["frontier"]["proof"].update(open_zones=3))


def _quantum(copy: Any) -> None:
    copy.change_json("manifest.json", lambda d: d["frontier"]["objectives"][0].update(quantum=1.0))


def _sense(copy: Any) -> None:
    copy.change_json("manifest.json", lambda d: d["frontier"]["objectives"][1].update(maximise=False))


def _fingerprint(copy: Any) -> None:
    copy.change_json("manifest.json", lambda d: d.update(fingerprint="0" * 64))


def _basis(copy: Any) -> None:
    copy.change_json("manifest.json", lambda d: d["frontier"].update(price_basis="high"))


def _other_ledger(copy: Any) -> None:
    shutil.copy(copy.other / "ledger.jsonl", copy.path / "ledger.jsonl")


def _no_ledger(copy: Any) -> None:
    (copy.path / "ledger.jsonl").unlink()


def _zone(copy: Any) -> None:
    def without(text: str) -> str:
        lines = text.splitlines(True)
        lines.remove(next(line for line in reversed(lines) if '"kind":"zone"' in line))
        return "".join(lines)

    copy.change_text("ledger.jsonl", without)


def _point(copy: Any) -> None:
    def shifted(text: str) -> str:
        lines = text.splitlines()
        for number, line in enumerate(lines):
            data = json.loads(line)
            if data["kind"] == "answer" and data["point"]:
                data["point"][2] -= 50
                lines[number] = json.dumps(data, separators=(",", ":"))
                break
        return "\n".join(lines) + "\n"

    copy.change_text("ledger.jsonl", shifted)


CASES: dict[str, tuple[Callable[[Any], None], str, str]] = {
    "design removed from the table": (_drop_table_row, "frontier.csv", "rows"),
    "text of a cell": (_cell, "frontier.csv", r"line \d+"),
    "number of a cell": (_number, "frontier.csv", r"line 2\.tco_usd"),
    "line removed from the bill": (_bom_row, "bom.csv", "rows"),
    "cell of the bill": (_bom_cell, "bom.csv", r"line 2\.layer"),
    "design removed everywhere": (_drop_design, "ledger.jsonl", "points"),
    "design listed twice": (_double_design, "designs.jsonl", "design_id"),
    "order of the list": (_swap, "designs.jsonl", "order"),
    "list cut short": (_broken_line, "", "run"),
    "limit lowered in the inputs": (_limit, "", r"limit power\.utility\[hall\]"),
    "catalogue changed in the inputs": (_price, "manifest.json", "fingerprint"),
    "inputs damaged": (_damaged_inputs, "", "run"),
    "status": (_status, "manifest.json", "status"),
    "number of zones": (_proof, "ledger.jsonl", "zones"),
    "open zones": (_open, "manifest.json", r"proof\.status"),
    "quantum": (_quantum, "manifest.json", "tco.quantum"),
    "sense": (_sense, "manifest.json", "throughput.maximise"),
    "fingerprint": (_fingerprint, "manifest.json", "fingerprint"),
    "price basis": (_basis, "manifest.json", "price_basis"),
    "ledger of another run": (_other_ledger, "ledger.jsonl", "point|zones"),
    "ledger missing": (_no_ledger, "ledger.jsonl", "ledger"),
    "zone removed from the ledger": (_zone, "ledger.jsonl", "zones"),
    "point of the ledger shifted": (_point, "ledger.jsonl", "point"),
}


@pytest.mark.parametrize("case", CASES)
def test_files_that_disagree_are_caught(tampered: Any, runs: Any, case: str) -> None:
    mutate, where, field = CASES[case]
    copy = tampered(CASE)
    copy.other = runs("space")
    mutate(copy)
    findings = verify_run(copy.path).findings
    assert any((not where or f.design == where) and re.search(field, f.field) for f in findings), findings[:5]


TINY = (
    "bandwidth",
    "performance",
    "power",
    "serving",
    "serving-roles",
    "space",
    "thermal-liquid",
    "two-clusters",
    "two-sites",
)


@pytest.mark.parametrize("name", [*TINY, *VARIANTS])
def test_an_untouched_run_is_confirmed(runs: Any, name: str) -> None:
    report = verify_run(runs(name))
    assert report.findings == ()
    assert report.designs > 0
    assert report.compared > 300 * report.designs
    report.require()


def test_one_design_alone(runs: Any) -> None:
    import dataclasses

    from optimizer.store import read_frontier, read_inputs

    run = runs(CASE)
    instance, design = read_inputs(run), read_frontier(run).points[0]
    assert verify_design(instance, design) == []
    cheaper = dataclasses.replace(design, figures={**design.figures, "tco_usd": 1.0})
    (finding,) = verify_design(instance, cheaper)
    assert (finding.design, finding.field, finding.reported) == (design.design_id, "figures.tco_usd", 1.0)


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run folder"):
        verify_run(tmp_path)


def test_a_run_that_did_not_finish(tampered: Any) -> None:
    copy = tampered(CASE)
    copy.change_json("manifest.json", lambda d: d.pop("frontier"))
    with pytest.raises(UsageError, match="--resume"):
        verify_run(copy.path)


def test_names_that_read_like_numbers(tmp_path: Path) -> None:
    """A cluster called 405 at a site called 1 comes out like any other."""
    from models.loading import load, load_resolved
    from models.shipped import catalogue_folder
    from optimizer.solve import solve

    raw = json.loads(json.dumps(dict(load("tiny/performance").raw)))
    raw["sites"] = {"1": raw["sites"]["hall"]}
    raw["workloads"] = {"405": raw["workloads"]["train"]}
    frontier = solve(load_resolved(raw, [catalogue_folder()], {}), resolution="exact", out=tmp_path / "run")
    assert {pod.site for design in frontier.points for pod in design.pods} == {"1"}
    assert verify_run(tmp_path / "run").findings == ()


def test_a_tie_that_the_bands_do_not_give_is_caught(tampered: Any) -> None:
    copy = tampered("mapping")
    head, first, *_ = (copy.path / "frontier.csv").read_text(encoding="utf-8").splitlines()
    at = head.split(",").index("tie")
    cells = first.split(",")
    cells[at] = "9"
    copy.change_text("frontier.csv", lambda t: t.replace(first, ",".join(cells)))
    report = verify_run(copy.path)
    assert [f.field for f in report.findings] == ["line 2.tie"]


def test_constants_changed_in_the_inputs_are_caught(tampered: Any) -> None:
    copy = tampered("mapping")
    copy.change_json("inputs/catalogue/performance_constants.json", lambda d: d["free"]["gemm"].update(value=0.5))
    fields = {f.field for f in verify_run(copy.path).findings}
    assert "fingerprint" in fields
    assert any(field.endswith("throughput_tokens_s") for field in fields)
