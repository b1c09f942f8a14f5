"""What is set aside while pods are made (fabrics and racks another one beats) is missing in no frontier."""

from __future__ import annotations

import numpy as np
import pytest

from models.candidates import pod, site_fit
from models.candidates.placement import enumerate_candidates

from .cases import candidates, frontier, instance, points

TRIPLES = (("tco", "throughput", "power"), ("capex", "floor", "carbon"))


@pytest.mark.parametrize("objectives", TRIPLES, ids="-".join)
@pytest.mark.parametrize(
    "name",
    [
        "tiny/bandwidth",
        "tiny/thermal-rear-door",
        "tiny/space",
        "tiny/price-basis",
        "tiny/sourcing",
        "tiny/supply",
        "tiny/rules",
    ],
)
def test_nothing_is_lost(name: str, objectives: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    expected = points(frontier(instance(name), candidates(name), objectives))
    monkeypatch.setattr(pod, "unbeaten", lambda table, *_, **__: np.arange(len(table)))
    monkeypatch.setattr(site_fit, "_beats", lambda *_: False)
    everything = enumerate_candidates(instance(name))
    more = sum(len(p) for p in everything.placements) - sum(len(p) for p in candidates(name).placements)
    assert more > 0
    assert points(frontier(instance(name), everything, objectives)) == expected
