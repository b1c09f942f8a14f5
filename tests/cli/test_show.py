"""``show`` from a shell: a frontier, a design as a page, and what it says to a name it does not know."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from optimizer import load
    from optimizer.solve import solve

    run = tmp_path_factory.mktemp("show") / "run"
    solve(load("tiny/thermal-liquid"), resolution="exact", out=run)
    return run


@pytest.fixture(scope="module")
def ids(solved: Path) -> list[str]:
    return [json.loads(line)["design_id"] for line in (solved / "designs.jsonl").read_text().splitlines()]


def test_the_whole_frontier(cli: Callable, solved: Path, ids: list[str]) -> None:
    done = cli("show", str(solved))
    assert (done.code, done.err) == (0, "")
    assert all(f"\n{name} " in done.out for name in ids)
    assert "Proof: complete and exact" in done.out
    document = cli("show", str(solved / "manifest.json"), "--json").document
    assert document["schema"] == "refarch/show/1"
    assert [design["design_id"] for design in document["data"]["designs"]] == ids


def test_one_design_as_a_page(cli: Callable, solved: Path, ids: list[str]) -> None:
    done = cli("show", str(solved), ids[0])
    assert done.code == 0
    design = json.loads((solved / "designs.jsonl").read_text().splitlines()[0])
    for title in (
        "Objectives",
        "Pod 1 of 1",
        "Fabric:",
        "Reliability:",
        "Plant",
        "Bill of materials",
        "Limits",
        "Assumptions",
    ):
        assert title in done.out
    for line in design["bom"]:
        assert line["part"] in done.out
        assert f"{line['quantity']:,}" in done.out
        assert line["source"] in done.out
    for choice in design["plant"]:
        assert choice["part"] in done.out
    for margin in design["margins"]:
        assert margin["source"] in done.out
    fabric = design["pods"][0]["fabric"]
    row = next(line.split() for line in done.out.splitlines() if line.strip().startswith("leaf "))
    assert [int(cell) for cell in row[2:8]] == [
        fabric["leaf"], fabric["leaf_ports"], fabric["leaf_down_used"], fabric["leaf_up_used"], fabric["leaf_reserved"],
        fabric["leaf_spare"],
    ]  # fmt: skip
    assert "facility team" in done.out
    assert "price_usd_low" in done.out


def test_assumptions_nobody_states_are_the_catalogues_with_source_and_confidence(
    cli: Callable, solved: Path, ids: list[str]
) -> None:
    lines = [" ".join(line.split()) for line in cli("show", str(solved), ids[0]).out.splitlines()]
    for figure, source, confidence in (
        ("rack_pdus_per_feed 2", "unverified, no document seen", "unverified"),
        ("weight_per_unit 31 kg", "arithmetic on this catalogue", "published-estimate"),
        ("weight_of_door 150 kg", "Meta Open Rack V3 frame", "published-estimate"),
        ("cable_depth 0.15 m", "unverified, no document seen", "unverified"),
    ):
        (told,) = [line for line in lines if line.startswith(f"{figure} the catalogue {source}")]
        assert told.endswith(f"({confidence}) class_figures.csv")
    (stated,) = [line for line in lines if line.startswith("checkpoint_write 30 s operations")]
    assert "performance.yaml:" in stated


def test_binding_limits_come_first_and_in_words(cli: Callable, solved: Path) -> None:
    for text in (solved / "designs.jsonl").read_text().splitlines():
        design = json.loads(text)
        binding = [margin for margin in design["margins"] if margin["binding"]]
        out = cli("show", str(solved), design["design_id"]).out
        limits = out.partition("\nLimits\n")[2].splitlines()
        for line, margin in zip(limits, binding, strict=False):
            assert line == f"  binds: {margin['says']}  [{margin['source']}]"
        if not binding:
            assert limits[0] == "  none binds"


def test_the_start_of_an_id_is_enough(cli: Callable, solved: Path, ids: list[str]) -> None:
    length = next(n for n in range(1, 13) if sum(one.startswith(ids[1][:n]) for one in ids) == 1)
    document = cli("show", str(solved), ids[1][:length], "--json").document
    assert document["data"]["design"]["design_id"] == ids[1]


def test_an_unknown_design(cli: Callable, solved: Path, ids: list[str]) -> None:
    near = ids[0][:11] + ("0" if ids[0][11] != "0" else "1")
    done = cli("show", str(solved), near)
    assert done.code == 2
    assert ids[0] in done.err
    ambiguous = cli("show", str(solved), "")
    assert ambiguous.code == 2
    assert f"{len(ids)} designs begin with" in ambiguous.err


def test_an_unknown_run(cli: Callable, tmp_path: Path) -> None:
    assert cli("show", str(tmp_path / "none")).code == 2
    assert cli("show", str(tmp_path)).code == 2


SERVICES = {
    "workloads": {
        "train": {
            "spares": {"confidence": "99 %", "replacement": "24 h"},
            "storage": {"write": ["40 GB/s"], "dataset": "20 TB"},
            "networks": {
                "storage": {"speed": "400 Gbit/s", "ports_per_system": 2},
                "management": {"speed": "1 Gbit/s", "ports_per_system": 2, "uplinks": "100 Gbit/s"},
            },
        }
    },
    "assumptions": {"accelerator_failure_rate": None, "node_failure_rate": None},
}


@pytest.fixture(scope="module")
def serviced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from models.loading import load
    from optimizer.solve import solve

    folder = tmp_path_factory.mktemp("serviced") / "run"
    solve(load("tiny/performance", overrides=SERVICES), ["capex", "throughput"], "exact", out=folder)
    return folder


def test_every_network_the_budget_the_spares_and_the_storage_are_shown(cli: Callable, serviced: Path) -> None:
    design = json.loads((serviced / "designs.jsonl").read_text().splitlines()[0])
    pod = design["pods"][0]
    done = cli("show", str(serviced), design["design_id"])
    for words in (
        "Fabric:",
        "Storage network:",
        "Management network:",
        "Reliability:",
        "Spares:",
        "Storage:",
        "chosen",
    ):
        assert words in done.out
    for cause in pod["reliability"]["causes"]:
        assert cause["cause"] in done.out
    leaves = [line.split() for line in done.out.splitlines() if line.strip().startswith("leaf ")]
    fabrics = [pod["fabric"], *pod["networks"].values()]
    assert [int(row[2]) for row in leaves if row[1] not in ("switches", "-")] == [fabric["leaf"] for fabric in fabrics]


def test_graph_and_cables_of_all_networks(cli: Callable, serviced: Path, tmp_path: Path) -> None:
    import csv

    import networkx as nx

    design = json.loads((serviced / "designs.jsonl").read_text().splitlines()[0])
    pod = design["pods"][0]
    graphml, cables = tmp_path / "fabric.graphml", tmp_path / "cables.csv"
    done = cli("show", str(serviced), design["design_id"], "--graphml", str(graphml), "--cables", str(cables))
    assert done.code == 0
    graph = nx.read_graphml(graphml)
    kinds = [facts["kind"] for _, facts in graph.nodes(data=True)]
    fabrics = [pod["fabric"], *pod["networks"].values()]
    assert kinds.count("system") == pod["systems"]
    assert kinds.count("storage") == pod["storage"]["nodes"]
    assert kinds.count("leaf") == sum(fabric["leaf"] for fabric in fabrics)
    levels = ("links_node_leaf", "logical_leaf_spine", "links_spine_core")
    links = sum(fabric[level] for fabric in fabrics for level in levels)
    assert graph.number_of_edges() == links
    rows = list(csv.DictReader(cables.open(encoding="utf-8")))
    assert len(rows) == links
    ends = [row[end] for row in rows for end in ("a_end", "b_end")]
    assert len(set(ends)) == len(ends)
    assert all(row["medium"] and float(row["length_m"]) > 0 for row in rows)
    managed = [v for v in graph if "/scale-out/" in v and any("/management/" in n for n in graph.neighbors(v))]
    assert len(managed) == pod["fabric"]["leaf"] + pod["fabric"]["spine"]
    assert cli("show", str(serviced), design["design_id"], "--cables", str(cables)).code == 2
    assert cli("show", str(serviced), "--cables", str(tmp_path / "other.csv")).code == 2


def test_several_clusters_stand_below_one_another(cli: Callable, tmp_path: Path) -> None:
    from optimizer import load
    from optimizer.solve import solve

    frontier = solve(load("tiny/two-clusters"), ["tco", "power"], out=tmp_path / "run")
    lines = cli("show", str(tmp_path / "run")).out.splitlines()
    (head,) = (number for number, line in enumerate(lines) if line.startswith("design "))
    rows = lines[head + 1 : head + 1 + 2 * len(frontier)]
    place = lines[head].index("cluster")
    assert [row[place:].split()[0] for row in rows] == ["train", "chat"] * len(frontier)
    assert [row.split()[0] for row in rows[::2]] == [d.design_id for d in frontier.points]
    assert all(d.choices["chat.system"] in row for d, row in zip(frontier.points, rows[1::2], strict=True))
    assert max(map(len, lines[head : head + len(rows)])) <= 120


@pytest.mark.parametrize(
    "change", [{"proof": {"zzz": 1}}, {"objectives": [{"name": "tco"}]}, {"solves": None, "proof": 5}]
)
def test_a_manifest_of_another_version_is_named(cli: Callable, solved: Path, tmp_path: Path, change: dict) -> None:
    run = tmp_path / "run"
    shutil.copytree(solved, run)
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["frontier"].update(change)
    (run / "manifest.json").write_text(json.dumps(manifest))
    done = cli("show", str(run))
    assert done.code == 2
    assert "was edited, or written by another version" in done.err
