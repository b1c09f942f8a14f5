"""Designs without a layout are barred with a proof, what they beat comes back, and the certificate stays true."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from models.candidates.placement import enumerate_candidates
from models.errors import VerificationError
from models.instance import Instance
from models.loading import load
from models.workload import BarredPod
from optimizer.certify import certify_run
from optimizer.extract import pod_of
from optimizer.layout.check import check_layout
from optimizer.layout.close import close, proof_against, unproven_bars, with_bars
from optimizer.layout.planner import lay_out
from optimizer.solve import SolveSettings, run
from optimizer.store import read_inputs
from optimizer.verify import verify_run

# leaves joined by 2 m of copper must stand in the racks of their nodes, which rack-scale systems fill to the top
COPPER: dict[str, Any] = {
    "workloads": {
        "train": {
            "design_space": {
                "systems": ["gb200_nvl72"],
                "frames": ["mgx", "eia48"],
                "cooling": ["liquid"],
                "fabric": {
                    "switches": ["th5_64x800"],
                    "media": None,
                    "tiers": [2, 3],
                    "speeds": ["400 Gbit/s"],
                    "rail_optimised": False,
                    "oversubscription": [2, 5],
                    "wasted_ports_at_most": 0.6,
                },
                "sizes": {"smallest": 144, "largest": 144, "step": 72},
            }
        }
    }
}
SETTINGS = SolveSettings(resolution="exact")


@pytest.fixture(scope="module")
def instance() -> Instance:
    return load("tiny/thermal-liquid", overrides=COPPER)


def _without_layout(inst: Instance) -> set[str]:
    """Every candidate pod that a proof forbids, one by one."""
    found = set()
    for placements in enumerate_candidates(inst).placements:
        for row, pod in enumerate(placements.pod):
            if proof_against(inst, pod_of(inst, placements, row)):
                found.add(placements.pods.pod_id(int(pod)))
    return found


def test_the_closed_frontier_is_that_of_all_designs_with_a_layout(instance: Instance, tmp_path: Path) -> None:
    plain = run(instance, SETTINGS)
    hopeless = [d for d in plain.points if any(proof_against(instance, pod) for pod in d.pods)]
    assert hopeless, "the case must have designs without a layout"
    told: list[tuple[int, int]] = []
    closed = close(instance, SETTINGS, tmp_path / "run", on_layout=lambda done, total: told.append((done, total)))
    assert told[-1][1] == len(closed.frontier.points) > told[-1][0]
    assert closed.rounds > 1
    assert not closed.undecided
    for design in closed.frontier.points:
        assert check_layout(closed.instance, design, lay_out(closed.instance, design)) == []
    # every candidate without a layout barred at once gives the same frontier
    everything = instance
    while names := _without_layout(everything):
        everything = with_bars(everything, [("train", BarredPod(site="hall", pod=name)) for name in sorted(names)])
    at_once = run(everything, SETTINGS)
    assert {tuple(d.objectives.values()) for d in at_once.points} == {
        tuple(d.objectives.values()) for d in closed.frontier.points
    }
    assert verify_run(tmp_path / "run").confirmed
    assert certify_run(tmp_path / "run", sample=5).complete
    assert read_inputs(tmp_path / "run").fingerprint == closed.instance.fingerprint


def test_a_bar_without_proof_is_found(instance: Instance, tmp_path: Path) -> None:
    placements = enumerate_candidates(instance).placements[0]
    fine = next(
        name
        for row, pod in enumerate(placements.pod)
        if not proof_against(instance, pod_of(instance, placements, row))
        for name in [placements.pods.pod_id(int(pod))]
    )
    barred = with_bars(
        instance, [("train", BarredPod(site="hall", pod=fine)), ("train", BarredPod(site="hall", pod="x|y|1"))]
    )
    assert {entry.pod for _, entry in unproven_bars(barred)} == {fine, "x|y|1"}
    run(barred, SETTINGS, tmp_path / "run")
    with pytest.raises(VerificationError, match="without_layout"):
        certify_run(tmp_path / "run", sample=0)


def test_a_design_that_is_barred_does_not_verify(instance: Instance) -> None:
    from optimizer.verify import verify_design

    design = run(instance, SETTINGS).points[0]
    barred = with_bars(instance, [("train", BarredPod(site="hall", pod=design.pods[0].pod_id))])
    assert any("pod_id" in finding.field for finding in verify_design(barred, design))
    assert not any("pod_id" in finding.field for finding in verify_design(instance, design))


def test_solve_with_layout_from_a_shell(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from optimizer.cli import main

    with pytest.raises(SystemExit) as stop:
        main(["solve", "tiny/performance", "--resolution", "10%", "--layout", "--out", str(tmp_path / "run")])
    assert stop.value.code == 0
    assert "designs laid out" in capsys.readouterr().err
    assert len((tmp_path / "run" / "layouts.csv").read_text().splitlines()) > 1


def test_settings_are_kept(instance: Instance) -> None:
    again = with_bars(instance, [("train", BarredPod(site="hall", pod="a|b|1", reason="r"))])
    assert dataclasses.replace(again, document=instance.document, raw=instance.raw) == instance
    assert again.raw["workloads"]["train"]["design_space"]["without_layout"][0]["reason"] == "r"
    assert "without_layout" not in instance.raw["workloads"]["train"]["design_space"]
