"""What the throughput models know of a model, an accelerator and a network: plain frozen values in SI units.

An ``AcceleratorCard`` joins the vendor sheet of a part with the measured kernel constants of its class; nothing here was
fitted to a training step. Rates are per package and per direction, in FLOP/s and B/s; sizes are in bytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from models.errors import UsageError

WIDTH_BYTES: Mapping[str, float] = {"fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "int8": 1.0, "fp4": 0.5625}
"""Bytes of one stored element; 4-bit formats carry one 8-bit scale for sixteen elements."""

_DTYPE_NAMES = {"bfloat16": "bf16", "float16": "fp16", "half": "fp16", "nvfp4": "fp4", "mxfp4": "fp4", "mxfp8": "fp8"}


def dtype_name(text: str) -> str:
    """The project's name of a number format; UsageError when it is none we know."""
    name = _DTYPE_NAMES.get(text.strip().lower(), text.strip().lower())
    if name not in WIDTH_BYTES:
        raise UsageError(f"unknown number format {text!r}; known: {', '.join(sorted(WIDTH_BYTES))}")
    return name


INHERITED_CAST_BYTES = 7.3
"""Bytes moved per cast element where a part has no measurement of its own: the mean of the parts that have one."""

INHERITED_NARROW_E_MAX = 0.73
"""Most a narrow format is taken to reach of its peak where it was not measured: the mean of the measured 8-bit curves."""


@dataclass(frozen=True, slots=True)
class GemmCurve:
    """Time of a matrix product T x K x N on one part in one format.

    t = max(2TKN/(peak e_max) (1 + k0 (1/T + 1/N + 1/K)), bytes / HBM) + cast_bytes T K / HBM + launch
    """

    e_max: float
    k0: float
    launch_s: float
    cast_bytes: float = 0.0


@dataclass(frozen=True, slots=True)
class AttentionRates:
    """Shares of the 16-bit peak that attention kernels are published to reach on long causal sequences.

    Forward and backward together of the ``first`` fused kernels (2022), the ``second`` (2023) and ``recent`` ones (from 2024 on), and
    the ``forward`` pass alone of recent ones.
    """

    first: float
    second: float
    recent: float
    forward: float


LARGEST_SHARE = 0.97
"""Most of its peak any part was measured to keep in a matrix product."""


@dataclass(frozen=True, slots=True)
class KernelClass:
    """Measured constants of a family of parts; ``measured`` is false where they are inherited from a relative.

    ``sustained``: the share of its printed clock that a part of the same silicon but another power limit sustains, over that of the
    measured part.
    """

    name: str
    gemm: Mapping[str, GemmCurve]
    attention: AttentionRates
    hbm_efficiency: float
    link_efficiency: float
    link_small_group: float
    link_start_s: float
    link_hop_s: float
    switch_reduction: float | None
    measured: bool
    band: float
    sustained: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wiring:
    """How packages of one scale-up domain are joined: by switches, by ``axes`` rings of a torus, or each to each (``mesh``).

    Over switches every package has all its links for whatever group it talks to. On a torus a group has only the links of the axes
    it lies along; in a mesh a package has one link to each other one.
    """

    axes: int = 0
    mesh: bool = False

    @staticmethod
    def named(technology: str) -> Wiring:
        """The wiring that a sheet names: "... 3D torus", "... full mesh", anything else counts as switched."""
        text = technology.lower()
        if "torus" in text:
            stated = re.search(r"(\d)d torus", text)
            return Wiring(axes=int(stated[1]) if stated else 3)
        return Wiring(mesh="mesh" in text)


def all_peaks(printed: Mapping[str, float]) -> dict[str, float]:
    """Peaks by format: a part whose sheet prints only narrower formats runs bf16 at half its fp8 rate, as every matrix engine here
    does, and fp16 as bf16.
    """
    peak = dict(printed)
    if "bf16" not in peak and "fp8" in peak:
        peak["bf16"] = peak["fp8"] / 2.0
    if "bf16" in peak:
        peak["fp16"] = peak["bf16"]
    return peak


