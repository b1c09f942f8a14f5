"""Collective microbenchmarks: start-up time and largest bus bandwidth, or bus bandwidth and time of one payload.

Inside one scale-up domain the network is that of the part's sheet; across domains it is the one the record states, else the usual
one of the part, of which a collective that runs alone reaches ``_ALONE``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from models.physics.performance import collectives
from models.physics.performance.cards import AcceleratorCard, Network, NetworkTier
from optimizer.validation.lookup import Lookup
from optimizer.validation.names import canonical
from optimizer.validation.records import Row, SkipRecord, compared

_BAND = 0.20
_LARGE = 8.0 * 2**30
_ALONE = 0.92
"""Share of the printed rate of a link between nodes that a large collective reaches when nothing else runs."""

_OPERATIONS = {
    "all_gather": "gather",
    "allgather": "gather",
    "reduce_scatter": "gather",
    "reducescatter": "gather",
    "all_reduce": "reduce",
    "allreduce": "reduce",
    "alltoall": "exchange",
    "all_to_all": "exchange",
}
_SIZE = re.compile(r"^\s*([\d.]+)\s*([kmgt]?)(i?)b?\s*$", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def claims(record: Mapping[str, Any]) -> bool:
    """A record of a collective operation."""
    return "op" in record


def evaluate(record: Mapping[str, Any], lookup: Lookup) -> Iterable[Row]:
    """Start-up time (against the fitted alpha, or the least latency), largest bus bandwidth, or those of the record's payload."""
    card = lookup.accelerator(record.get("accelerator"))
    operation = _OPERATIONS.get(str(record["op"]).lower().replace("-", "_"))
    if operation is None:
        raise SkipRecord(f"no model for the operation {record['op']!r}")
    if "PCIe" in str(lookup.accelerators[canonical(str(record["accelerator"]))].get("scaleup_tech") or ""):
        raise SkipRecord("no scale-up link: collectives over a host bridge are out of scope")
    g = np.array([float(record["n_accel"])])
    ranks = _group(record, card, lookup, g)

    def seconds(size: float) -> float:
        payload = np.array([size])
        if operation == "reduce":
            return float(collectives.all_reduce(card, ranks, payload)[0])
        if operation == "exchange":
            return float(collectives.all_to_all(ranks, payload)[0])
        return float(collectives.gather(ranks, payload)[0])

    share = (2.0 if operation == "reduce" else 1.0) * float((g[0] - 1.0) / g[0])
    start = "fit_alpha_us" if record.get("fit_alpha_us") is not None else "min_latency_us"
    if record.get(start) is not None:
        yield compared(record, start, seconds(0.0) * 1e6, float(record[start]), band=_BAND, binding="start-up")
    if record.get("max_busbw_gbps") is not None:
        rate = share * _LARGE / seconds(_LARGE) / 1e9
        yield compared(record, "max_busbw_gbps", rate, float(record["max_busbw_gbps"]), band=_BAND, binding="link")
    stated = next(
        (record[key] for key in ("payload", "payload_bytes", "size_bytes") if record.get(key) is not None), None
    )
    if stated is None:
        return
    size = payload_bytes(stated)
    spent = seconds(size)
    bound = "start-up" if seconds(0.0) > 0.5 * spent else "link"
    found = {"busbw_gbps": share * size / spent / 1e9, "algbw_gbps": size / spent / 1e9, "time_us": spent * 1e6}
    for key, value in found.items():
        if record.get(key) is not None:
            yield compared(record, key, value, float(record[key]), band=_BAND, binding=bound)


def _group(record: Mapping[str, Any], card: AcceleratorCard, lookup: Lookup, g: np.ndarray) -> collectives.Group:
    """The ranks of the record: inside one domain, or spread over whole domains."""
    inside = str(record.get("scope") or "intra_node").replace("-", "_") in ("intra_node", "intra_domain", "scale_up")
    per_node = float(record.get("gpus_per_node") or card.scaleup_domain)
    if inside and g[0] <= max(per_node, card.scaleup_domain):
        size = max(per_node, card.scaleup_domain, g[0]) if card.wiring.mesh or card.wiring.axes else math.inf
        network = Network((NetworkTier(size, card.scaleup_rate, card.kernels.link_hop_s, wiring=card.wiring),))
        return collectives.group(card, network, g, np.ones(1), 1.0)
    if per_node < 1.0:
        raise SkipRecord("no accelerators in a node")
    usual = lookup.network(card, record)
    first = NetworkTier(per_node, usual.tiers[0].rate, usual.tiers[0].hop_s)
    return collectives.group(card, Network((first, *usual.tiers[1:])), g, np.ones(1), _ALONE)


def payload_bytes(stated: Any) -> float:
    """Bytes of a payload: a number, or a text such as 64MiB or 1 GB."""
    match = _SIZE.match(str(stated))
    if match is None:
        raise SkipRecord(f"payload {stated!r} is no size")
    return float(match[1]) * (1024.0 if match[3] else 1000.0) ** _POWERS[match[2].lower()]
