"""Catalogue files: what is refused and where, and how a later folder overrides an earlier one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from models.loading import load
from models.parts.network_part import Switch
from models.parts.system import System

HEAD = "id,name,vendor,protocol,ports_at_native,native_port_gbps,price_usd_low,price_usd_high,source,confidence\n"
GOOD = "mine,Mine,Us,Ethernet,64,400,1000,2000,our quote,quote\n"


@pytest.fixture
def with_parts(case: Callable) -> Callable[..., Path]:
    """The base instance with catalogue folders on top."""

    def write(*folders: str) -> Path:
        return case(extra=f"catalogues: [{', '.join(folders or ('parts',))}]\n")

    return write


def test_new_row_is_there_in_canonical_units(with_parts: Callable, catalogue: Callable) -> None:
    catalogue(switches=HEAD + GOOD)
    found = load(with_parts()).catalogue.get(Switch, "mine")
    assert found.native_speed == 50e9
    assert (found.price_low, found.price_high) == (1000.0, 2000.0)
    assert found.max_power is None


CASES = {
    "unknown column": ("id,source,confidence,weigth_kg\na,s,quote,1\n", 1, "unknown-column", "column 'weigth_kg' (did you mean 'weight_kg'?)"),
    "column twice": ("id,source,confidence,protocol,protocol\na,s,quote,IB,IB\n", 1, "duplicate-column", "column 'protocol'"),
    "no id column": ("source,confidence,protocol\ns,quote,IB\n", 1, "missing-column", "no column 'id'"),
    "empty file": ("", 1, "catalogue-empty", "an empty file"),
    "blank file": ("\n\n", 1, "catalogue-empty", "an empty file"),
    "header only": (HEAD, 1, "catalogue-empty", "no rows below the header"),
    "short row": (HEAD + "a,b\n", 2, "row-length", "2 cells; expected 10, as in the header"),
    "no id": (HEAD + GOOD.replace("mine", "", 1), 2, "missing-id", ""),
    "id twice": (HEAD + GOOD + GOOD, 3, "duplicate-id", "id 'mine'"),
    "text for a number": (HEAD + GOOD.replace("400", "fast"), 2, "cell", "mine.native_port_gbps: 'fast' is no number (the column's unit is Gbit/s)"),
    "text for a count": (HEAD + GOOD.replace("64", "many"), 2, "cell", "mine.ports_at_native: "),
    "fractional count": (HEAD + GOOD.replace("64", "64.5"), 2, "cell", "mine.ports_at_native: "),
    "negative count": (HEAD + GOOD.replace("64", "-64"), 2, "cell", "mine: ports_at_native is negative: -64"),
    "negative price": (HEAD + GOOD.replace("1000", "-1000"), 2, "cell", "price_usd_low is negative: -1000"),
    "price range upside down": (HEAD + GOOD.replace("1000", "9000"), 2, "cell", "price_usd_low 9000 is above price_usd_high 2000"),
    "not a number": (HEAD + GOOD.replace("400", "nan"), 2, "cell", "native_port_gbps is not finite"),
    "infinite": (HEAD + GOOD.replace("400", "inf"), 2, "cell", "native_port_gbps is not finite"),
    "unknown confidence": (HEAD + GOOD.replace(",quote", ",sure"), 2, "cell", "mine.confidence: 'sure'; expected 'quote'"),
    "no source": (HEAD + GOOD.replace("our quote", ""), 2, "missing-cell", "mine.source is empty"),
    "semicolons": (HEAD.replace(",", ";") + GOOD.replace(",", ";"), 1, "separator", "separated by ';'; expected commas"),
    "open quote": (HEAD + '"mine,x\n', 2, "csv-syntax", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_refusal(with_parts: Callable, catalogue: Callable, problems: Callable, name: str) -> None:
    text, line, code, words = CASES[name]
    folder = catalogue(switches=text)
    found = problems(with_parts())
    assert len(found) == 1, [str(problem) for problem in found]
    assert str(found[0]).startswith(f"{folder / 'switches.csv'}:{line}: {code}: ")
    assert words in str(found[0])


def test_boolean_cell(with_parts: Callable, catalogue: Callable, problems: Callable) -> None:
    catalogue(switches="id,source,confidence,protocol,price_is_estimate\na,s,quote,IB,perhaps\n")
    assert "'perhaps' is neither True nor False" in str(problems(with_parts())[0])


def test_file_of_no_part_type_names_the_nearest(with_parts: Callable, catalogue: Callable, problems: Callable) -> None:
    folder = catalogue(swiches=HEAD + GOOD)
    (found,) = problems(with_parts())
    assert (
        str(found)
        == f"{folder / 'swiches.csv'}: catalogue-file: no part type of this name (did you mean 'switches.csv'?)"
    )


def test_folder_without_files(with_parts: Callable, catalogue: Callable, problems: Callable) -> None:
    folder = catalogue()
    (found,) = problems(with_parts())
    assert (found.code, found.where) == ("catalogue-empty", str(folder))


def test_folder_that_does_not_exist(with_parts: Callable, problems: Callable, line_of: Callable) -> None:
    path = with_parts("nowhere")
    (found,) = problems(path)
    assert str(found) == f"{path}:{line_of(path, 'catalogues:')}: catalogue-missing: no folder 'nowhere'"


def test_catalogues_that_are_no_list(case: Callable, problems: Callable) -> None:
    (found,) = problems(case(extra="catalogues: parts\n"))
    assert (found.code, found.expected) == ("catalogues", "a list of folders")


def test_file_that_is_no_text(with_parts: Callable, catalogue: Callable, problems: Callable) -> None:
    path = catalogue() / "switches.csv"
    path.write_bytes(b"id,\xff\xfe\n")
    (found,) = problems(with_parts())
    assert str(found) == f"{path}: unreadable: cannot be read: not UTF-8 text"


def test_folder_in_place_of_a_file(with_parts: Callable, catalogue: Callable, problems: Callable) -> None:
    path = catalogue() / "switches.csv"
    path.mkdir()
    (found,) = problems(with_parts())
    assert str(found) == f"{path}: unreadable: cannot be read: Is a directory"


def test_problems_of_catalogue_and_instance_come_together(
    case: Callable, catalogue: Callable, problems: Callable
) -> None:
    catalogue(switches=HEAD + GOOD.replace("64", "many"), nics="id,source,confidence,powr_w\na,s,quote,1\n")
    found = problems(case(("60 days", "60"), extra="catalogues: [parts]\n"))
    assert sorted(problem.code for problem in found) == ["cell", "unit-missing", "unknown-column"]


def test_later_row_overrides_cell_by_cell_and_keeps_the_rest(with_parts: Callable, catalogue: Callable) -> None:
    folder = catalogue(systems="id,price_usd_low,price_usd_high,source,confidence\ndgx_h100,150000,,our quote,quote\n")
    plain = load(with_parts()).catalogue
    shipped = load("tests/data/instances/base.yaml").catalogue.get(System, "dgx_h100")
    found = plain.get(System, "dgx_h100")
    assert (found.price_low, found.source, found.confidence.value) == (150000.0, "our quote", "quote")
    assert found.price_high == shipped.price_high
    assert (found.max_power, found.accelerator) == (shipped.max_power, shipped.accelerator)
    assert plain.origin(found, "price_low") == f"{folder / 'systems.csv'}:2"
    assert plain.origin(found, "max_power").endswith("instances/catalogue/systems.csv:3")


def test_a_source_does_not_speak_for_figures_that_override_its_own(with_parts: Callable, catalogue: Callable) -> None:
    shipped = load("tests/data/instances/base.yaml").catalogue.get(System, "dgx_h100")
    catalogue(systems="id,price_usd_low,price_usd_high,max_power_w\ndgx_h100,150000,160000,10200\n")
    found = load(with_parts()).catalogue.get(System, "dgx_h100")
    said = "price_usd_low, price_usd_high as stated in parts/systems.csv"  # the power is what the source says
    assert (found.source, found.confidence.value) == (f"{shipped.source} ; {said}", "stated")
    assert found.unverified == tuple(dict.fromkeys((*shipped.unverified, "price_usd_low", "price_usd_high")))
    catalogue(systems="id,price_usd_low,source\ndgx_h100,150000,a letter\n")
    found = load(with_parts()).catalogue.get(System, "dgx_h100")
    assert (found.source, found.confidence.value, found.unverified) == ("a letter", "stated", shipped.unverified)
    catalogue(systems="id,price_usd_low,owner\ndgx_h100,,me\n")  # no figure changed
    found = load(with_parts()).catalogue.get(System, "dgx_h100")
    assert (found.source, found.confidence, found.owner) == (shipped.source, shipped.confidence, "me")


def test_columns_of_a_row_nobody_found_are_not_named_one_by_one(with_parts: Callable, catalogue: Callable) -> None:
    catalogue("first", switches=HEAD.strip() + ",fields_unverified\n" + GOOD.strip() + ",all\n")
    catalogue("second", switches="id,price_usd_low\nmine,900\n")
    assert load(with_parts("first", "second")).catalogue.get(Switch, "mine").unverified == ("all",)


def test_the_last_folder_wins(with_parts: Callable, catalogue: Callable) -> None:
    for folder, price in (("first", 1), ("second", 2)):
        catalogue(folder, switches=HEAD + GOOD.replace("1000", str(price)))
    assert load(with_parts("first", "second")).catalogue.get(Switch, "mine").price_low == 2.0
    assert load(with_parts("second", "first")).catalogue.get(Switch, "mine").price_low == 1.0


def test_byte_order_mark_and_windows_line_ends_are_read(with_parts: Callable, catalogue: Callable) -> None:
    folder = catalogue()
    (folder / "switches.csv").write_bytes(("\ufeff" + (HEAD + GOOD).replace("\n", "\r\n")).encode())
    found = load(with_parts()).catalogue.get(Switch, "mine")
    assert (found.vendor, found.confidence.value) == ("Us", "quote")


def test_quoted_cell_over_two_lines_keeps_later_line_numbers(
    with_parts: Callable, catalogue: Callable, problems: Callable
) -> None:
    folder = catalogue(
        switches=HEAD + GOOD.replace("Mine", '"Mi\nne"') + GOOD.replace("mine", "b", 1).replace("64", "x")
    )
    (found,) = problems(with_parts())
    assert found.where == f"{folder / 'switches.csv'}:4"
