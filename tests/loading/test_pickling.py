"""Instances travel between processes as they are."""

from __future__ import annotations

import pickle

import pytest

from models.loading import load
from models.shipped import shipped_instances


@pytest.mark.parametrize("name", sorted(shipped_instances()))
def test_an_instance_survives_pickling(name: str) -> None:
    instance = load(name)
    again = pickle.loads(pickle.dumps(instance))
    assert again.document == instance.document
    assert again.catalogue.parts == instance.catalogue.parts
    assert again.fingerprint == instance.fingerprint
    assert dict(again.origins) == dict(instance.origins)
