"""Files that are no instance, too large for one, or written elsewhere: each answered with a named problem, soon."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from models.errors import InstanceError
from models.loading import load
from models.reading import yaml_file
from models.reading.yaml_file import read_yaml
from optimizer.store import default_folder

BASE = (Path(__file__).resolve().parents[1] / "data" / "instances" / "base.yaml").read_text(encoding="utf-8")


def problems(path: Path, text: str | bytes) -> list[tuple[str, str]]:
    """Code and words of every problem of a file."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InstanceError) as refused:
        load(path)
    return [(problem.code, str(problem)) for problem in refused.value.problems]


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark_change_nothing(tmp_path: Path, ends: str, mark: str) -> None:
    path = tmp_path / "case.yaml"
    path.write_bytes((mark + BASE.replace("\n", ends)).encode())
    assert read_yaml(path).origins["sites.main.utility"] == f"{path}:39"
    assert load(path).sites["main"].utility.value == 5e6


def test_aliases_that_multiply_end_in_a_problem(tmp_path: Path) -> None:
    names = "abcdefghijk"
    lines = [f"{names[0]}: &{names[0]} [{','.join('x' * 10)}]"]
    lines += [f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]" for old, new in itertools.pairwise(names)]
    ((code, words),) = problems(tmp_path / "case.yaml", "\n".join(lines))
    assert code == "too-large"
    assert "200,000 values" in words


@pytest.mark.parametrize("text", ["limits: &l\n  capex: *l\n", "a: &a [*a]\n", "&all\na: *all\n"])
def test_an_alias_that_contains_itself_ends_in_problems(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path / "case.yaml", text)


def test_a_file_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_file, "LARGEST_FILE", 1 << 20)
    ((code, words),) = problems(tmp_path / "case.yaml", b"#" * ((1 << 20) + 1))
    assert (code, "1 MB" in words) == ("too-large", True)
    if Path("/dev/zero").exists():
        with pytest.raises(InstanceError, match="too-large"):
            read_yaml(Path("/dev/zero"))


def test_tabs_are_answered_with_what_to_do(tmp_path: Path) -> None:
    ((code, words),) = problems(tmp_path / "case.yaml", "schema: 1\nsites:\n\tmain: {}\n")
    assert code == "yaml-syntax"
    assert "spaces" in words


@pytest.mark.parametrize("value", ["!!int abc", "!!float x", "2026-13-45"])
def test_values_that_are_not_what_their_tag_or_form_says_end_in_problems(tmp_path: Path, value: str) -> None:
    ((code, _),) = problems(tmp_path / "case.yaml", f"schema: {value}\n")
    assert code in ("yaml-syntax", "schema")


def test_misspelt_keys_that_stand_beside_the_record_are_known(tmp_path: Path) -> None:
    found = problems(tmp_path / "case.yaml", BASE.replace("schema: 1", "schema: 1\nextend: tiny/power\ncatalogs: [x]"))
    words = " ".join(text for _, text in found)
    assert "did you mean 'extends'?" in words
    assert "did you mean 'catalogues'?" in words


@pytest.mark.parametrize("name", ['"a\\nb"', '"\\e[31mred"', "x" * 201, '""'])
def test_names_stand_on_one_line(tmp_path: Path, name: str) -> None:
    named = BASE.replace(next(line for line in BASE.splitlines() if line.startswith("name:")), f"name: {name}")
    ((code, words),) = problems(tmp_path / "case.yaml", named)
    assert code == "value"
    assert "Input should" not in words


@pytest.mark.parametrize(("name", "folder"), [("../x", "x"), ("a/b", "a-b"), ("..", "run"), ("Größe 1", "Größe-1")])
def test_a_run_stays_in_results_whatever_its_name(tmp_path: Path, name: str, folder: str) -> None:
    path = tmp_path / "case.yaml"
    path.write_text(
        BASE.replace(next(line for line in BASE.splitlines() if line.startswith("name:")), f"name: {name}"), "utf-8"
    )
    out = default_folder(load(path), tmp_path)
    assert out.parent == tmp_path / "results"
    assert out.name.startswith(f"{folder}-2")


@pytest.mark.parametrize(
    ("old", "new"), [("5 MW", "1e40 MW"), ("5 MW", "1e-40 MW"), ("60 days", "1e300 days"), ("5 MW", "9" * 5000 + " W")]
)
def test_sizes_that_do_not_occur_are_refused(tmp_path: Path, old: str, new: str) -> None:
    assert old in BASE
    ((code, words),) = problems(tmp_path / "case.yaml", BASE.replace(old, new))
    assert code == "unit"
    assert len(words) < 400


def test_more_sizes_than_can_be_enumerated_are_refused(tmp_path: Path) -> None:
    line = next(line for line in BASE.splitlines() if "largest:" in line)
    many = "sizes: {smallest: 1, largest: 1000000000, step: 1}"
    ((code, words),) = problems(tmp_path / "case.yaml", BASE.replace(line.strip(), many))
    assert code == "value"
    assert "1,000,000,000 sizes; expected at most 100,000" in words


@pytest.mark.parametrize("share", [".inf", "1e-300", "1" + "0" * 400])
def test_shares_that_do_not_occur_are_refused(tmp_path: Path, share: str) -> None:
    found = problems(tmp_path / "case.yaml", BASE.replace("discount_rate: 8 %", f"discount_rate: {share}"))
    assert "beyond any size" in found[0][1]


def test_a_room_that_takes_no_heat_is_refused(tmp_path: Path) -> None:
    line = next(line for line in BASE.splitlines() if "air_per_rack:" in line)
    ((_, words),) = problems(tmp_path / "case.yaml", BASE.replace(line.strip(), "air_per_rack: 0 kW"))
    assert "above 0" in words
