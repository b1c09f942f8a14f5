"""A performance team's function, as an instance names one."""

from __future__ import annotations

import numpy as np


def known(system: str, role: str, accelerators: np.ndarray, network: np.ndarray) -> tuple[np.ndarray, float]:
    """Throughput of one vendor's systems up to 384 accelerators; twelve thousand tokens a second each where the network is full."""
    rate = 12e3 * accelerators * np.minimum(network / 50e9, 1.0) ** 0.1
    covered = (accelerators <= 384) & (system == "dgx_h100")
    return np.where(covered, rate, np.nan), 0.05


def broken(system: str, role: str, accelerators: np.ndarray, network: np.ndarray) -> np.ndarray:
    """Answers for fewer pods than it was asked about."""
    return np.ones(len(accelerators) + 1)


def negative(system: str, role: str, accelerators: np.ndarray, network: np.ndarray) -> float:
    """A throughput below zero."""
    return -1.0
