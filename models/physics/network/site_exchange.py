"""Exchange of gradients (or of parameters) between pods at several sites, over a ring of links.

A ring all-reduce of S bytes over n pods has 2 (n - 1) steps, in each of which every link carries S / n bytes one way. A step lasts
as long as its slowest link takes:

    t = 2 (n - 1) * max over links l of (S / (n * bandwidth[l]) + latency[l])

Two pods are a ring over one link, used both ways. The whole is counted, none of it behind computation.
Source: P. Patarasuk, X. Yuan, Bandwidth optimal all-reduce algorithms for clusters of workstations, 2009.
"""

from __future__ import annotations

from collections.abc import Sequence


def exchange_time(size: float, pods: int, bandwidths: Sequence[float], latencies: Sequence[float]) -> float:
    """Seconds of one exchange of ``size`` bytes between ``pods`` pods on a ring of links (bandwidth [B/s] each way, latency [s])."""
    slowest = max(size / (pods * rate) + wait for rate, wait in zip(bandwidths, latencies, strict=True))
    return 2.0 * (pods - 1) * slowest
