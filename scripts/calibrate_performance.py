"""Fit the constants of the throughput models and freeze them in one versioned file.

    python scripts/calibrate_performance.py RECORDS_FOLDER [--write] [--version N]

1. Kernel constants, per class of parts: GEMM curves from ``gemm_efficiency.yaml``, collective start-up, hop and bandwidth
   efficiency from ``collectives.yaml``. Step times are not read for these.
2. Eight free constants for all models, vendors and scales: robust least squares over the logarithm of predicted / published step
   time, every group of records weighing the same.
3. Intervals: the span of each constant over refits that leave out one group at a time (jackknife over groups), and the error each
   group, accelerator, model and source has when it was left out (``left_out.py``).

Without ``--write`` it prints what it would write.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares, minimize

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from models.physics.performance.cards import dtype_name
from models.physics.performance.constants import FILE_NAME, FreeConstants, PerformanceConstants, from_document
from models.physics.performance.mapping import Mappings
from models.physics.performance.training import evaluate, least_repeats, usable_memory
from models.shipped import catalogue_folder
from optimizer.validation.kinds import gemm, training
from optimizer.validation.kinds.training import Case
from optimizer.validation.lookup import shipped_lookup
from optimizer.validation.reader import load
from optimizer.validation.records import SkipRecord
from scripts.left_out import LeftOut

NAMES = [f.name for f in fields(FreeConstants)]
START = FreeConstants(0.92, 1.9, 0.87, 1.04, 0.68, 0.15, 0.65, 9.1e-4)
LOW = FreeConstants(0.5, 0.0, 0.2, 0.2, 0.3, 0.0, 0.0, 2e-4)
HIGH = FreeConstants(1.0, 4.0, 2.0, 1.3, 1.0, 1.0, 1.0, 3e-3)

# Reported apart: sharded weights over a slow fabric of 2021, launch-bound small models, a baseline with its own variations.
APART = ("sc21-t2-zero3", "vtrain-singlenode", "megascale-megatron")
LEFT_OUT = ("sc21-t2-zero3",)

# A record that prints a step time and its whole mapping says more than one that was searched or converted. Tables by the
# authors of the software, every field printed, weigh half as much again.
CONVERTED = 0.3
GROUP_WEIGHT = {
    "korthikanti": 1.5,
    "sc21-t1": 1.5,
    "sc21-t2-ptdp": 1.5,
    "vtrain-singlenode": 0.25,
    "megascale-megatron": 0.5,
}
HELD = {"korthikanti": 0.058, "sc21-t1": 0.058, "sc21-t2-ptdp": 0.058, "vtrain-multinode": 0.095}
"""Accuracy that a lower mean over the groups must not cost."""
PER_GROUP = 40
CANDIDATES = 300
STATED = 4
SCALE = 0.01
SMALLEST_BAND = 0.08

GEMM_CLASSES = {"a100_sxm": ("ampere",), "h100_sxm": ("hopper",), "b200_sxm": ("blackwell", "blackwell_ultra")}
LINK_CLASSES = {"a100_sxm": ("ampere",), "h100_sxm": ("hopper", "blackwell", "blackwell_ultra")}


class Record:
    """One training record ready to be predicted many times."""

    def __init__(self, record: dict[str, Any], case: Case) -> None:
        self.record, self.case = record, case
        self.group = str(record["group"])
        self.metric = training.metric_of(record)
        self.sign = 1.0 if self.published_unit(2.0) > self.published_unit(1.0) else -1.0
        stated = self.metric == "step_time_s" and len(case.mappings) <= STATED
        self.weight = (1.0 if stated else CONVERTED) * GROUP_WEIGHT.get(self.group, 1.0)

    def error(self, constants: PerformanceConstants) -> float:
        """log(predicted / published), turned so that positive is too slow."""
        setting = replace(self.case.setting, constants=constants)
        times = evaluate(setting, self.case.mappings)
        step = np.where(times.memory <= usable_memory(setting), times.step, np.inf)
        best = float(step.min()) if np.isfinite(step).any() else float(times.step.min())
        return self.sign * float(np.log(self.published_unit(best) / float(self.record["value"])))

    def published_unit(self, step: float) -> float:
        """A step time [s] in the record's own unit."""
        case, setting = self.case, self.case.setting
        return training.published_unit(
            self.metric, self.record, setting.model, setting.accelerator, case.accelerators, setting.global_batch, step
        )


