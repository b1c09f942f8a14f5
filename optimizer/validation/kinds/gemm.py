"""Matrix-product microbenchmarks: achieved share of the dense peak over a range of shapes, and the largest rate found.

The measured medians run over a grid of N and K; the same grid is predicted and its median taken.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.physics.performance.cards import WIDTH_BYTES, AcceleratorCard, GemmCurve
from optimizer.validation.lookup import Lookup
from optimizer.validation.names import number_format
from optimizer.validation.records import Row, SkipRecord, compared

_SIDES = (1024, 1536, 2048, 3072, 4096, 5120, 6144, 7168, 8192, 10240, 12288, 16384, 28672, 65536)
_BAND = 0.15
_LARGE = 16384.0
_OF_ONE = ("tflops", "achieved_tflops", "eff", "time_us")


def claims(record: Mapping[str, Any]) -> bool:
    """A record of achieved GEMM efficiency, of the largest achievable rate, or of one product's rate or time."""
    if "eff_median" in record or "max_achievable_tflops" in record:
        return True
    return all(key in record for key in "mnk") and any(record.get(key) is not None for key in _OF_ONE)


def product_seconds(
    card: AcceleratorCard,
    curve: GemmCurve,
    dtype: str,
    t: float,
    k: NDArray[np.float64],
    n: NDArray[np.float64],
    peak: float,
) -> NDArray[np.float64]:
    """Time of T x K x N products, each launched alone, inputs cast where the format needs it."""
    rate = card.hbm_rate * card.kernels.hbm_efficiency
    width = WIDTH_BYTES[dtype]
    arithmetic = 2.0 * t * n * k / (peak * curve.e_max) * (1.0 + curve.k0 * (1.0 / t + 1.0 / n + 1.0 / k))
    traffic = (width * (n * k + t * k) + 2.0 * t * n) / rate
    return np.maximum(arithmetic, traffic) + curve.cast_bytes * t * k / rate + curve.launch_s


def predicted_efficiency(card: AcceleratorCard, curve: GemmCurve, record: Mapping[str, Any]) -> float:
    """Median share of peak over the record's grid."""
    dtype = number_format(record.get("dtype"), "bf16")
    low, high = (float(side) for side in record["nk_range"])
    if min(low, float(record["m"]), float(record["peak_tflops"])) <= 0.0:
        raise SkipRecord("a side of the products or the peak is not positive")
    sides = np.array([s for s in _SIDES if low <= s <= high], dtype=np.float64)
    if not len(sides):
        raise SkipRecord("no shape lies in the stated range")
    n, k = (grid.ravel() for grid in np.meshgrid(sides, sides))
    t, peak = float(record["m"]), float(record["peak_tflops"]) * 1e12
    return float(np.median(2.0 * t * n * k / (peak * product_seconds(card, curve, dtype, t, k, n, peak))))


def evaluate(record: Mapping[str, Any], lookup: Lookup) -> Iterable[Row]:
    """One row: median efficiency, the largest rate, or what one product reaches."""
    card = lookup.accelerator(record.get("accelerator"))
    dtype = number_format(record.get("dtype"), "bf16")
    curve = card.curve(dtype)
    if all(key in record for key in "mnk"):
        yield from _one(record, card, curve, dtype)
        return
    if "eff_median" in record:
        value = predicted_efficiency(card, curve, record)
        yield compared(
            record, "eff_median", value, float(record["eff_median"]), band=_BAND, binding=_bound(card, record)
        )
        return
    side = np.array([_LARGE])
    peak = card.peak_of(dtype)
    value = float(2.0 * _LARGE**3 / product_seconds(card, curve, dtype, _LARGE, side, side, peak)[0])
    published = float(record["max_achievable_tflops"])
    yield compared(record, "max_achievable_tflops", value / 1e12, published, band=_BAND, binding="gemm")


def _one(record: Mapping[str, Any], card: AcceleratorCard, curve: GemmCurve, dtype: str) -> Iterable[Row]:
    m, n, k = (float(record[key]) for key in "mnk")
    if min(m, n, k) < 1.0:
        raise SkipRecord("a side of the product is less than one")
    peak = float(record.get("peak_tflops") or card.peak_of(dtype) / 1e12) * 1e12
    seconds = float(product_seconds(card, curve, dtype, m, np.array([k]), np.array([n]), peak)[0])
    rate = 2.0 * m * n * k / seconds
    found = {"tflops": rate / 1e12, "achieved_tflops": rate / 1e12, "eff": rate / peak, "time_us": seconds * 1e6}
    bound = "gemm" if 2.0 * m * n * k / peak > WIDTH_BYTES[dtype] * n * k / card.hbm_rate else "hbm"
    for key in _OF_ONE:
        if record.get(key) is not None:
            yield compared(record, key, found[key], float(record[key]), band=_BAND, binding=bound)


def _bound(card: AcceleratorCard, record: Mapping[str, Any]) -> str:
    """Whether arithmetic or memory limits a square product of the range."""
    dtype = number_format(record.get("dtype"), "bf16")
    t, side = float(record["m"]), float(np.sqrt(record["nk_range"][0] * record["nk_range"][1]))
    operations = 2.0 * t * side * side / (float(record["peak_tflops"]) * 1e12)
    traffic = WIDTH_BYTES[dtype] * side * side / card.hbm_rate
    return "gemm" if operations > traffic else "hbm"


def fit_curve(records: Sequence[Mapping[str, Any]], lookup: Lookup) -> tuple[GemmCurve, float]:
    """The curve that fits the records of one part and format, and its mean absolute relative error."""
    from scipy.optimize import least_squares

    card = lookup.accelerator(records[0]["accelerator"])
    narrow = number_format(records[0].get("dtype"), "bf16") not in ("bf16", "fp16")

    def curve(x: NDArray[np.float64]) -> GemmCurve:
        return GemmCurve(float(x[0]), float(x[1]) * 100.0, float(x[2]) * 1e-5, float(x[3]) if narrow else 0.0)

    def residuals(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.array([np.log(predicted_efficiency(card, curve(x), r) / float(r["eff_median"])) for r in records])

    starts = [(e, k, 0.5, 4.0) for e in (0.5, 0.8) for k in (0.5, 2.0)]
    bounds = ([0.2, 0.0, 0.0, 0.0], [1.0, 10.0, 5.0, 20.0])
    solutions = [least_squares(residuals, start, bounds=bounds, diff_step=[0.01] * 4) for start in starts]
    best = min(solutions, key=lambda solution: float(solution.cost))
    return curve(best.x), float(np.mean(np.abs(np.expm1(residuals(best.x)))))
