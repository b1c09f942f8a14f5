"""A design of a tiny instance, laid out once."""

from __future__ import annotations

import functools
from typing import Any

from models.instance import Instance
from models.loading import load
from optimizer.design import Design
from optimizer.layout.plan import Layout
from optimizer.layout.planner import lay_out
from optimizer.solve import solve

RACK_SCALE: dict[str, Any] = {
    "workloads": {
        "train": {
            "design_space": {
                "systems": ["gb200_nvl72", "helios"],
                "frames": ["mgx", "orw"],
                "cooling": ["liquid"],
                "preliminary_parts": True,
                "fabric": {"switches": None, "media": None, "tiers": [2, 3], "speeds": ["400 Gbit/s", "800 Gbit/s"]},
                "sizes": {"smallest": 144, "largest": 432, "step": 72},
            }
        }
    }
}
SERVICES: dict[str, Any] = {
    "workloads": {
        "train": {
            "spares": {"confidence": "99 %", "replacement": "24 h", "swap": "5 min"},
            "storage": {"write": ["40 GB/s"], "dataset": "20 TB", "nodes": ["weka_node"]},
            "networks": {
                "storage": {"speed": "400 Gbit/s", "ports_per_system": 2, "oversubscription": [2]},
                "front_end": {"speed": "400 Gbit/s", "ports_per_system": 1, "oversubscription": [4]},
                "management": {
                    "speed": "1 Gbit/s",
                    "ports_per_system": 2,
                    "uplinks": "100 Gbit/s",
                    "oversubscription": [1],
                },
            },
        }
    },
    "assumptions": {"accelerator_failure_rate": None, "node_failure_rate": None, "checkpoint_write": None},
}
IN_ROW: dict[str, Any] = {
    "sites": {
        "hall": {
            "liquid": {
                "small_cdus": None,
                "large_cdu": {"equipment": [{"part": "cdu_inrow_1350", "redundancy": "n+1", "positions": 1}]},
            }
        }
    }
}
CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "performance": ("performance", {}),
    "rear-door": ("thermal-rear-door", {}),
    "rack-scale": ("thermal-liquid", RACK_SCALE),
    "two-sites": ("two-sites", {}),
    "two-clusters": ("two-clusters", {}),
    "serving": ("serving", {}),
    "in-row": ("thermal-liquid", IN_ROW),
    "services": ("performance", SERVICES),
}


@functools.cache
def designs(case: str) -> tuple[Instance, tuple[Design, ...]]:
    """The instance and its designs, first, middle and last of the frontier."""
    base, overrides = CASES[case]
    instance = load(f"tiny/{base}", overrides=overrides)
    points = solve(instance, resolution="5%").points
    kept = {0: points[0], len(points) // 2: points[len(points) // 2], len(points) - 1: points[-1]}
    return instance, tuple(kept.values())


@functools.cache
def laid_out(case: str, number: int) -> tuple[Instance, Design, Layout]:
    """One of them with its layout."""
    instance, points = designs(case)
    design = points[number % len(points)]
    return instance, design, lay_out(instance, design)
