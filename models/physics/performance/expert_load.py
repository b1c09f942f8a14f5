"""Rows of the fullest rank over the mean, where the experts of a layer are spread over ranks.

Tokens do not choose experts evenly, the ranks of a layer wait for the fullest, and which experts are chosen most stays the same for hundreds
of steps. Published of DeepSeek-R1, 256 experts of which a token chooses 8, over 32 ranks (NVIDIA/TensorRT-LLM, docs/source/blogs/tech_blog/
blog4_Scaling_Expert_Parallelism_in_TensorRT-LLM.md, table 1, means over layers and steps): experts' rows deviate by 164.1 of 128, ranks' by
491.6 of 1024, the fullest rank has 2.56 times the mean; 1.11 times with redundant experts placed by their load.

    experts    v = V min(1, (E/k - 1)/31)               no expert can have more than E/k times the mean
    ranks      v_n = v n/E (E - n)/(E - 1)              the mean of E/n experts drawn from E
    fullest    exp(s z_n - s^2/2), s^2 = ln(1 + v_n)    mean rank's rows lognormal; z_n the largest of n normal numbers (Blom 1958)

V is what gives the fullest rank of the table; it is more than the experts' own variance there, since layers differ and their fullest is what counts.
"""

from __future__ import annotations

from math import exp, log, sqrt
from statistics import NormalDist

from models.physics.performance.cards import ModelShape

MEASURED_LOAD, MEASURED_RANKS = 2.564, 32
"""Fullest rank over the mean, and ranks (the table above)."""
MEASURED_EXPERTS, MEASURED_CHOICE = 256.0, 8.0
"""Experts of the model it was measured with, and experts chosen by a token."""
BALANCED_LOAD = 1.1
"""Fullest rank over the mean with redundant experts placed by their load (1.109 and 1.115 in the table above)."""


def _largest(numbers: int) -> float:
    """Mean of the largest of so many standard normal numbers."""
    return NormalDist().inv_cdf((numbers - 0.375) / (numbers + 0.25))


def _drawn(experts: float, ranks: float) -> float:
    """Variance of the mean of one rank's experts over that of one expert."""
    return ranks / experts * (experts - ranks) / (experts - 1.0)


def _expert_variance() -> float:
    """V: variance of an expert's rows over their squared mean that gives the measured fullest rank."""
    largest = _largest(MEASURED_RANKS)
    spread = largest - sqrt(largest**2 - 2.0 * log(MEASURED_LOAD))
    return (exp(spread**2) - 1.0) / _drawn(MEASURED_EXPERTS, float(MEASURED_RANKS))


EXPERT_VARIANCE = _expert_variance()


def fullest_rank(model: ModelShape, ranks: int, *, balanced: bool) -> float:
    """Rows of the fullest of ``ranks`` ranks over the mean; 1 where one rank has all experts. ``balanced``: by redundant experts."""
    if ranks < 2 or model.experts < 2:
        return 1.0
    room = (model.experts / model.topk - 1.0) / (MEASURED_EXPERTS / MEASURED_CHOICE - 1.0)
    variance = EXPERT_VARIANCE * min(room, 1.0) * max(_drawn(float(model.experts), float(ranks)), 0.0)
    spread = sqrt(log(1.0 + variance))
    found = exp(spread * _largest(ranks) - spread**2 / 2.0)
    return min(found, BALANCED_LOAD) if balanced else found
