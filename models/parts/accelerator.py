"""Accelerators: one package as the vendor sells it. Dense rates, one-direction bandwidths, marketed memory."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict

from models.errors import UsageError
from models.parts.part import PricedPart, column
from models.parts.quarter import QuarterField
from models.physics.performance.cards import AcceleratorCard, KernelClass, Wiring, all_peaks
from models.units import Bytes, BytesPerSecond, FlopPerSecond, Watts


class Accelerator(PricedPart):
    """``peak_*`` without sparsity [FLOP/s]; ``scaleup_bandwidth`` one direction [B/s]; ``tdp`` [W]."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)
    file: ClassVar[str] = "accelerators.csv"
    plural: ClassVar[str] = "accelerators"

    peak_bf16: FlopPerSecond | None = column("bf16_tflops_dense", "TFLOP/s")
    peak_fp8: FlopPerSecond | None = column("fp8_tflops_dense", "TFLOP/s")
    peak_fp4: FlopPerSecond | None = column("fp4_tflops_dense", "TFLOP/s")
    peak_int8: FlopPerSecond | None = column("int8_tops_dense", "TFLOP/s")
    memory: Bytes | None = column("hbm_gb", "GB")
    memory_bandwidth: BytesPerSecond | None = column("hbm_tb_s", "TB/s")
    scaleup_technology: str = column("scaleup_tech", default="")
    scaleup_bandwidth: BytesPerSecond | None = column("scaleup_gb_s_per_direction", "GB/s")
    scaleup_domain: int | None = column("scaleup_domain_size")
    tdp: Watts | None = column("tdp_w", "W")
    available: QuarterField | None = column("available_quarter")

    def peak(self, dtype: str) -> float | None:
        """Dense peak [FLOP/s] at ``dtype`` (bf16, fp8, fp4, int8), or None where the catalogue has none."""
        value: float | None = getattr(self, f"peak_{dtype}")
        return value

    def card(self, kernels: KernelClass) -> AcceleratorCard:
        """What the throughput models know of the part; ``missing`` tells beforehand what it lacks for that."""
        printed = {name: self.peak(name) for name in ("bf16", "fp8", "fp4", "int8")}
        peak = all_peaks({name: value for name, value in printed.items() if value is not None})
        lacking = self.missing("memory", "memory_bandwidth", "scaleup_bandwidth", "scaleup_domain")
        if lacking or "bf16" not in peak:
            raise UsageError(f"accelerator {self.id}: {lacking or 'no dense bf16 or fp8 peak'}")
        return AcceleratorCard(
            name=self.id,
            peak=peak,
            hbm_bytes=self.memory or 0.0,
            hbm_rate=self.memory_bandwidth or 0.0,
            scaleup_rate=self.scaleup_bandwidth or 0.0,
            scaleup_domain=self.scaleup_domain or 1,
            tdp_w=self.tdp,
            kernels=kernels,
            wiring=Wiring.named(self.scaleup_technology),
            available=0.0 if self.available is None else self.available.year + (self.available.number - 1) / 4,
        )
