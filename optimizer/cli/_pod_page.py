"""What hangs together in a pod, as a person reads it: a table for each network, the reliability budget, spares and storage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from models.candidates.fabric_summary import lines_of_row
from optimizer.cli._tables import table
from optimizer.design import PodChoice

SPEED = 8e-9
HOUR = 3600.0
LEVELS = (("node_leaf", "node - leaf"), ("leaf_spine", "leaf - spine"), ("spine_core", "spine - core"))


def part_of_batch(pod: PodChoice) -> Iterator[str]:
    """What a pod of a job over several sites takes of it; nothing where it trains alone."""
    told = pod.batch
    if told and told["exchange_s"]:
        pace = pod.throughput_tokens_s * told["of"] / told["parts"]
        yield (
            f"  {told['parts']} of {told['of']} parts of every batch, {told['exchange_s']:.4g} s for an exchange between the sites; "
            f"sets a pace of {pace:,.0f} tokens/s"
        )


def networks(pod: PodChoice) -> Iterator[str]:
    """A section for scale-out and for every network beside it."""
    yield from _fabric("Fabric", pod.fabric)
    for name, fabric in pod.networks.items():
        yield from _fabric(f"{name.capitalize()} network", fabric)


def _fabric(title: str, f: Mapping[str, Any]) -> Iterator[str]:
    yield ""
    kind = "rail-optimised" if f["rail_optimised"] else "plain"
    words = f"{f['tiers']} tiers" if f["tiers"] > 1 else "1 tier"
    yield (
        f"  {title}: {f['switch']}, {words}, {kind}, oversubscription {f['oversubscription']:.3g} "
        f"at the leaf ({f['down']} down, {f['up']} up)"
    )
    rows: list[tuple[Any, ...]] = [
        ("tier", "switch", "count", "ports", "down", "up", "reserved", "spare", "links", "medium", "length")
    ]
    rows += [
        (
            line.tier, line.switch, line.count, line.ports, line.down, line.up, line.reserved, line.spare,
            line.links, line.medium, line.length_band,
        )
        for line in lines_of_row(f)
    ]  # fmt: skip
    yield from ("  " + line for line in table(rows, "llrrrrrrrll"))
    links: list[tuple[Any, ...]] = [("links", "count", "medium", "units up", "units down", "run at most")]
    for level, words in LEVELS:
        if f[f"medium_{level}"]:
            units = (f[f"near_units_{level}"], f[f"far_units_{level}"])
            links.append((words, f[f"links_{level}"], f[f"medium_{level}"], *units, f"{f[f'length_{level}']:.1f} m"))
    yield from ("  " + line for line in table(links, "lrlrrr"))


def budget(pod: PodChoice) -> Iterator[str]:
    """What fails how often, what it costs in goodput, and where the rest of the time goes; nothing for older runs."""
    told = pod.reliability
    if not told:
        return
    yield ""
    yield (
        f"  Reliability: an interruption every {_hours(pod.failure_rate_per_s)} h "
        f"({_hours(told['failure_high'])} to {_hours(told['failure_low'])} over the range of the rates); "
        f"{pod.goodput:.2%} useful ({told['goodput_low']:.2%} to {told['goodput_high']:.2%}); "
        f"stands whole {pod.availability:.2%} of the time; the worst single failure takes {pod.blast_radius:,} accelerators"
    )
    if told["interval_s"]:
        yield (
            f"  a checkpoint every {told['interval_s'] / 60:,.1f} min stops the job for {told['blocking_s']:,.1f} s; "
            f"after a failure {told['down_s'] / 60:,.1f} min down on average, {told['restart_s'] / 60:,.1f} min to restart"
        )
    rows: list[tuple[Any, ...]] = [("what fails", "parts", "every [h]", "range [h]", "down [min]", "goodput lost")]
    for cause in sorted(told["causes"], key=lambda c: -c["loss"]):
        span = f"{_hours(cause['rate_high'])}-{_hours(cause['rate_low'])}"
        count = f"{cause['count']:,.0f}"
        rows.append(
            (cause["cause"], count, _hours(cause["rate"]), span, f"{cause['down_s'] / 60:,.1f}", f"{cause['loss']:.3%}")
        )
    rows.append(("checkpoints", "", "", "", "", f"{told['checkpoint_loss']:.3%}"))
    rows.append(("useful", "", "", "", "", f"{pod.goodput:.3%}"))
    yield from ("  " + line for line in table(rows, "lrrrrr"))


def _hours(rate: float) -> str:
    """Time between events in hours."""
    return f"{1.0 / (rate * HOUR):,.4g}" if rate > 0 else "never"


def spares(pod: PodChoice) -> Iterator[str]:
    """Probability that the job is whole by number of spare systems; nothing where no spares are asked for."""
    listed = pod.reliability.get("spares", [])
    if not listed:
        return
    yield ""
    yield f"  Spares: {pod.spares} of {pod.systems} systems"
    rows: list[tuple[Any, ...]] = [("spares", "whole with probability", "")]
    first = max(0, pod.spares - 4)
    for line in listed[first:]:
        chosen = "chosen" if line["spares"] == pod.spares else ""
        rows.append((line["spares"], f"{line['probability']:.4%}", chosen))
    yield from ("  " + line for line in table(rows, "rrl"))


def storage(pod: PodChoice) -> Iterator[str]:
    """Storage of the pod, or its share in that of the site; nothing where the time of a checkpoint is stated."""
    told = pod.storage
    if not told:
        return
    yield ""
    bought = (
        f"{told['nodes']} x {told['node']}, {told['capacity_b'] / 1e12:,.0f} TB usable, in {pod.storage_racks} racks; "
        if "node" in told
        else "of the site; "
    )
    yield (
        f"  Storage: {bought}writes {told['write_b_s'] / 1e9:,.4g} GB/s, a checkpoint in {told['write_s']:,.1f} s, "
        f"read back in {told['load_s']:,.1f} s; feeds {told['ingest_b_s'] / 1e9:,.3g} GB/s; "
        f"{pod.storage_b_s * SPEED:,.3g} Gbit/s per accelerator"
        + (f", {pod.front_end_b_s * SPEED:,.3g} on the front end" if pod.front_end_b_s else "")
    )