@dataclass(frozen=True, slots=True)
class AcceleratorCard:
    """One package: dense peak [FLOP/s] by format, memory [B, B/s], scale-up [B/s per direction, packages], power [W]."""

    name: str
    peak: Mapping[str, float]
    hbm_bytes: float
    hbm_rate: float
    scaleup_rate: float
    scaleup_domain: int
    tdp_w: float | None
    kernels: KernelClass
    available: float = 0.0
    wiring: Wiring = Wiring()

    def peak_of(self, dtype: str) -> float:
        """Dense peak in FLOP/s; UsageError when the part has no such format."""
        if dtype not in self.peak:
            raise UsageError(f"{self.name} has no dense {dtype} rate; it has {', '.join(sorted(self.peak))}")
        return self.peak[dtype]

    def curve(self, dtype: str) -> GemmCurve:
        """GEMM curve of a format at the part's own clock; an unmeasured narrow one takes the bf16 curve, no better than narrow formats
        were measured to be, and the measured cost of casting.
        """
        curves = self.kernels.gemm
        wide = curves["bf16"]
        if dtype in curves:
            found = curves[dtype]
        elif dtype in ("bf16", "fp16"):
            found = wide
        else:
            found = replace(wide, e_max=min(wide.e_max, INHERITED_NARROW_E_MAX), cast_bytes=INHERITED_CAST_BYTES)
        sustained = self.kernels.sustained.get(self.name, 1.0)
        return replace(found, e_max=min(found.e_max * sustained, max(LARGEST_SHARE, found.e_max)))

    @staticmethod
    def from_row(row: Mapping[str, str | None], kernels: KernelClass) -> AcceleratorCard:
        """A card from a row of ``accelerators.csv`` (TFLOP/s, GB, TB/s, GB/s as printed there)."""

        def number(key: str) -> float | None:
            text = row.get(key)
            return float(text) if text not in (None, "") else None

        peaks = {
            "bf16": number("bf16_tflops_dense"),
            "fp8": number("fp8_tflops_dense"),
            "fp4": number("fp4_tflops_dense"),
            "int8": number("int8_tops_dense"),
        }
        peak = all_peaks({name: value * 1e12 for name, value in peaks.items() if value is not None})
        need = {key: number(key) for key in ("hbm_gb", "hbm_tb_s", "scaleup_gb_s_per_direction", "scaleup_domain_size")}
        missing = [key for key, value in need.items() if value is None]
        if missing or "bf16" not in peak:
            raise UsageError(f"accelerator {row.get('id')}: no value for {', '.join(missing) or 'bf16_tflops_dense'}")
        quarter = row.get("available_quarter") or ""
        year = float(quarter[:4]) + (float(quarter[5:6]) - 1.0) / 4.0 if quarter[4:5] == "Q" else 0.0
        return AcceleratorCard(
            name=str(row.get("id")),
            peak=peak,
            hbm_bytes=(need["hbm_gb"] or 0.0) * 1e9,
            hbm_rate=(need["hbm_tb_s"] or 0.0) * 1e12,
            scaleup_rate=(need["scaleup_gb_s_per_direction"] or 0.0) * 1e9,
            scaleup_domain=int(need["scaleup_domain_size"] or 1),
            tdp_w=number("tdp_w"),
            kernels=kernels,
            available=year,
            wiring=Wiring.named(row.get("scaleup_tech") or ""),
        )


@dataclass(frozen=True, slots=True)
class NetworkTier:
    """One level of the network: ``size`` packages reach each other below it; ``rate`` [B/s per package] leaves through it.

    ``oversubscription`` divides the rate of the links that leave the tier's units; ``hop_s`` is its latency per step; ``wiring``
    counts on the innermost tier alone.
    """

    size: float
    rate: float
    hop_s: float
    oversubscription: float = 1.0
    wiring: Wiring = Wiring()


@dataclass(frozen=True, slots=True)
class Network:
    """Tiers from the inside out. The first is the scale-up domain; ``size`` of the last may be infinite.

    Tier i joins units of ``tiers[i-1].size`` packages (of one package for i = 0).
    """

    tiers: tuple[NetworkTier, ...]

    @staticmethod
    def of(
        accelerator: AcceleratorCard,
        nic_rate: float,
        *,
        domain: int | None = None,
        oversubscription: float = 1.0,
        leaf_size: float | None = None,
        hop_s: float = 5e-6,
    ) -> Network:
        """Scale-up domain plus a scale-out fabric of ``nic_rate`` B/s per package.

        With ``leaf_size`` the oversubscription holds only between groups of that many packages, otherwise for all of it.
        """
        scaleup = NetworkTier(
            float(domain or accelerator.scaleup_domain),
            accelerator.scaleup_rate,
            accelerator.kernels.link_hop_s,
            wiring=accelerator.wiring,
        )
        if leaf_size is None:
            return Network((scaleup, NetworkTier(math.inf, nic_rate, hop_s, oversubscription)))
        inner = NetworkTier(float(leaf_size), nic_rate, hop_s)
        return Network((scaleup, inner, NetworkTier(math.inf, nic_rate, hop_s, oversubscription)))

    @property
    def domain(self) -> float:
        """Packages in one scale-up domain."""
        return self.tiers[0].size


