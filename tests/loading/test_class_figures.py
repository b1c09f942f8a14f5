"""What an instance leaves out and the catalogue knows of a class: filled in with its source, and overridden by whoever states it."""

from __future__ import annotations

from math import ceil
from pathlib import Path

import pytest

from models.loading import load
from models.parts.class_figure import ClassFigure
from models.parts.part import Confidence, Part
from models.shipped import catalogue_folder, shipped_instances


def test_every_figure_has_a_field_that_some_shipped_instance_leaves_to_it() -> None:
    known = load("tiny/performance").catalogue.of(ClassFigure)
    left_out = {row.field for row in known.values() if row.field.split(".")[0] in ("assumptions", "components")}
    assert len(left_out) == 10
    names = {row.field.rpartition(".")[2] for row in known.values()}
    written = "".join(path.read_text() for path in shipped_instances().values())
    assert {"rejection", "loop", "topology"} <= {word.strip(" {:") for word in written.replace(":", " ").split()}
    assert {"approach", "pump_efficiency", "overload"} <= names


def test_a_figure_of_the_catalogue_says_who_states_it_and_how_well() -> None:
    given = load("tiny/performance").assumptions
    assert given.weight_of_door.value == 150.0
    assert given.weight_of_door.owner == "the catalogue"
    assert given.weight_of_door.reason.endswith("(published-estimate)")
    assert given.cable_depth.reason.endswith("(unverified)")


def test_who_states_a_figure_has_the_word() -> None:
    overrides = {"assumptions": {"weight_of_door": "70 kg"}, "components": {"fans_per_node": 3}}
    instance = load("tiny/performance", overrides=overrides)
    assert (instance.assumptions.weight_of_door.value, instance.assumptions.weight_of_door.owner) == (70.0, "")
    assert (instance.components.fans_per_node, instance.components.dimms_per_cpu) == (3, 16)


def test_a_catalogue_of_ones_own_overrides_a_figure(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    row = "weight_of_upright,7 kg,rack PDU data sheet,vendor-spec\n"
    (tmp_path / "mine" / "class_figures.csv").write_text("id,value,source,confidence\n" + row)
    (tmp_path / "own.yaml").write_text("extends: tiny/performance\nname: own\ncatalogues: [mine]\n")
    given = load(tmp_path / "own.yaml").assumptions
    assert (given.weight_of_upright.value, given.weight_of_upright.reason) == (7.0, "rack PDU data sheet (vendor-spec)")


def test_figures_of_options_reach_those_that_leave_them_out_and_no_others() -> None:
    site = load("tiny/thermal-weather").sites["hall"]
    cooler, tower = (site.liquid[name].equipment[1].rejection for name in ("dry_s40", "tower_s40"))
    assert cooler is not None and tower is not None
    assert (cooler.approach, tower.approach, cooler.cycles) == (8.0, 6.0, 5.0)
    loops = [use.loop for use in site.liquid["dry_s40"].equipment if use.loop is not None]
    assert [loop.pump_efficiency for loop in loops] == [0.5]
    assert site.power["ups"].overload == 1.0
    blocks = load("tiny/power-blocks").sites["hall"].power.values()
    # one of them states its own, no short-time rating
    assert {option.overload for option in blocks if option.topology is not None} == {1.0, 1.25}


def test_an_unstated_mass_is_no_less_than_any_stated_one_per_unit() -> None:
    instance = load("tiny/performance")
    stated = [
        part.weight / ceil(part.height_units)  # type: ignore[attr-defined]
        for part in instance.catalogue
        if getattr(part, "weight", None) and getattr(part, "height_units", None)
    ]
    assert max(stated) <= instance.assumptions.weight_per_unit.value < 1.1 * max(stated)


def test_the_masses_that_notes_tell_are_in_their_column() -> None:
    instance = load("tiny/performance")
    by_id: dict[str, Part] = {part.id: part for part in instance.catalogue}
    masses = {"cdu_inrack_250": 114.0, "cdu_inrow_1350": 1086.0, "cdu_vertiv_2300": 1793.0, "smc_ssg641e": 98.0}
    assert {name: by_id[name].weight for name in masses} == masses  # type: ignore[attr-defined]


@pytest.mark.parametrize("row", list(load("tiny/performance").catalogue.of(ClassFigure).values()), ids=lambda r: r.id)
def test_a_figure_without_a_document_says_so(row: ClassFigure) -> None:
    assert (row.confidence is Confidence.UNVERIFIED) == row.source.startswith("unverified")
    assert catalogue_folder().joinpath(ClassFigure.file).read_text().count(f"\n{row.id},") == 1
