"""Collective microbenchmarks inside one scale-up domain: start-up time and largest bus bandwidth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from models.physics.performance import collectives
from models.physics.performance.cards import Network, NetworkTier
from optimizer.validation.lookup import Lookup
from optimizer.validation.records import Row, SkipRecord, compared

_BAND = 0.20
_LARGE = 8.0 * 2**30
_OPERATIONS = ("all_gather", "reduce_scatter", "all_reduce", "alltoall")


def claims(record: Mapping[str, Any]) -> bool:
    """A record of a collective operation."""
    return "op" in record


def evaluate(record: Mapping[str, Any], lookup: Lookup) -> Iterable[Row]:
    """Start-up time (against the fitted alpha, or the least latency) and largest bus bandwidth."""
    card = lookup.accelerator(record.get("accelerator"))
    operation = str(record["op"])
    if operation not in _OPERATIONS:
        raise SkipRecord(f"no model for the operation {operation!r}")
    if str(record.get("scope", "intra_node")) != "intra_node":
        raise SkipRecord("only collectives inside one scale-up domain are measured without a stated network")
    if "PCIe" in card_technology(record, lookup):
        raise SkipRecord("no scale-up link: collectives over a host bridge are out of scope")
    g = np.array([float(record["n_accel"])])
    network = Network((NetworkTier(math.inf, card.scaleup_rate, card.kernels.link_hop_s),))
    ranks = collectives.group(card, network, g, np.ones(1), 1.0)

    def seconds(size: float) -> float:
        payload = np.array([size])
        if operation == "all_reduce":
            return float(collectives.all_reduce(card, ranks, payload)[0])
        if operation == "alltoall":
            return float(collectives.all_to_all(ranks, payload)[0])
        return float(collectives.gather(ranks, payload)[0])

    share = (2.0 if operation == "all_reduce" else 1.0) * float((g[0] - 1.0) / g[0])
    start = "fit_alpha_us" if record.get("fit_alpha_us") is not None else "min_latency_us"
    if record.get(start) is not None:
        yield compared(record, start, seconds(0.0) * 1e6, float(record[start]), band=_BAND, binding="start-up")
    if record.get("max_busbw_gbps") is not None:
        rate = share * _LARGE / seconds(_LARGE) / 1e9
        yield compared(record, "max_busbw_gbps", rate, float(record["max_busbw_gbps"]), band=_BAND, binding="link")


def card_technology(record: Mapping[str, Any], lookup: Lookup) -> str:
    """What joins the accelerators of the record, as its data sheet names it."""
    from optimizer.validation.lookup import canonical

    return str(lookup.accelerators[canonical(str(record["accelerator"]))].get("scaleup_tech") or "")
