"""Whatever an instance asks for, pruning placements changes no frontier, and both are what trying everything gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.candidates.placement import enumerate_candidates
from models.errors import InfeasibleError
from models.formulation.build import build
from models.loading import load

from .brute_force import legal_designs, nondominated, values
from .cases import frontier, points

TRIPLES = st.sampled_from(
    [
        ("tco", "throughput", "power"),
        ("capex", "goodput", "floor"),
        ("carbon", "throughput", "capex"),
        ("tco", "throughput"),
        ("power", "capex"),
    ]
)
REDUNDANCY = st.sampled_from(["n", "n+1", "2n"])


@st.composite
def changes(draw: st.DrawFn, cluster: str) -> dict[str, Any]:
    """Other limits, prices, sizes and redundancy for a tiny instance with a hall."""
    serving = cluster == "chat"
    step = draw(st.sampled_from([16, 24] if serving else [64, 96]))
    space: dict[str, Any] = {"sizes": {"smallest": step, "largest": step * draw(st.integers(1, 3)), "step": step}}
    if not serving:
        space["fabric"] = {"oversubscription": draw(st.sampled_from([[1], [1, 4], [2, 7]])), "switches": ["qm9700"]}
    workload: dict[str, Any] = {"design_space": space}
    if serving:
        workload |= {"pods_at_most": draw(st.integers(1, 3)), "rate": f"{draw(st.integers(20, 500))} ktoken/s"}
    else:
        workload |= {"tokens": f"{draw(st.floats(0.5, 5)):.2f} Ttoken"}
        if draw(st.booleans()):
            workload["bisection_at_least"] = f"{draw(st.integers(50, 400))} Gbit/s"
    loading = draw(st.sampled_from([0.0123, 0.03, 0.11, 0.25]))
    return {
        "workloads": {cluster: workload},
        "sites": {
            "hall": {
                "utility": f"{draw(st.integers(60, 700))} kW",
                "utility_figure": draw(st.sampled_from(["nameplate", "design", "typical"])),
                "rack_positions": draw(st.integers(2, 18)),
                "power": {
                    "ups": {"equipment": [{"part": "ups_1500k", "redundancy": draw(REDUNDANCY), "loading": loading}]},
                    "other": {"equipment": [{"part": "xfmr_3000", "redundancy": draw(REDUNDANCY), "loading": loading}]},
                },
            }
        },
        "money": {"price_basis": draw(st.sampled_from(["low", "mid", "high"]))},
        "limits": draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "goodput": st.floats(0.985, 0.999).map(lambda v: round(v, 4)),
                    "capex": st.integers(2, 25).map(lambda v: f"{v} MUSD"),
                    "carbon": st.integers(1000, 9000).map(lambda v: f"{v} t"),
                    "floor": st.integers(2, 15),
                    "power": st.integers(60, 600).map(lambda v: f"{v} kW"),
                },
            )
        ),
    }


def _same(name: str, change: dict[str, Any], objectives: tuple[str, ...]) -> None:
    inst = load(name, overrides=change)
    found = enumerate_candidates(inst)
    expected = nondominated(values(inst, legal_designs(inst, found), objectives))
    try:
        hopeless = build(inst, objectives, candidates=found).hopeless
    except InfeasibleError:
        hopeless = tuple(inst.workloads)
        found = replace(found, placements=())
    if hopeless:
        assert not expected
    if found.placements and not hopeless:
        assert points(frontier(inst, found, objectives)) == expected
    if found.placements:
        assert points(frontier(inst, found, objectives, pruned=False)) == expected


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(change=changes("train"), objectives=TRIPLES)
def test_one_training_cluster(change: dict[str, Any], objectives: tuple[str, ...]) -> None:
    _same("tiny/performance", change, objectives)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(change=changes("chat"), objectives=TRIPLES)
def test_one_serving_cluster(change: dict[str, Any], objectives: tuple[str, ...]) -> None:
    _same("tiny/serving", change, objectives)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(change=changes("train"), other=changes("chat"), objectives=TRIPLES)
def test_two_clusters_sharing_a_plant(
    change: dict[str, Any], other: dict[str, Any], objectives: tuple[str, ...]
) -> None:
    merged = change | {"workloads": change["workloads"] | other["workloads"]}
    _same("tiny/two-clusters", merged, objectives)
