"""What a workload asks for, held against the model it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.catalogue import Catalogue
from models.errors import Problem
from models.instance import Document
from models.parts.model_card import ModelCard
from models.workload import BatchSplit, GivenThroughput, Serving, ServingRole, ThroughputMethod, Training

ROOM = 1e-9


def check_workloads(document: Document, catalogue: Catalogue, origins: Mapping[str, str]) -> Iterator[Problem]:
    """A problem for every workload whose figures its model cannot be run with; unknown models are reported elsewhere."""
    for name, workload in document.workloads.items():
        searched = workload.method is ThroughputMethod.MAPPING
        yield from _given_twice(name, workload.given, origins)
        card = catalogue.of(ModelCard).get(workload.model)
        if isinstance(workload, Serving):
            yield from _serving(name, workload, searched or workload.given is not None, origins)
        else:
            if searched and card is not None:
                yield from _whole_sequences(name, workload.global_batch, card.shape().seq, origins)
            if workload.split is not None:
                yield from _split(name, workload, document, origins)
            if workload.split is not None and searched and card is not None:
                yield from _whole_parts(name, workload.split, workload.global_batch, card.shape().seq, origins)
            yield from _copies(name, workload, origins)


def _copies(name: str, workload: Training, origins: Mapping[str, str]) -> Iterator[Problem]:
    if workload.method is ThroughputMethod.FIRST_ORDER and workload.model_parallel is None:
        yield Problem(
            "missing-key",
            origins.get(f"workloads.{name}", "instance:1"),
            f"workloads.{name}.model_parallel is missing",
            "the number of accelerators that share one copy of the parameters, which throughput: first_order needs",
            "add it, or let the program search the mapping: throughput: mapping",
        )


def _whole_sequences(name: str, batch: float, length: int, origins: Mapping[str, str]) -> Iterator[Problem]:
    sequences = batch / length
    if sequences < 1 or abs(sequences - round(sequences)) > ROOM * sequences:
        path = f"workloads.{name}.global_batch"
        below, above = max(1, int(sequences)), int(sequences) + 1
        yield Problem(
            "global-batch",
            origins.get(path, "instance:1"),
            f"{path}: {sequences:,.6g} sequences of {length} tokens",
            "a whole number of sequences, as mappings share out sequences",
            f"{below * length / 1e6:.9g} Mtoken are {below}, {above * length / 1e6:.9g} Mtoken are {above}",
        )


def _split(name: str, workload: Training, document: Document, origins: Mapping[str, str]) -> Iterator[Problem]:
    """A job over several sites needs links between them, and a throughput that is known for parts of its batch."""
    path = f"workloads.{name}.split"
    where = origins.get(path, "instance:1")
    sites = set(workload.sites or document.sites)
    if not any(sites.issuperset(link.between) for link in document.links.values()):
        found = f"{path}: no link joins two of its sites ({', '.join(sorted(sites))})"
        yield Problem("split", where, found, "an entry of `links` between two sites the cluster may stand at")
    given, split = workload.given, workload.split
    if given is None or given.table is None or split is None:
        return
    for number, row in enumerate(given.rows):
        parts = row.share * split.parts
        if abs(parts - round(parts)) > 1e-6:
            place = origins.get(f"workloads.{name}.throughput.rows.{number}", "instance:1")
            found = f"share {row.share:g} is {parts:g} of {split.parts} parts of the batch"
            yield Problem("share", place, found, "whole parts, as `split` deals them", "of a third: 0.3333333333")
    if workload.method is None and all(row.share == 1.0 for row in given.rows):
        found = f"{path}: {given.name} tells the throughput of the whole batch, not of a part of it"
        expected = "lines with a `share` of the batch, or throughput.otherwise: first_order or mapping"
        yield Problem("split", where, found, expected)


def _whole_parts(
    name: str, split: BatchSplit, batch: float, length: int, origins: Mapping[str, str]
) -> Iterator[Problem]:
    sequences = round(batch / length)
    if sequences % split.parts:
        path = f"workloads.{name}.split.parts"
        found = f"{path}: {sequences:,} sequences in {split.parts} equal parts"
        fits = [parts for parts in range(2, 65) if sequences % parts == 0]
        near = f"of up to 64 parts {', '.join(map(str, fits))} divide them" if fits else "none of 2 to 64 divides them"
        expected = "a number that divides the batch, as mappings share out sequences"
        yield Problem("batch-parts", origins.get(path, "instance:1"), found, expected, near)


def _given_twice(name: str, given: GivenThroughput | None, origins: Mapping[str, str]) -> Iterator[Problem]:
    seen: set[tuple[str, str, int, float, float]] = set()
    for number, row in enumerate(given.rows if given is not None else ()):
        key = (row.system, row.role.value, row.accelerators, row.network, row.share)
        if key in seen:
            path = f"workloads.{name}.throughput.rows.{number}"
            found = f"{row.system} at {row.accelerators} accelerators and {row.network * 8e-9:g} Gbit/s as {row.role.value}, again"
            yield Problem("duplicate-row", origins.get(path, "instance:1"), found, "each system, size and network once")
        seen.add(key)


def _serving(name: str, workload: Serving, searched: bool, origins: Mapping[str, str]) -> Iterator[Problem]:
    for field in ("ttft_at_most", "tpot_at_most", "roles"):
        path = f"workloads.{name}.{field}"
        if getattr(workload, field) is not None and not searched:
            yield Problem(
                "not-read",
                origins.get(path, "instance:1"),
                f"{path} says nothing where throughput is a stated share of peak",
                "throughput: mapping",
                f"add it to workloads.{name}, or leave {field} out",
            )
    roles = set(workload.roles or ())
    if roles and ServingRole.MIXED not in roles and len(roles) < 2:
        path = f"workloads.{name}.roles"
        yield Problem(
            "roles",
            origins.get(path, "instance:1"),
            f"{path}: {', '.join(sorted(roles))} alone cannot answer",
            "mixed, or prefill with decode",
        )
