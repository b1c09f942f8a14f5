"""Throughput that was given rather than worked out, read again from the run's inputs."""

from __future__ import annotations

import importlib
from math import isnan

import numpy as np

from models.workload import GivenPoint, Training, Workload
from optimizer.design import PodChoice
from optimizer.verification.split import share_of

CLOSE, SAME_SHARE = 1e-9, 1e-6

Known = tuple[float, float]


def given_tokens(workload: Workload, pod: PodChoice, narrowest: float) -> Known | None:
    """Tokens/s of a pod's part of the batch, and their band, from the table or function of its workload; None where not covered.

    ``narrowest`` [B/s] per accelerator at the narrowest tier.
    """
    given = workload.given
    if given is None:
        return None
    if given.callable is not None:
        of_batch = {"share": share_of(pod)} if isinstance(workload, Training) and workload.split is not None else {}
        module, _, name = given.callable.partition(":")
        answer = getattr(importlib.import_module(module), name)(
            pod.system, pod.role, np.array([pod.accelerators]), np.array([narrowest]), **of_batch
        )
        tokens, band = answer if isinstance(answer, tuple) else (answer, 0.0)
        rate = float(np.broadcast_to(tokens, (1,))[0])
        return None if isnan(rate) else (rate, float(np.broadcast_to(band, (1,))[0]))
    mine = [row for row in given.rows if row.system == pod.system and row.role.value == pod.role]
    mine = [row for row in mine if abs(row.share - share_of(pod)) <= SAME_SHARE]
    networks = sorted({row.network for row in mine})
    same = [network for network in networks if abs(network - narrowest) <= CLOSE * network]
    below, above = [n for n in networks if n < narrowest], [n for n in networks if n > narrowest]
    if same or (below and not above):
        return _at_size([row for row in mine if row.network == (same or below)[-1]], pod.accelerators)
    if not below or not above:
        return None
    low = _at_size([row for row in mine if row.network == below[-1]], pod.accelerators)
    high = _at_size([row for row in mine if row.network == above[0]], pod.accelerators)
    if low is None or high is None:
        return None
    return _between(narrowest, (below[-1], low), (above[0], high))


def _at_size(rows: list[GivenPoint], accelerators: int) -> Known | None:
    """Between the listed sizes on either side of the pod's; None beyond them."""
    below = max((row for row in rows if row.accelerators <= accelerators), key=lambda r: r.accelerators, default=None)
    above = min((row for row in rows if row.accelerators >= accelerators), key=lambda r: r.accelerators, default=None)
    if below is None or above is None:
        return None
    ends = [(float(row.accelerators), (row.throughput, row.band)) for row in (below, above)]
    return _between(float(accelerators), *ends)


def _between(at: float, low: tuple[float, Known], high: tuple[float, Known]) -> Known:
    """Linear in between; the wider band of both."""
    (start, (least, one)), (end, (most, other)) = low, high
    share = (at - start) / (end - start) if end > start else 0.0
    return least + share * (most - least), max(one, other)
