"""Failures, spares and goodput of pods: against a published run, closed forms and a seeded simulation."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from models.candidates.placement import enumerate_candidates
from models.candidates.pod_goodput import spares_of, standing
from models.candidates.pod_table import PodTable
from models.errors import InstanceError
from models.instance import Instance
from models.loading import load
from models.parts.system import System

BY_PARTS: dict[str, Any] = {"accelerator_failure_rate": None, "node_failure_rate": None}
OPEN = {"utility": "unlimited", "rack_positions": "unlimited"}
HOUR = 3600.0


@cache
def _llama(swap: str | None) -> tuple[Instance, PodTable]:
    """16,384 H100 behind the fabrics of the small case, failing part by part."""
    train: dict[str, Any] = {
        "design_space": {
            "systems": ["dgx_h100"],
            "fabric": {"tiers": [3], "oversubscription": [1]},
            "sizes": {"smallest": 16384, "largest": 16384, "step": 1},
        }
    }
    if swap:
        train["spares"] = {"confidence": "99 %", "replacement": "24 h", "swap": swap, "leaving": "40 %"}
    over = {
        "workloads": {"train": train},
        "sites": {"hall": OPEN},
        "assumptions": {**BY_PARTS, "restart": "8 min", "checkpoint_write": "10 s"},
    }
    instance = load("tiny/performance", overrides=over)
    (table,) = enumerate_candidates(instance).placements
    return instance, table.pods


def test_time_between_interruptions_of_a_published_run_lies_in_the_range() -> None:
    """Llama 3 405B: 419 unplanned interruptions in 54 days on 16,384 H100, 3.1 h between them."""
    from optimizer.reliability import reliability_of

    instance, pods = _llama("3 min")
    for row in range(len(pods)):
        told = reliability_of(instance, pods, row)
        assert 1 / told["failure_high"] < 3.1 * HOUR < 1 / told["failure_low"]
        assert 1 / pods.failure_rate[row] == pytest.approx(3.1 * HOUR, rel=0.15)
        # fleets differ by a factor of two and more, and the range says so
        assert told["failure_high"] / told["failure_low"] > 2


def test_effective_time_of_the_published_run_needs_its_spares() -> None:
    _, with_spares = _llama("3 min")
    _, without = _llama(None)
    assert (with_spares.goodput > 0.9).all()
    assert (without.goodput < 0.6).all()
    assert (with_spares.spares > 0).all()
    assert (without.spares == 0).all()
    assert (with_spares.systems - with_spares.spares == 2048).all()
    assert (with_spares.installed == with_spares.systems * 8).all()
    assert (with_spares.accelerators == 16384).all()
    assert (with_spares.availability > 0.9).all()
    assert (without.availability < 0.2).all()


def test_spares_are_the_fewest_that_hold_in_a_simulation() -> None:
    instance, pods = _llama("3 min")
    system = instance.catalogue.get(System, "dgx_h100")
    stands = standing(instance, "train", system)
    (spares,) = spares_of(instance, "train", system, np.array([2048]))
    assert spares == pods.spares[0]
    rng = np.random.default_rng(11)
    draws = 200_000
    enough = (rng.binomial(2048 + spares, stands, draws) >= 2048).mean()
    fewer = (rng.binomial(2048 + spares - 1, stands, draws) >= 2048).mean()
    noise = 4 * np.sqrt(0.01 * 0.99 / draws)
    assert enough > 0.99 - noise
    assert fewer < 0.99 + noise


def test_more_confidence_never_needs_fewer_spares() -> None:
    counts = []
    for confidence in (0.5, 0.9, 0.99, 0.9999):
        spares = {"confidence": confidence, "replacement": "24 h"}
        instance = load("tiny/performance", overrides={"workloads": {"train": {"spares": spares}}})
        system = instance.catalogue.get(System, "dgx_h100")
        counts.append(spares_of(instance, "train", system, np.array([16, 64, 512])))
    assert all((a <= b).all() for a, b in pairwise(counts))
    assert (np.diff(np.stack(counts), axis=1) >= 0).all()


def test_a_missing_row_and_a_missing_write_time_are_named() -> None:
    with pytest.raises(InstanceError) as caught:
        load("tiny/performance", overrides={"components": {"switch": "tor_swich"}})
    assert "tor_switch" in str(caught.value)
    instance = load("tiny/performance", overrides={"assumptions": {"checkpoint_write": None}})
    with pytest.raises(InstanceError, match="checkpoint_write"):
        enumerate_candidates(instance)
