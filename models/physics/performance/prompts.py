"""Prompts that an engine prefills between the tokens it decodes, as they come at random."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.serving_setting import ServingSetting
from models.physics.performance.serving_step import prefill, sum_of

Array = NDArray[np.float64]

CHUNK_TOKENS = 8192.0
"""Prompt tokens an engine prefills in one pass when that many wait."""


def prefill_share(
    s: ServingSetting,
    t: Array,
    batch: Array,
    isl: float,
    osl: float,
    *,
    joined: bool = True,
    balanced: bool = True,
) -> Array:
    """Seconds of prefill that a mean step of an aggregated engine carries, ``batch`` sequences in the replica.

    A step brings ``batch/osl`` new prompts, and they are prefilled as they come: 1 - e^-L of the steps carry any, with L of them a step
    on average, so that few prompts share a pass where L is small. Attention groups of one replica step together, through the exchange of
    their experts. ``balanced``: prompts wait until every group has one, and all prefill at once. Else the group with most new prompts
    holds up the others: with g groups and L prompts each on average, a step waits for the largest of g Poisson numbers, whose mean is
    sum_k 1 - P(N <= k)^g; experts, which all groups share, only see the mean. Prompts ``joined`` to the pass that decodes start no kernels and
    read no weights twice; else they have passes of their own.
    """
    groups = np.ones_like(t) if balanced else s.packages / t
    each = batch * t / s.packages / osl
    longest = np.where(groups > 1.0, largest_of(each, groups), each)
    carrying = -np.expm1(-each * groups)
    prompts = np.minimum(longest / carrying, max(CHUNK_TOKENS / isl, 1.0))
    passes = longest / prompts
    tokens, others = prompts * isl, each / longest
    apart = sum_of(prefill(s, t, tokens, isl, others))
    if not joined:
        return passes * apart
    together = np.minimum(passes, 1.0)
    found: Array = together * sum_of(prefill(s, t, tokens, isl, others, batch)) + (passes - together) * apart
    return found


def largest_of(mean: Array, groups: Array) -> Array:
    """Mean of the largest of ``groups`` independent Poisson numbers of the same ``mean``."""
    counted = np.minimum(mean, MANY_PROMPTS)
    total, at_most = np.zeros_like(mean), np.zeros_like(mean)
    term = np.exp(-counted)
    most = float(counted.max(initial=0.0))
    for k in range(int(np.ceil(most + 12.0 * np.sqrt(most + 1.0))) + 1):
        at_most = np.minimum(at_most + term, 1.0)
        total = total + 1.0 - at_most**groups
        term = term * counted / (k + 1.0)
    # beyond, the numbers are normal: what the largest has more grows with the square root of the mean
    found: Array = mean + (total - counted) * np.sqrt(mean / counted)
    return found


MANY_PROMPTS = 256.0
"""Mean from which a Poisson number counts as normal."""
