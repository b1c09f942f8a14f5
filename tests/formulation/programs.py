"""A program as text with the names people read: what Pyomo's LP writer gives, each symbol turned back into its name."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

from pyomo.repn.plugins.lp_writer import LPWriter

from models.formulation.build import build
from models.formulation.labels import labelled
from models.formulation.pyomo_model import to_pyomo
from models.loading import load

FOLDER = Path(__file__).resolve().parents[1] / "golden"
ONE_SERVER: dict[str, Any] = {
    "design_space": {
        "systems": ["dgx_h100"],
        "fabric": {"switches": ["qm9700"], "oversubscription": [1]},
        "sizes": {"smallest": 128, "largest": 256, "step": 128},
    }
}
GOLDEN: dict[str, tuple[str, dict[str, Any]]] = {
    "core": (
        "tiny/two-clusters",
        {"workloads": {"train": ONE_SERVER, "chat": {"design_space": {"systems": ["mi300x_8u"]}}}},
    ),
    "performance": (
        "tiny/two-clusters",
        {
            "workloads": {"train": ONE_SERVER, "chat": {"design_space": {"systems": ["mi300x_8u"]}}},
            "limits": {"throughput": "1 Mtoken/s"},
        },
    ),
    "bandwidth": (
        "tiny/bandwidth",
        {
            "workloads": {
                "train": {
                    "storage": {"write": ["40 GB/s"]},
                    "networks": {"front_end": {"speed": "400 Gbit/s", "ports_per_system": 1}},
                    "storage_at_least": "2 Gbit/s",
                    "front_end_at_least": "25 Gbit/s",
                    "design_space": {
                        "systems": ["dgx_h100"],
                        "fabric": {"switches": ["qm9700"]},
                        "sizes": {"smallest": 192, "largest": 384, "step": 192},
                    },
                }
            }
        },
    ),
    "power": ("tiny/power", {"workloads": {"train": ONE_SERVER}, "limits": {"power": "580 kW"}}),
    "power-blocks": (
        "tiny/power-blocks",
        {
            "workloads": {"train": ONE_SERVER},
            "sites": {
                "hall": {
                    "power": {
                        "pairs": None,
                        "catcher": {"explicit_failures": False},
                        "three_to_make_two": {"explicit_failures": False},
                    }
                }
            },
        },
    ),
    "power-failures": (
        "tiny/power-blocks",
        {
            "workloads": {"train": {"design_space": {**ONE_SERVER["design_space"], "sizes": {"largest": 128}}}},
            "sites": {
                "hall": {"power": {"pairs": None, "catcher": None, "three_to_make_two": {"explicit_failures": True}}}
            },
        },
    ),
    "siting": (
        "tiny/twin-sites",
        {"workloads": {"chat": {"split": False, "design_space": {"sizes": {"largest": 16}}}}},
    ),
    "split": (
        "tiny/split-training",
        {
            "workloads": {"train": {"split": {"parts": 3}, "design_space": {"sizes": {"largest": 128}}}},
            "links": {"waves": None},
        },
    ),
    "thermal": (
        "tiny/thermal-liquid",
        {
            "workloads": {
                "train": {
                    "design_space": {
                        "systems": ["smc_4u_lc_b200"],
                        "fabric": {"oversubscription": [1]},
                        "sizes": {"smallest": 128, "largest": 192, "step": 64},
                    }
                }
            }
        },
    ),
    "space": ("tiny/space", {"workloads": {"train": ONE_SERVER}, "limits": {"floor": 10}}),
    "reliability": (
        "tiny/reliability",
        {"workloads": {"train": ONE_SERVER}, "limits": {"availability": 0.01, "blast_radius": 48}},
    ),
    "storage": (
        "tiny/two-clusters",
        {
            "workloads": {
                "train": {**ONE_SERVER, "storage": {"write": ["20 GB/s", "60 GB/s"], "shared": True}},
                "chat": {
                    "design_space": {"systems": ["mi300x_8u"]},
                    "storage": {"write": ["1 GB/s"], "read": "20 GB/s", "dataset": "10 TB", "shared": True},
                },
            },
            "sites": {"hall": {"storage": {"write": "62 GB/s", "read": "50 GB/s", "capacity": "1 PB"}}},
        },
    ),
    "sourcing": (
        "tiny/sourcing",
        {
            "workloads": {"train": ONE_SERVER},
            "sourcing": {"shares": {"everyone": {"layer": "network", "at_most": "90 %"}}},
            "limits": {"concentration": "9 MUSD"},
        },
    ),
    "supply": ("tiny/supply", {"workloads": {"train": ONE_SERVER}, "limits": {"lead_time": "240 days"}}),
    "rules": (
        "tiny/rules",
        {
            "workloads": {
                "train": {"design_space": {"systems": ["dgx_h100", "mi300x_8u"], "sizes": {"largest": 64}}},
                "chat": {"design_space": {"sizes": {"largest": 16}}},
            }
        },
    ),
    "budget": (
        "tiny/budget",
        {
            "workloads": {"train": ONE_SERVER},
            "limits": {"opex": "6 MUSD"},
        },
    ),
}


def program(family: str) -> str:
    """The rows of one family of its small instance (``FAMILY-WHAT`` for another one), with rack positions as the objective."""
    name, change = GOLDEN[family]
    formulation = labelled(build(load(name, overrides=change), ["floor"], pruned=False))
    model = to_pyomo(formulation, only_family=family.partition("-")[0])
    written = io.StringIO()
    info = LPWriter().write(model, written, symbolic_solver_labels=True)
    names = {symbol: thing.name.replace("'", "") for symbol, thing in info.symbol_map.bySymbol.items()}
    return _readable(written.getvalue(), names)


def _readable(text: str, names: dict[str, str]) -> str:
    """One token after the other; Pyomo's marks for the sense of a row are dropped, the sense stands below it."""
    named = (
        re.sub(r"\S+", lambda token: _name(token.group(), names), line.rstrip())
        for line in text.splitlines()
        if line.strip()
    )
    return "\n".join(named) + "\n"


def _name(token: str, names: dict[str, str]) -> str:
    bare = token.removesuffix(":")
    # the writer marks rows c_e_..._, c_u_..._ and c_l_..._
    found = names.get(bare) or names.get(re.sub(r"^c_[eul]_(.*)_$", r"\1", bare))
    return token if found is None else found + token[len(bare) :]
