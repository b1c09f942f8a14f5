"""The frozen constants of the throughput models, read from one versioned document.

Two kinds are kept apart. *Kernel classes* come from vendor sheets and from matrix-product and collective microbenchmarks.
*Free constants* (at most eight) were fitted on published training steps by ``scripts/calibrate_performance.py`` and hold
for every model, vendor and scale alike.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import UsageError
from models.physics.performance.cards import AttentionRates, GemmCurve, KernelClass

FUSED_LAUNCH_SHARE = 0.15
"""Launch floor of software with fused kernels against eager software (0.15 ms against 1 ms per pass)."""

FILE_NAME = "performance_constants.json"


@dataclass(frozen=True, slots=True)
class FreeConstants:
    """The fitted constants; one value each for all rows.

    gemm: share of the microbenchmark rate a matrix product keeps inside a training step;
    operand: share of the operand and weight-gradient traffic of matrix products that is not hidden behind their arithmetic;
    traffic: share of the counted element-wise reads and writes that reach memory;
    attention: share of the published attention kernel rate kept inside a step;
    network: share of the printed link rate a collective between nodes reaches;
    overlap_exposed: share of tensor-, expert- and data-parallel traffic that still shows where the software overlaps it;
    sharded_exposed: share of the shorter of traffic and compute that still shows when every weight is sharded;
    launch_s: least time of one pass of a dense layer in eager software [s]; more kernels take as much longer.
    """

    gemm: float
    operand: float
    traffic: float
    attention: float
    network: float
    overlap_exposed: float
    sharded_exposed: float
    launch_s: float


@dataclass(frozen=True, slots=True)
class Software:
    """What the training software does; none of it is a fitted number.

    fused_attention: scores are never written to memory; overlap: tensor-, expert- and data-parallel traffic runs behind
    compute; launch_share: part of the eager launch floor that is left (1 eager, 0 whole graphs); attention: generation of the
    fused kernels, a field of ``AttentionRates``.
    """

    name: str
    fused_attention: bool
    overlap: bool
    launch_share: float
    attention: str

    @staticmethod
    def of(dtype: str, available: float) -> Software:
        """The generation that runs a format on a part first sold in ``available`` (year; 0 unknown counts as recent).

        fp16 marks software from before fused attention, fp8 and fp4 software with recent attention kernels, as does a part that
        was not sold before 2024; parts from before 2022 run without overlap.
        """
        recent = available >= 2022.0 or available <= 0.0
        if dtype == "fp16":
            return Software("unfused", fused_attention=False, overlap=False, launch_share=1.0, attention="first")
        return Software(
            "fused",
            fused_attention=True,
            overlap=recent,
            launch_share=FUSED_LAUNCH_SHARE,
            attention="recent" if dtype != "bf16" or available >= 2024.0 else "second",
        )


@dataclass(frozen=True, slots=True)
class PerformanceConstants:
    """Everything the throughput models take as given: kernel classes, free constants, error bands."""

    version: int
    free: FreeConstants
    classes: Mapping[str, KernelClass]
    members: tuple[tuple[str, str], ...]
    runtime_bytes: float
    production_factor: float

    def kernel_class(self, accelerator: str) -> KernelClass:
        """The class of an accelerator id, by the first pattern that fits; the last pattern takes every part."""
        for pattern, name in self.members:
            if fnmatch.fnmatchcase(accelerator, pattern):
                return self.classes[name]
        raise UsageError(f"no kernel class for accelerator {accelerator!r}")

    def band(self, accelerator: str) -> float:
        """Relative half-width of the throughput band for this part: wider where its class was not measured."""
        return self.kernel_class(accelerator).band


def read_constants(path: Path) -> PerformanceConstants:
    """The constants from their file; UsageError when it is missing or not of a version we know."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read the performance constants in {path}: {error}") from error
    return from_document(document)


def from_document(document: Mapping[str, Any]) -> PerformanceConstants:
    """The constants from a parsed document; UsageError for another schema or a missing key."""
    if document.get("schema") != 1:
        raise UsageError(f"performance constants have schema {document.get('schema')!r}; this version reads schema 1")
    try:
        return PerformanceConstants(
            version=int(document["version"]),
            free=FreeConstants(**{name: float(entry["value"]) for name, entry in document["free"].items()}),
            classes={name: _kernel_class(name, entry) for name, entry in document["classes"].items()},
            members=tuple((str(pattern), str(name)) for pattern, name in document["members"]),
            runtime_bytes=float(document["runtime_gb"]) * 1e9,
            production_factor=float(document["production_factor"]),
        )
    except (KeyError, TypeError) as error:
        raise UsageError(f"performance constants are incomplete: {error}") from error


CLOCK_EXPONENT = 0.5
"""Sustained clock over power limit: power grows with the cube of the clock where voltage follows it, in proportion where voltage is at
its floor; matrix products run in between."""


def sustained_clocks(entry: Mapping[str, Any] | None) -> dict[str, float]:
    """Share of the printed clock that power-limited parts sustain in matrix products, over that of the measured part of their silicon.

    The limit per compute unit sets the clock; the printed peak per unit is the clock that the sheet counts with. From the limits, peaks
    and units of the sheets as they stand in the document: a hypothetical part is not held to the limit of the one it came from.
    """
    if entry is None:
        return {}

    def of(sheet: Mapping[str, Any]) -> float:
        units = float(sheet["units"])
        return float((float(sheet["tdp_w"]) / units) ** CLOCK_EXPONENT / (float(sheet["bf16_tflops"]) / units))

    return {str(part): of(sheet) / of(entry["measured"]) for part, sheet in entry["parts"].items()}


def _kernel_class(name: str, entry: Mapping[str, Any]) -> KernelClass:
    curves = {
        dtype: GemmCurve(
            float(curve["e_max"]),
            float(curve["k0"]),
            float(curve["launch_us"]) * 1e-6,
            float(curve.get("cast_bytes", 0.0)),
        )
        for dtype, curve in entry["gemm"].items()
    }
    reduction = entry.get("switch_reduction")
    return KernelClass(
        name=name,
        gemm=curves,
        attention=AttentionRates(**{name: float(share) for name, share in entry["attention"].items()}),
        hbm_efficiency=float(entry["hbm_efficiency"]),
        link_efficiency=float(entry["link_efficiency"]),
        link_small_group=float(entry["link_small_group"]),
        link_start_s=float(entry["link_start_us"]) * 1e-6,
        link_hop_s=float(entry["link_hop_us"]) * 1e-6,
        switch_reduction=None if reduction is None else float(reduction),
        measured=bool(entry["measured"]),
        band=float(entry["band"]),
        sustained=sustained_clocks(entry.get("power")),
    )
