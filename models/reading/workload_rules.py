"""What a workload asks for, held against the model it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.catalogue import Catalogue
from models.errors import Problem
from models.instance import Document
from models.parts.model_card import ModelCard
from models.workload import GivenThroughput, Serving, ServingRole, ThroughputMethod

ROOM = 1e-9


def check_workloads(document: Document, catalogue: Catalogue, origins: Mapping[str, str]) -> Iterator[Problem]:
    """A problem for every workload whose figures its model cannot be run with; unknown models are reported elsewhere."""
    for name, workload in document.workloads.items():
        searched = workload.method is ThroughputMethod.MAPPING
        yield from _given_twice(name, workload.given, origins)
        card = catalogue.of(ModelCard).get(workload.model)
        if isinstance(workload, Serving):
            yield from _serving(name, workload, searched or workload.given is not None, origins)
        elif searched and card is not None:
            yield from _whole_sequences(name, workload.global_batch, card.shape().seq, origins)


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


def _given_twice(name: str, given: GivenThroughput | None, origins: Mapping[str, str]) -> Iterator[Problem]:
    seen: set[tuple[str, str, int, float]] = set()
    for number, row in enumerate(given.rows if given is not None else ()):
        key = (row.system, row.role.value, row.accelerators, row.network)
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
