"""Spares, storage and networks in the program: the engine lists what trying everything gives, and storage buys goodput."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from models.candidates.placement import Candidates, enumerate_candidates
from models.instance import Instance
from models.loading import load

from .brute_force import legal_designs, nondominated, values
from .cases import frontier, points

SPARES = {"confidence": "99 %", "replacement": "24 h", "swap": "5 min"}
STORAGE = {"write": ["4 GB/s", "40 GB/s", "400 GB/s"], "dataset": "20 TB", "nodes": ["weka_node", "jbof_generic"]}
NETWORKS = {
    "storage": {"speed": "400 Gbit/s", "ports_per_system": 2, "oversubscription": [2]},
    "front_end": {"speed": "400 Gbit/s", "ports_per_system": 1, "oversubscription": [4]},
    "management": {"speed": "1 Gbit/s", "ports_per_system": 2, "uplinks": "100 Gbit/s", "oversubscription": [1]},
}
BY_PARTS = {"accelerator_failure_rate": None, "node_failure_rate": None, "checkpoint_write": None}
SHARED = {"write": "62 GB/s", "read": "50 GB/s", "capacity": "1 PB"}

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "own storage": (
        "tiny/performance",
        {"workloads": {"train": {"spares": SPARES, "storage": STORAGE, "networks": NETWORKS}}, "assumptions": BY_PARTS},
    ),
    "one storage for two clusters": (
        "tiny/two-clusters",
        {
            "workloads": {
                "train": {"storage": {"write": ["20 GB/s", "60 GB/s", "62 GB/s"], "shared": True}},
                "chat": {"storage": {"write": ["1 GB/s"], "read": "20 GB/s", "dataset": "10 TB", "shared": True}},
            },
            "sites": {"hall": {"storage": SHARED}},
        },
    ),
    "limits on what stands": (
        "tiny/serving",
        {"limits": {"availability": "99.9 %", "blast_radius": 40}},
    ),
}
OBJECTIVES = (("tco", "throughput", "power"), ("capex", "goodput"), ("tco", "availability", "blast_radius"))


@cache
def _case(name: str) -> tuple[Instance, Candidates]:
    base, overrides = CASES[name]
    instance = load(base, overrides=overrides)
    return instance, enumerate_candidates(instance)


@pytest.mark.parametrize("objectives", OBJECTIVES, ids="-".join)
@pytest.mark.parametrize("name", CASES)
def test_the_frontier_is_what_trying_everything_gives(name: str, objectives: tuple[str, ...]) -> None:
    instance, found = _case(name)
    expected = nondominated(values(instance, legal_designs(instance, found), objectives))
    assert expected
    assert points(frontier(instance, found, objectives)) == expected
    assert points(frontier(instance, found, objectives, pruned=False)) == expected


def test_storage_buys_goodput() -> None:
    _, found = _case("own storage")
    (table,) = found.placements
    pods = table.pods
    compared = 0
    for key in {(int(r), int(f), int(t)) for r, f, t in zip(pods.rack, pods.fabric, pods.table, strict=True)}:
        rows = np.flatnonzero((pods.rack == key[0]) & (pods.fabric == key[1]) & (pods.table == key[2]))
        rows = rows[np.argsort(pods.write_bandwidth[rows])]
        assert (np.diff(pods.write_bandwidth[rows]) > 0).all()
        assert (np.diff(pods.write[rows]) < 0).all()
        assert (np.diff(pods.goodput[rows]) > 0).all()
        assert (np.diff(pods.cost_low[4, rows]) > 0).all()
        assert (np.diff(pods.storage_nodes[rows]) != 0).all()
        compared += len(rows) > 1
    assert compared
    frontier_has = points(frontier(*_case("own storage"), ("capex", "goodput")))
    assert len(frontier_has) > 2


def test_taking_the_shared_storage_away_takes_designs_away() -> None:
    base, overrides = CASES["one storage for two clusters"]
    roomy = {**overrides, "sites": {"hall": {"storage": {"write": "1 TB/s", "read": "1 TB/s", "capacity": "9 PB"}}}}
    tight = {**overrides, "sites": {"hall": {"storage": {**SHARED, "capacity": "12 TB"}}}}
    counts = []
    for change in (roomy, overrides, tight):
        instance = load(base, overrides=change)
        counts.append(len(legal_designs(instance, enumerate_candidates(instance))))
    assert counts[0] > counts[1] > counts[2] == 0


def test_every_watt_and_dollar_of_services_is_counted() -> None:
    plain = load("tiny/performance")
    instance, found = _case("own storage")
    (bare,) = enumerate_candidates(plain).placements
    (table,) = found.placements
    pods = table.pods
    assert np.allclose(pods.air + pods.rear_door + pods.liquid, pods.it, rtol=1e-12)
    assert pods.it[1].min() > bare.pods.it[1].min()
    assert (pods.spares > 0).all()
    assert (pods.storage_racks > 0).all()
    assert (pods.network_row >= 0).all()
    from models.candidates.part_counts import parts_of, units_per_pod
    from optimizer.bom import pod_lines

    for row in range(0, len(table), 17):
        lines = list(pod_lines(instance, table, row, 1))
        pod = int(table.pod[row])
        for low, column in ((True, pods.cost_low), (False, pods.cost_high)):
            paid = sum(line.quantity * (line.unit_price_low if low else line.unit_price_high) for line in lines)
            assert paid == pytest.approx(column[:, pod].sum(), rel=1e-12)
        bought: dict[str, int] = {}
        for line in lines:
            bought[line.part] = bought.get(line.part, 0) + line.quantity
        counted = {part: int(units_per_pod(pods, part)[pod]) for part in parts_of(pods)}
        assert bought == {part: count for part, count in counted.items() if count}
