"""What a workload asks for, held against the model it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from models.catalogue import Catalogue
from models.errors import Problem
from models.instance import Document
from models.parts.model_card import ModelCard
from models.workload import ThroughputMethod, Training

ROOM = 1e-9


def check_workloads(document: Document, catalogue: Catalogue, origins: Mapping[str, str]) -> Iterator[Problem]:
    """A problem for every workload whose figures its model cannot be run with; unknown models are reported elsewhere."""
    for name, workload in document.workloads.items():
        card = catalogue.of(ModelCard).get(workload.model)
        if card is None or not isinstance(workload, Training) or workload.throughput is not ThroughputMethod.MAPPING:
            continue
        length = card.shape().seq
        sequences = workload.global_batch / length
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
