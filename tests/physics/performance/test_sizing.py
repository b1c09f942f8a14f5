from __future__ import annotations

import dataclasses

import pytest

from models.physics.performance.mapping import enumerate_mappings
from models.physics.performance.sizing import usable_sizes
from tests.physics.performance.conftest import CLASSIC, DENSE, EXPERTS

ODD = dataclasses.replace(DENSE, name="odd", layers=13, heads=24, seq=6144)


@pytest.mark.parametrize("model", [DENSE, CLASSIC, EXPERTS, ODD], ids=lambda m: m.name)
@pytest.mark.parametrize("batch", [64, 60, 49])
def test_exactly_the_sizes_that_have_a_mapping(model, batch):
    expected = [n for n in range(30, 151) if len(enumerate_mappings(model, n, batch))]
    assert list(usable_sizes(model, batch, 30, 150)) == expected
    assert 0 < len(expected) < 121
