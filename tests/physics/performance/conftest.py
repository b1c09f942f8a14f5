from __future__ import annotations

import pytest

from models.physics.performance.cards import (
    AcceleratorCard,
    AttentionRates,
    GemmCurve,
    KernelClass,
    ModelShape,
    Network,
    NetworkTier,
)
from models.physics.performance.constants import FreeConstants, PerformanceConstants

INFINITY = float("inf")


def make_kernels(**changes) -> KernelClass:
    values = {
        "name": "test",
        "gemm": {
            "bf16": GemmCurve(0.8, 60.0, 3e-6),
            "fp8": GemmCurve(0.75, 90.0, 9e-6, cast_bytes=7.0),
        },
        "attention": AttentionRates(first=0.3, second=0.4, recent=0.5, forward=0.55),
        "hbm_efficiency": 0.85,
        "link_efficiency": 0.8,
        "link_small_group": 0.6,
        "link_start_s": 5e-6,
        "link_hop_s": 1e-6,
        "switch_reduction": 0.63,
        "measured": True,
        "band": 0.1,
    }
    return KernelClass(**(values | changes))


def make_card(**changes) -> AcceleratorCard:
    values = {
        "name": "part",
        "peak": {"bf16": 1e15, "fp16": 1e15, "fp8": 2e15},
        "hbm_bytes": 96e9,
        "hbm_rate": 3.5e12,
        "scaleup_rate": 450e9,
        "scaleup_domain": 8,
        "tdp_w": 700.0,
        "kernels": make_kernels(),
        "available": 2023.0,
    }
    return AcceleratorCard(**(values | changes))


def make_network(rate: float = 50e9, oversubscription: float = 1.0) -> Network:
    """Domains of 8, leaves of 64, and a spine above them."""
    return Network(
        (
            NetworkTier(8.0, 450e9, 1e-6),
            NetworkTier(64.0, rate, 4e-6),
            NetworkTier(INFINITY, rate, 6e-6, oversubscription),
        )
    )


def make_constants(**changes) -> PerformanceConstants:
    free = {
        "gemm": 0.9,
        "operand": 1.2,
        "traffic": 0.9,
        "attention": 0.55,
        "network": 0.7,
        "overlap_exposed": 0.2,
        "sharded_exposed": 0.6,
        "launch_s": 9e-4,
    }
    return PerformanceConstants(
        1, FreeConstants(**(free | changes)), {"test": make_kernels()}, (("*", "test"),), 2e9, 0.87
    )


DENSE = ModelShape("dense", 32, 4096, 32, 8, 14336, True, 64000, 4096, attention="gqa", tied=False)
CLASSIC = ModelShape("classic", 24, 2048, 16, 16, 8192, False, 51200, 2048, attention="mha")
EXPERTS = ModelShape(
    "experts", 28, 2048, 16, 16, 10944, True, 102400, 4096, head_dim=128, experts=64, topk=6, moe_ffn=1408,
    shared_experts=2, dense_layers=1, attention="mla", q_latent=0, kv_latent=512, rope_dim=64, tied=False,
)  # fmt: skip


@pytest.fixture
def card() -> AcceleratorCard:
    return make_card()


@pytest.fixture
def constants() -> PerformanceConstants:
    return make_constants()
