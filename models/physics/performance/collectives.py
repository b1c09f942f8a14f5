"""Collectives on any number of network levels, with every rail used and oversubscription at its own level.

A group of g ranks, ``stride`` packages apart, has n_i ranks inside one unit of level i (unit 0 is a package, unit 1 a
scale-up domain, ...). Rings run in parallel, one per rank of a unit, so level i carries the group at

    B_i = n_i * rate_i / oversubscription_i * efficiency_i        for every level the group crosses (n_i < g)

and the group moves at the smallest of them: min(scale-up, NIC * k) with k = n_1 on two levels.

    all-gather, reduce-scatter   t = alpha + (g-1)/g * S / B       S bytes of the whole result per rank
    all-reduce                   t = 2 alpha' + 2 (g-1)/g * S / B;  (g+1)/g * S / (B_0 e_switch) with reduction in the switch
    all-to-all                   t = alpha + max_i S (g - n_i)/g / rate_i   each rank sends S bytes in all

Bandwidth inside a domain falls for small groups, e(g) = e_inf (1 - c/g), as measured, and where it has no switches with the links
that the group can use (``_wired``). alpha = start + hop * (steps
inside the domain) + hop_out * log2(domains crossed).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.cards import AcceleratorCard, Network, NetworkTier

Array = NDArray[np.float64]

RING_RANKS = 8.0
"""Ranks of the largest ring whose start-up was measured."""


@dataclass(frozen=True, slots=True)
class Group:
    """Ranks that communicate: size ``g``, ranks per scale-up domain ``inside``, bandwidth [B/s] and latency [s] of a ring.

    ``scatter``: seconds per byte that one rank sends to all others evenly; ``link``: rate of the slowest step from one rank to the next
    [B/s], which a ring of single sends takes at its pace.
    """

    g: Array
    inside: Array
    bandwidth: Array
    alpha: Array
    scatter: Array
    link: Array
    reduction: NDArray[np.bool_]


def group(accelerator: AcceleratorCard, network: Network, g: Array, stride: Array, efficiency: float) -> Group:
    """The group of ``g`` ranks ``stride`` packages apart on this network; ``efficiency`` holds between domains."""
    kernels = accelerator.kernels
    domain = network.tiers[0]
    inside = np.clip(np.floor(domain.size / stride), 1.0, g)
    small = kernels.link_efficiency * (1.0 - kernels.link_small_group / np.maximum(inside, 2.0))
    local = inside > 1.0
    reach, turns = _wired(domain, inside)
    bandwidth = np.where(local, domain.rate * small * reach, np.inf)
    scatter = np.where(local, np.maximum((g - 1.0) / g / reach, turns) / (domain.rate * small), 0.0)
    link = bandwidth
    hops = _steps(inside, domain.size) * domain.hop_s
    unit = domain.size
    for tier in network.tiers[1:]:
        ranks = np.clip(np.floor(unit / stride), 1.0, g)
        rate = tier.rate / tier.oversubscription * efficiency
        crossed = ranks < g
        bandwidth = np.where(crossed, np.minimum(bandwidth, ranks * rate), bandwidth)
        link = np.where(crossed, np.minimum(link, rate), link)
        scatter = np.where(crossed, np.maximum(scatter, (g - ranks) / g / rate), scatter)
        hops = hops + np.where(crossed, tier.hop_s * np.log2(np.maximum(g / ranks, 1.0)), 0.0)
        unit = tier.size
    switch = kernels.switch_reduction
    reduction = (g <= inside) & (g >= 4.0) & (switch is not None)
    return Group(g, inside, bandwidth, kernels.link_start_s + hops, scatter, link, reduction)


def _wired(domain: NetworkTier, inside: Array) -> tuple[Array | float, Array | float]:
    """(share of a package's links that a ring of ``inside`` ranks can use, link-times per byte of an even exchange).

    A torus of A axes and n packages along each gives a group the links of the k axes it needs, n^k >= g. An even exchange on it
    travels a quarter of each axis on average, k n/4 hops over 2k of 2A links: n A/4 link-times per byte. A mesh of N gives g - 1 of
    its N - 1 links.
    """
    axes = float(domain.wiring.axes)
    if domain.wiring.mesh and np.isfinite(domain.size) and domain.size > 1.0:
        return np.maximum(inside - 1.0, 1.0) / (domain.size - 1.0), 0.0
    if axes < 2.0 or not np.isfinite(domain.size) or domain.size <= 1.0:
        return 1.0, 0.0
    along = np.log(np.maximum(inside, 2.0)) / (np.log(domain.size) / axes)
    used = np.clip(np.ceil(along - 1e-9), 1.0, axes)
    return used / axes, inside ** (1.0 / used) * axes / 4.0


def _steps(inside: Array, domain: float) -> Array:
    """Steps a message takes inside a domain: a ring of up to eight ranks, as measured, then the same again per doubling."""
    ring = inside - 1.0
    if domain <= RING_RANKS:
        return ring
    deep = (RING_RANKS - 1.0) * (1.0 + np.log2(np.maximum(inside, RING_RANKS) / RING_RANKS))
    return np.where(inside <= RING_RANKS, ring, deep)


def gather(ranks: Group, size: Array) -> Array:
    """All-gather or reduce-scatter of ``size`` bytes (the whole, before or after), in seconds."""
    return np.where(ranks.g > 1.0, ranks.alpha + (ranks.g - 1.0) / ranks.g * size / ranks.bandwidth, 0.0)


def all_reduce(accelerator: AcceleratorCard, ranks: Group, size: Array) -> Array:
    """All-reduce of ``size`` bytes per rank, in seconds; uses the switch where it can reduce and that is faster."""
    kernels = accelerator.kernels
    hops = 2.0 * ranks.alpha - kernels.link_start_s
    ring = hops + 2.0 * (ranks.g - 1.0) / ranks.g * size / ranks.bandwidth
    if kernels.switch_reduction is not None:
        rate = accelerator.scaleup_rate * kernels.switch_reduction
        switched = hops + (ranks.g + 1.0) / ranks.g * size / rate
        ring = np.where(ranks.reduction, np.minimum(ring, switched), ring)
    return np.where(ranks.g > 1.0, ring, 0.0)


def all_to_all(ranks: Group, size: Array) -> Array:
    """Every rank sends ``size`` bytes, spread evenly over the group; seconds."""
    return np.where(ranks.g > 1.0, ranks.alpha + ranks.scatter * size, 0.0)


def distinct_share(ranks: Group, choices: float, limit: int = 0) -> Array:
    """Share of a token's ``choices`` copies that must travel when each domain gets the token once and hands it on inside.

    Choices fall on domains evenly: k of them reach D (1 - (1 - 1/D)^k) of D domains, at most ``limit`` where routing is limited.
    """
    domains = np.maximum(ranks.g / ranks.inside, 1.0)
    reached = domains * (1.0 - (1.0 - 1.0 / domains) ** choices)
    reached = np.minimum(reached, float(limit)) if limit else reached
    return np.where(domains > 1.0, np.minimum(reached / choices, 1.0), 1.0)