def read_training(folder: Path) -> list[Record]:
    """Every confirmed training record the model covers, large groups thinned evenly."""
    found: dict[str, list[Record]] = defaultdict(list)
    lookup = shipped_lookup()
    for path in sorted(folder.glob("training_*.yaml")):
        for printed in load(path)["rows"]:
            row, _ = lookup.corrected(printed)
            if not training.claims(row) or row.get("confirmed") is not True or row["group"] in LEFT_OUT:
                continue
            try:
                case = training.prepare(row, lookup)
            except SkipRecord:
                continue
            found[str(row["group"])].append(Record(dict(row), _trimmed(case)))
    thinned = []
    for rows in found.values():
        stride = max(1, len(rows) // PER_GROUP)
        thinned += rows[::stride]
    return thinned


def _trimmed(case: Case) -> Case:
    """Keep the fastest candidates of a searched record: the best one stays among them whatever the constants."""
    case = replace(case, mappings=least_repeats(case.setting, case.mappings))
    if len(case.mappings) <= CANDIDATES:
        return case
    times = evaluate(case.setting, case.mappings)
    step = np.where(times.memory <= usable_memory(case.setting), times.step, np.inf)
    kept: Mappings = case.mappings.take(np.argsort(step, kind="stable")[:CANDIDATES])
    return replace(case, mappings=kept)


def fit(records: Sequence[Record], base: PerformanceConstants, start: FreeConstants, rounds: int = 12) -> FreeConstants:
    """The free constants by robust least squares; groups weigh the same but for how much their records say."""
    weight = record_weights(records)
    scale = np.array([getattr(start, name) for name in NAMES])

    def residuals(x: np.ndarray) -> np.ndarray:
        constants = replace(base, free=FreeConstants(*(x * scale)))
        return weight * np.array([one.error(constants) for one in records])

    low = np.array([getattr(LOW, name) for name in NAMES]) / scale
    high = np.array([getattr(HIGH, name) for name in NAMES]) / scale
    start_x = np.clip(np.ones(len(NAMES)), low + 1e-6, high - 1e-6)
    solved = least_squares(
        residuals, start_x, bounds=(low, high), loss="soft_l1", f_scale=SCALE, diff_step=0.02, max_nfev=rounds
    )
    return FreeConstants(*(float(v) for v in solved.x * scale))


def polish(
    records: Sequence[Record], base: PerformanceConstants, start: FreeConstants, evaluations: int
) -> FreeConstants:
    """A short descent on what is reported: the mean over groups of the mean absolute error, each group's accuracy held."""
    scale = np.array([getattr(start, name) for name in NAMES])
    low = np.array([getattr(LOW, name) for name in NAMES])
    high = np.array([getattr(HIGH, name) for name in NAMES])

    def objective(x: np.ndarray) -> float:
        if np.any(x * scale < low) or np.any(x * scale > high):
            return 1.0
        errors = {
            g: e["mean_abs_error"]
            for g, e in group_errors(records, replace(base, free=FreeConstants(*(x * scale)))).items()
        }
        held = sum(max(0.0, errors[group] - limit) for group, limit in HELD.items() if group in errors)
        return float(np.mean([e for group, e in errors.items() if group not in APART])) + held

    corners = np.vstack([np.ones(len(NAMES)), np.ones((len(NAMES), len(NAMES))) + 0.04 * np.eye(len(NAMES))])
    options = {"maxfev": evaluations, "initial_simplex": corners}
    found = minimize(objective, np.ones(len(NAMES)), method="Nelder-Mead", options=options)
    return FreeConstants(*(float(v) for v in found.x * scale))


def record_weights(records: Sequence[Record]) -> np.ndarray:
    """Weight of every record: groups weigh the same but for how much their records say."""
    count: dict[str, int] = defaultdict(int)
    for one in records:
        count[one.group] += 1
    return np.array([one.weight / np.sqrt(count[one.group]) for one in records])


def jackknife(study: LeftOut) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """Span of each constant when one group at a time is left out, and each group's mean absolute error when it was the one."""
    spans = {name: [getattr(study.best, name)] for name in NAMES}
    unseen = {}
    for group, (free, errors, _) in study.families(lambda one: one.group).items():
        for name in NAMES:
            spans[name].append(getattr(free, name))
        unseen[group] = round(float(np.mean(np.abs(errors))), 4)
    return {name: (min(values), max(values)) for name, values in spans.items()}, unseen


FAMILIES: dict[str, Callable[[Record], str]] = {
    "accelerator": lambda one: str(one.case.setting.accelerator.name),
    "model": lambda one: f"{one.case.setting.model.layers} layers of {one.case.setting.model.hidden}",
    "source": lambda one: str(one.record.get("source") or "").split(" ")[0].rstrip(";,"),
}


def family_study(study: LeftOut) -> dict[str, dict[str, dict[str, float]]]:
    """Mean absolute error and bias of every accelerator, model and source when the constants were fitted without it."""
    return {
        kind: {
            name: {
                "n": len(unseen),
                "fitted": round(float(np.mean(np.abs(seen))), 4),
                "left_out": round(float(np.mean(np.abs(unseen))), 4),
                "bias": round(float(np.mean(unseen)), 4),
            }
            for name, (_, unseen, seen) in study.families(family).items()
        }
        for kind, family in FAMILIES.items()
    }


def group_errors(records: Sequence[Record], constants: PerformanceConstants) -> dict[str, dict[str, float]]:
    """Mean absolute error and bias per group, in the records' own units."""
    errors: dict[str, list[float]] = defaultdict(list)
    for one in records:
        errors[one.group].append(float(np.expm1(one.error(constants) * one.sign)))
    return {
        group: {"n": len(e), "mean_abs_error": round(float(np.mean(np.abs(e))), 4), "bias": round(float(np.mean(e)), 4)}
        for group, e in errors.items()
    }


def bands(records: Sequence[Record], constants: PerformanceConstants, unseen: Mapping[str, float]) -> dict[str, float]:
    """Relative half-width of the throughput band per class: 1.3 times the root mean square of its groups' mean errors, each as it
    was when the group was left out of the fit.

    A class with fewer than three groups takes the band of all measured classes when that is wider; one without
    microbenchmarks or without training records takes at least twice that.
    """
    found: dict[str, set[str]] = defaultdict(set)
    for one in records:
        if one.group not in APART:
            found[one.case.setting.accelerator.kernels.name].add(one.group)
    groups = {name: [unseen[group] for group in sorted(members)] for name, members in found.items()}
    measured = [e for name, each in groups.items() if constants.classes[name].measured for e in each]
    common = 1.3 * float(np.sqrt(np.mean(np.square(measured))))
    result = {}
    for name, kernels in constants.classes.items():
        own = 1.3 * float(np.sqrt(np.mean(np.square(groups[name])))) if groups.get(name) else 0.0
        least = 0.0 if kernels.measured and len(groups.get(name, [])) >= 3 else common
        least = least if kernels.measured else 2.0 * common
        result[name] = round(max(own, least, SMALLEST_BAND), 3)
    return result


def gemm_constants(folder: Path) -> dict[str, dict[str, dict[str, float]]]:
    """GEMM curves by class and format."""
    rows = [row for row in load(folder / "gemm_efficiency.yaml")["rows"] if "eff_median" in row]
    found: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for part, names in GEMM_CLASSES.items():
        for dtype in dict.fromkeys(row["dtype"] for row in rows if row["accelerator"] == part):
            chosen = [row for row in rows if row["accelerator"] == part and row["dtype"] == dtype]
            curve, error = gemm.fit_curve(chosen, shipped_lookup())
            constants = {
                "e_max": round(curve.e_max, 4),
                "k0": round(curve.k0, 2),
                "launch_us": round(curve.launch_s * 1e6, 2),
                "cast_bytes": round(curve.cast_bytes, 2),
                "mean_abs_error": round(error, 4),
            }
            for name in names:
                found[name][dtype_name(dtype)] = constants
    return dict(found)


def link_constants(folder: Path) -> dict[str, dict[str, float | None]]:
    """Start-up, hop, bandwidth efficiency and its loss in small groups, by class."""
    rows = [row for row in load(folder / "collectives.yaml")["rows"] if "fit_alpha_us" in row]
    lookup = shipped_lookup()
    found: dict[str, dict[str, float | None]] = {}
    for part, names in LINK_CLASSES.items():
        rate = lookup.accelerator(part).scaleup_rate / 1e9
        ring = [row for row in rows if row["accelerator"] == part and row["op"] in ("all_gather", "reduce_scatter")]
        steps = np.array([row["n_accel"] - 1.0 for row in ring])
        alpha = np.array([row["fit_alpha_us"] for row in ring])
        hop, start = np.polyfit(steps, alpha, 1)
        share = np.array([row["max_busbw_gbps"] / rate for row in ring])
        slope, full = np.polyfit(1.0 / (steps + 1.0), share, 1)
        largest = max(
            (r for r in rows if r["accelerator"] == part and r["op"] == "all_reduce"), key=lambda r: r["n_accel"]
        )
        g = float(largest["n_accel"])
        reduces = largest["max_busbw_gbps"] > 1.1 * full * rate * (1.0 + slope / full / g)
        switch = (g + 1.0) / (2.0 * (g - 1.0)) * largest["max_busbw_gbps"] / rate
        for name in names:
            found[name] = {
                "link_start_us": round(float(start), 2),
                "link_hop_us": round(float(hop), 3),
                "link_efficiency": round(float(full), 4),
                "link_small_group": round(float(-slope / full), 4),
                "switch_reduction": round(float(switch), 4) if reduces else None,
            }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--version", type=int, default=1)
    parser.add_argument(
        "--keep", action="store_true", help="keep free constants and bands; judge them anew on the records"
    )
    parser.add_argument("--polish", type=int, default=160, help="evaluations of the final descent")
    options = parser.parse_args()
    path = catalogue_folder() / FILE_NAME
    document = json.loads(path.read_text(encoding="utf-8"))
    if not options.keep:
        document["free"] = {name: {"value": getattr(START, name)} for name in NAMES}
    for name, curves in gemm_constants(options.folder).items():
        document["classes"][name]["gemm"] = curves
    for name, links in link_constants(options.folder).items():
        document["classes"][name].update(links)
    base = from_document(document)
    records = read_training(options.folder)
    best = base.free if options.keep else polish(records, base, fit(records, base, START), options.polish)
    study = LeftOut(records, record_weights(records), base, best, NAMES, SCALE, (LOW, HIGH))
    spans, unseen = jackknife(study)
    document["version"] = options.version
    for name in () if options.keep else NAMES:
        low, high = spans[name]
        document["free"][name] = {
            "value": float(f"{getattr(best, name):.4g}"),
            "low": float(f"{low:.4g}"),
            "high": float(f"{high:.4g}"),
        }
    errors = group_errors(records, replace(base, free=best))
    document["residuals"] = {group: entry | {"left_out": unseen[group]} for group, entry in errors.items()}
    if not options.keep:
        for name, band in bands(records, replace(base, free=best), unseen).items():
            document["classes"][name]["band"] = band
    judged = [e["mean_abs_error"] for group, e in errors.items() if group not in APART]
    document["families"] = family_study(study)
    document["mean_over_groups"] = round(float(np.mean(judged)), 4)
    document["mean_left_out"] = round(float(np.mean([e for g, e in unseen.items() if g not in APART])), 4)
    text = json.dumps(document, indent=1) + "\n"
    if options.write:
        path.write_text(text, encoding="utf-8")
    print(
        json.dumps(
            {key: document[key] for key in ("free", "residuals", "families", "mean_over_groups", "mean_left_out")},
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
