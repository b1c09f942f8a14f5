"""Training over several sites: frontiers against everything tried out, and paces against a step that is timed pod by pod."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from models.candidates.batch_split import parts_at, ways_of
from models.candidates.placement import enumerate_candidates
from models.errors import InstanceError
from models.formulation.build import build
from models.formulation.core import block_name
from models.instance import Instance
from models.loading import load
from models.parts.accelerator import Accelerator
from models.parts.model_card import ModelCard
from models.parts.system import System
from models.physics.network.site_exchange import exchange_time
from optimizer.compile import compile_formulation
from optimizer.extract import design_of
from optimizer.pareto import RunLimits, solve
from optimizer.verification.designs import check_design
from optimizer.verification.plant import Plant
from tests.candidates import given_function

from .brute_force import legal_designs, nondominated, values
from .cases import frontier, points

NAME = "tiny/split-training"
THIRD: dict[str, Any] = {
    "workloads": {
        "train": {
            "split": {"sites_at_most": 3, "parts": 3, "sync_every": 1},
            "design_space": {"sizes": {"smallest": 128, "largest": 256, "step": 128}},
        }
    },
    "sites": {"annex": {**json.loads(json.dumps(load(NAME).raw["sites"]["hall"])), "utility": "210 kW"}},
    "links": {
        "waves": None,
        "east": {"between": ["fjord", "annex"], "bandwidth": "800 Gbit/s", "latency": "5 ms", "price": "9 kUSD/month"},
        "south": {"between": ["annex", "hall"], "bandwidth": "3.2 Tbit/s", "latency": "1 ms"},
    },
}
CHAT = {
    "kind": "serving", "model": "llama31_8b", "dtype": "bf16", "rate": "30 ktoken/s", "prompt": "1000 token",
    "answer": "500 token", "pods_at_most": 1, "sites": ["hall"],
    "design_space": {
        "systems": ["dgx_h100"], "frames": ["eia48"], "cooling": ["air"], "preliminary_parts": False,
        "fabric": {"switches": ["qm9700"], "media": ["dac_400", "sr4_400", "dr4_400", "sr8_800", "dr8_800"],
                   "speeds": ["400 Gbit/s"], "tiers": [2], "oversubscription": [1]},
        "sizes": {"smallest": 16, "largest": 16, "step": 16},
    },
}  # fmt: skip
SMALL = {"workloads": {"train": {"tokens": "3 Ttoken", "design_space": {"sizes": {"largest": 256}}}}}
CASES: dict[str, dict[str, Any]] = {
    "three sites": THIRD,
    "a floor on useful time": {"limits": {"goodput": 0.985}},
    "a floor on availability": {"limits": {"availability": 0.998}},
    "a ceiling on opex": {"limits": {"opex": "5.6 MUSD"}},
    "a floor on injection": {"workloads": {"train": {"injection_at_least": "400 Gbit/s"}}, "limits": {"blast_radius": 32}},
    "another cluster": {"workloads": {**SMALL["workloads"], "chat": CHAT}, "sites": {"hall": {"utility": "1 MW"}}},
    "no site alone": {"workloads": {"train": {"sites": ["fjord", "hall"], "split": {"parts": 2}}}},
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_frontier_is_what_trying_everything_gives(name: str) -> None:
    inst = load(NAME, overrides=CASES[name])
    found = enumerate_candidates(inst)
    for objectives in (("tco", "throughput_x_demand", "power"), ("tco", "goodput", "availability")):
        expected = nondominated(values(inst, legal_designs(inst, found), objectives))
        assert expected
        assert points(frontier(inst, found, objectives)) == expected
        assert points(frontier(inst, found, objectives, pruned=False)) == expected


def test_three_sites_train_together_where_two_are_too_small() -> None:
    """The demand raised until a ring of three links is needed: all of it is recomputed from the design alone."""
    finer = {"train": {**THIRD["workloads"]["train"], "split": {"sites_at_most": 3, "parts": 5, "sync_every": 16}}}
    inst = load(NAME, overrides={**THIRD, "workloads": finer, "limits": {"throughput": "4.3 Mtoken/s"}})
    design = cheapest(inst)
    assert sorted(pod.site for pod in design.pods) == ["annex", "fjord", "hall"]
    (ring,) = design.exchanges
    assert sorted(ring.links) == ["east", "fibre", "south"]
    assert not check_design(inst, design, Plant(inst)).findings


def cheapest(inst: Instance) -> Any:
    formulation = build(inst, ["tco"])
    model = compile_formulation(formulation)
    result = solve(model, limits=RunLimits(solves=200))
    return design_of(formulation, model, result.solutions[0])


@pytest.mark.parametrize("name", [*CASES, "mapping"])
def test_designs_are_recomputed_without_a_finding(name: str) -> None:
    inst = load(NAME, overrides=CASES.get(name, MAPPED))
    design = cheapest(inst)
    assert not check_design(inst, design, Plant(inst)).findings
    counted = sum(v for k, v in design.objectives.items() if "throughput" in k)
    assert counted <= design.figures["throughput_tokens_per_s"] + 1e-6


MAPPED: dict[str, Any] = {
    "workloads": {
        "train": {
            "throughput": "mapping", "global_batch": "4.194304 Mtoken", "tokens": "4 Ttoken",
            "design_space": {"sizes": {"largest": 256}},
        }
    }
}  # fmt: skip


def test_the_pace_of_a_pod_is_that_of_a_job_timed_step_by_step() -> None:
    """A step computes its share, exchanges gradients inside the pod, and every H-th step between the sites."""
    inst = load(NAME)
    train = inst.workloads["train"]
    given = inst.assumptions
    params = inst.catalogue.get(ModelCard, train.model).shape().params()
    seen = set()
    for placements in enumerate_candidates(inst).placements:
        pods = placements.pods
        for row in range(len(pods)):
            share = int(pods.parts[row]) / 4
            n = int(pods.accelerators[row])
            part = inst.catalogue.get(
                Accelerator, inst.catalogue.get(System, pods.rack_design(row).system.id).accelerator
            )
            sustained = part.peak("bf16") * given.training_derating.value
            compute = 6 * params * share * train.global_batch / (n * sustained)
            inside = 4 * params / train.model_parallel / float(pods.bisection[row]) * given.exposed_communication.value
            steps = 4 * (compute + inside) + float(pods.exchange[row])
            assert pods.pace[row] == pytest.approx(4 * train.global_batch / steps, rel=1e-12)
            assert pods.throughput[row] == pytest.approx(share * pods.pace[row], rel=1e-12)
            seen.add((share, float(pods.exchange[row]) > 0))
    assert seen == {(0.25, True), (0.5, True), (0.75, True), (1.0, False)}


def test_alone_a_cluster_that_may_be_split_is_the_one_that_may_not() -> None:
    """Pods that take the whole batch have the figures they have without ``split``, to the last digit."""
    free = load(NAME)
    bound = load(NAME, overrides={"workloads": {"train": {"split": None}}, "links": None})
    for one, other in zip(enumerate_candidates(free).placements, enumerate_candidates(bound).placements, strict=True):
        whole = one.pods.take(one.pods.exchange == 0)
        assert whole.pace.tolist() == other.pods.throughput.tolist()
        for column in ("it", "cost_low", "goodput", "availability", "throughput"):
            assert getattr(whole, column).tolist() == getattr(other.pods, column).tolist()


def test_slower_exchanges_and_rarer_ones_move_the_frontier_the_right_way() -> None:
    best = []
    for every, latency in ((1, "20 ms"), (4, "20 ms"), (64, "20 ms"), (4, "500 ms")):
        change = {
            "workloads": {"train": {"split": {"sync_every": every}}},
            "links": {"waves": None, "fibre": {"latency": latency}},
        }
        inst = load(NAME, overrides=change)
        best.append(-min(p[0] for p in points(frontier(inst, enumerate_candidates(inst), ("throughput",)))))
    assert best[0] < best[1] < best[2]
    assert best[3] < best[1]


@pytest.mark.parametrize(
    ("size", "pods", "rates", "latencies", "seconds"),
    [
        (16e9, 2, [50e9], [0.02], 2 * (8e9 / 50e9 + 0.02)),
        (12e9, 3, [1e9, 2e9, 4e9], [0.0, 0.0, 0.0], 4 * 4.0),
        (12e9, 3, [4e9, 4e9, 4e9], [0.0, 9.0, 0.0], 4 * (1.0 + 9.0)),
    ],
)  # fmt: skip
def test_an_exchange_is_a_ring_at_the_pace_of_its_slowest_link(
    size: float, pods: int, rates: list[float], latencies: list[float], seconds: float
) -> None:
    assert exchange_time(size, pods, rates, latencies) == pytest.approx(seconds, rel=1e-12)


def test_of_rings_only_those_that_none_beats_in_time_and_price_remain() -> None:
    change: dict[str, Any] = {
        "links": {
            "slow": {"between": ["hall", "fjord"], "bandwidth": "100 Gbit/s", "latency": "20 ms", "price": "30 kUSD/month"}
        }
    }  # fmt: skip
    assert [way.links for way in ways_of(load(NAME, overrides=change), "train")] == [("waves",), ("fibre",)]
    three = ways_of(load(NAME, overrides=THIRD), "train")
    assert [len(way.sites) for way in three] == [2, 2, 2, 3]
    assert sum(1 for way in three if len(way.links) == 3) == 1
    most = max(part.parts for part in parts_at(load(NAME, overrides=THIRD), "train", "annex") if part.exchange > 0)
    assert most == 2


REFUSED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no link": ({"links": None}, "split", "no link joins two of its sites"),
    "one site": ({"workloads": {"train": {"sites": ["hall"]}}}, "split", "no link joins two of its sites (hall)"),
    "unknown site": ({"links": {"fibre": {"between": ["hall", "fiord"]}}}, "unknown-site", "did you mean 'fjord'"),
    "two ends in one": ({"links": {"fibre": {"between": ["hall", "hall"]}}}, "", "both ends are hall"),
    "no unit": ({"links": {"fibre": {"price": 30}}}, "unit-missing", "50 kUSD/month"),
    "no bandwidth": ({"links": {"fibre": {"bandwidth": "0 Gbit/s"}}}, "", "greater than 0"),
    "parts that do not divide": (
        {"workloads": {"train": {"throughput": "mapping", "global_batch": "4.194304 Mtoken", "split": {"parts": 7}}}},
        "batch-parts", "512 sequences in 7 equal parts",
    ),
    "one part": ({"workloads": {"train": {"split": {"parts": 1}}}}, "", "greater than 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_split_is_refused_with_its_place(name: str) -> None:
    change, code, words = REFUSED[name]
    with pytest.raises(InstanceError) as caught:
        load(NAME, overrides=change)
    assert any(code in (p.code, "") for p in caught.value.problems)
    assert words in str(caught.value)


def test_most_pods_of_the_program_is_one_a_site() -> None:
    inst = load(NAME, overrides=THIRD)
    core = build(inst, ["tco"], pruned=False)
    for placements in core.candidates.placements:
        assert core.blocks[block_name(placements)].upper == 1.0
    assert not compile_formulation(core).choice_groups


def in_thirds(tmp_path: Path, otherwise: str = "refuse", shares: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0)) -> Path:
    """The instance with a team's table for parts of its batch: what first order works out, less a tenth."""
    lines = ["system,accelerators,network [Gbit/s],throughput [ktoken/s],band [%],share"]
    for share in shares:
        for size, rate in ((128, 1500), (256, 2900), (512, 5600)):
            lines.append(f"dgx_h100,{size},100,{rate * (0.9 + 0.1 * share)},3,{share}")
    (tmp_path / "team.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    path = tmp_path / "case.yaml"
    path.write_text(
        f"schema: 1\nextends: {NAME}\nname: case\nworkloads:\n  train:\n    tokens: 5 Ttoken\n"
        f"    throughput: {{table: team.csv, otherwise: {otherwise}}}\n"
        "    design_space: {sizes: {smallest: 128, largest: 384, step: 128}}\n",
        encoding="utf-8",
    )
    return path


def test_a_table_tells_of_parts_of_the_batch(tmp_path: Path) -> None:
    inst = load(str(in_thirds(tmp_path)))
    found = enumerate_candidates(inst)
    objectives = ("tco", "throughput_x_demand")
    expected = nondominated(values(inst, legal_designs(inst, found), objectives))
    assert expected
    assert points(frontier(inst, found, objectives)) == expected
    formulation = build(inst, list(objectives))
    model = compile_formulation(formulation)
    designs = [design_of(formulation, model, x) for x in solve(model, limits=RunLimits(solves=200)).solutions]
    assert any(len(design.pods) == 2 for design in designs)
    for design in designs:
        assert not check_design(inst, design, Plant(inst)).findings
        for pod in design.pods:
            share = pod.batch["parts"] / pod.batch["of"]
            told = {128: 1500e3, 256: 2900e3, 384: 4250e3}[pod.accelerators] * (0.9 + 0.1 * share)
            step = share * inst.workloads["train"].global_batch / told + pod.batch["exchange_s"] / 4
            assert pod.throughput_tokens_s == pytest.approx(share * inst.workloads["train"].global_batch / step)


def test_parts_that_a_table_does_not_tell_of_are_not_taken_or_worked_out(tmp_path: Path) -> None:
    only = enumerate_candidates(load(str(in_thirds(tmp_path, shares=(0.5, 1.0)))))
    assert {int(part) for p in only.placements for part in p.of_pods(p.pods.parts)} == {2, 4}
    every = enumerate_candidates(load(str(in_thirds(tmp_path, "first_order", shares=(0.5, 1.0)))))
    assert {int(part) for p in every.placements for part in p.of_pods(p.pods.parts)} == {1, 2, 3, 4}
    with pytest.raises(InstanceError, match="tells the throughput of the whole batch"):
        load(str(in_thirds(tmp_path, shares=(1.0,))))
    with pytest.raises(InstanceError, match=r"1\.2 of 4 parts"):
        load(str(in_thirds(tmp_path, shares=(0.3, 1.0))))


def _asked_for_parts(system: str, role: str, accelerators: Any, network: Any, share: float) -> Any:
    return 11e3 * accelerators * (0.8 + 0.2 * share)


def test_a_function_is_asked_for_the_share_of_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_function, "known", _asked_for_parts)
    given = {"callable": "tests.candidates.given_function:known"}
    inst = load(NAME, overrides={"workloads": {"train": {"throughput": given, "tokens": "5 Ttoken"}}})
    design = cheapest(inst)
    assert not check_design(inst, design, Plant(inst)).findings
    assert len({pod.batch["parts"] for pod in design.pods}) >= 1
