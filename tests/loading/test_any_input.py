"""Whatever stands in the file, the loader answers with an instance or with named problems, never with another error."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.catalogue import Catalogue
from models.errors import Problem
from models.loading import _validated
from models.reading.catalogue_files import read_catalogue
from models.reading.references import check_references
from models.reading.yaml_file import read_yaml
from models.shipped import catalogue_folder

BASE = read_yaml(Path(__file__).resolve().parents[1] / "data" / "instances" / "base.yaml")
ODD = [
    None,
    True,
    -1,
    0,
    2.5,
    float("inf"),
    "",
    "x",
    "5",
    "-3 MW",
    "unlimited",
    [],
    ["x"],
    [None],
    {},
    {"value": None},
    {"a": {}},
]
SMALL = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8))
VALUES = st.recursive(
    SMALL, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def _paths(node: Any, prefix: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield (*prefix, key)
        yield from _paths(value, (*prefix, key))


PATHS = list(_paths(BASE.content))


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    problems: list[Problem] = []
    found = read_catalogue([catalogue_folder()], problems)
    assert problems == []
    return found


def _outcome(path: tuple[Any, ...], value: Any, catalogue: Catalogue) -> list[Problem]:
    """The problems of the base document with one value replaced."""
    content = copy.deepcopy(BASE.content)
    parent = content
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    problems: list[Problem] = []
    document = _validated(content, catalogue, BASE.origins, problems)
    assert document is not None or problems
    problems.extend(check_references(content, catalogue, BASE.origins))
    return problems


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ".".join(map(str, path)))
def test_every_value_replaced_by_odd_ones(path: tuple[Any, ...], catalogue: Catalogue) -> None:
    for value in ODD:
        for problem in _outcome(path, value, catalogue):
            file, _, line = problem.where.rpartition(":")
            assert file == str(BASE.path)
            assert 1 <= int(line) <= 80
            assert problem.code
            assert problem.found
            assert "Input should" not in str(problem)


@settings(max_examples=150, deadline=None)
@given(path=st.sampled_from(PATHS), value=VALUES)
def test_any_value_anywhere(path: tuple[Any, ...], value: Any) -> None:
    _outcome(path, value, Catalogue({}, {}))