@dataclass(frozen=True, slots=True)
class ModelShape:
    """A transformer as the models see it. Widths are elements, ``ffn`` one up-projection, ``seq`` tokens.

    ``dense_layers`` counts the leading layers without experts; ``linear_layers`` keep a state of ``linear_heads`` squares of
    ``linear_dim`` instead of a cache (0: as wide as attention), with ``linear_key_heads`` query and key heads; ``window_layers`` attend to
    the last ``window`` tokens only; ``attention`` is mha, gqa or mla; ``route_domains`` limits the scale-up domains one token's experts lie in.
    """

    name: str
    layers: int
    hidden: int
    heads: int
    kv_heads: int
    ffn: int
    gated: bool
    vocab: int
    seq: int
    head_dim: int = 0
    experts: int = 0
    topk: int = 0
    moe_ffn: int = 0
    shared_experts: int = 0
    dense_layers: int = 0
    attention: str = "gqa"
    q_latent: int = 0
    kv_latent: int = 512
    rope_dim: int = 64
    tied: bool = True
    linear_layers: int = 0
    linear_heads: int = 0
    linear_key_heads: int = 0
    linear_dim: int = 0
    shared_ffn: int = 0
    route_domains: int = 0
    window: int = 0
    window_layers: int = 0
    params_printed: float | None = field(default=None, compare=False)

    @property
    def dim(self) -> int:
        """Width of one attention head."""
        return self.head_dim or self.hidden // self.heads

    @property
    def moe_layers(self) -> int:
        """Layers with routed experts."""
        return self.layers - self.dense_layers if self.experts else 0

    @property
    def attention_layers(self) -> int:
        """Layers whose attention is quadratic and keeps a KV cache; the others carry a state of constant size."""
        return self.layers - self.linear_layers

    def held(self, tokens: float) -> float:
        """Tokens a sequence of ``tokens`` keeps in its caches, summed over the layers: those with a window keep no more than it."""
        return (self.attention_layers - self.window_layers) * tokens + self.window_layers * min(tokens, self.window)

    def attended(self, tokens: float) -> float:
        """Keys the mean token of a causal sequence of ``tokens`` attends to, summed over the layers: s/2, or w - w^2/2s in a window w < s."""
        full, near = self.attention_layers - self.window_layers, min(tokens, self.window)
        return full * tokens / 2.0 + self.window_layers * (near - near**2 / (2.0 * tokens))

    @property
    def up(self) -> int:
        """Up-projections per feed-forward block: two when gated."""
        return 2 if self.gated else 1

    def kv_width(self) -> float:
        """Elements kept per token and layer in the KV cache."""
        if self.attention == "mla":
            return float(self.kv_latent + self.rope_dim)
        return 2.0 * self.kv_heads * self.dim

    @property
    def state_heads(self) -> int:
        """Heads of a layer of constant state."""
        return self.linear_heads or self.heads

    @property
    def state_dim(self) -> int:
        """Width of one of these heads."""
        return self.linear_dim or self.dim

    def state_elements(self) -> float:
        """Elements of the state of one sequence and layer: one square per head."""
        return float(self.state_heads) * self.state_dim**2

    def state_widths(self) -> tuple[float, float]:
        """(queries or keys, values) of one layer of constant state; its gate is as wide as its values."""
        heads, width = float(self.state_heads), float(self.state_dim)
        return (self.linear_key_heads or heads) * width, heads * width

    def attention_weights(self) -> float:
        """Weights of the attention block of the mean layer."""
        full = self.full_attention_weights()
        if not self.linear_layers:
            return full
        keys, values = self.state_widths()
        linear = self.hidden * (2.0 * keys + 3.0 * values)
        return (self.attention_layers * full + self.linear_layers * linear) / self.layers

    def full_attention_weights(self) -> float:
        """Weights of the attention block of one layer that keeps a cache."""
        inner = self.heads * self.dim
        if self.attention == "mla":
            q = self.q_latent
            query = self.hidden * q + q * self.heads * (self.dim + self.rope_dim) if q else 0.0
            query = query or self.hidden * self.heads * (self.dim + self.rope_dim)
            keys = self.hidden * (self.kv_latent + self.rope_dim) + self.kv_latent * 2.0 * inner
            return query + keys + inner * self.hidden
        return self.hidden * (2.0 * inner + 2.0 * self.kv_heads * self.dim)

    def dense_weights(self) -> float:
        """Weights of the dense feed-forward block of one layer."""
        return (self.up + 1.0) * self.hidden * self.ffn

    def expert_weights(self) -> float:
        """Weights of one routed expert."""
        return (self.up + 1.0) * self.hidden * self.moe_ffn

    def shared_weights(self) -> float:
        """Weights of the experts every token passes, per layer."""
        width = self.shared_ffn or self.shared_experts * self.moe_ffn
        return (self.up + 1.0) * self.hidden * width

    def vocabulary_weights(self) -> float:
        """Weights of the embedding, and of the output layer unless tied."""
        return float(self.vocab) * self.hidden * (1.0 if self.tied else 2.0)

    def params(self) -> float:
        """All weights."""
        dense = self.layers - self.moe_layers
        layer = self.layers * self.attention_weights() + dense * self.dense_weights()
        routed = self.moe_layers * (
            self.experts * self.expert_weights() + self.shared_weights() + self.hidden * self.experts
        )
        return layer + routed + self.vocabulary_weights()

    def active_params(self) -> float:
        """Weights one token passes, the output layer included once and the embedding look-up not at all."""
        dense = self.layers - self.moe_layers
        layer = self.layers * self.attention_weights() + dense * self.dense_weights()
        routed = self.moe_layers * (
            self.topk * self.expert_weights() + self.shared_weights() + self.hidden * self.experts
        )
        return layer + routed + float(self.vocab) * self.hidden

    def with_seq(self, seq: int) -> ModelShape:
        """The same model at another sequence length."""
        return replace(self, seq=seq)
