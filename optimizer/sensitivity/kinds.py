"""What kind of thing a placement is: vendor, system, cooling, network, switch, site; one label per row and dimension."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from models.candidates.placement import Candidates, Placements
from models.formulation.core import block_name
from models.formulation.linear import Linear
from models.instance import Instance
from models.parts.network_part import Switch
from models.parts.system import System
from models.workload import RackCooling

Labels = npt.NDArray[np.str_]

DIMENSIONS = ("vendor", "system", "cooling", "network", "switch", "site")
KIND = ("vendor", "topology", "cooling")
"""Dimensions in which kinds of architecture differ; ``topology`` (tiers) is enumerated apart."""


def labels_of(instance: Instance, placements: Placements) -> Mapping[str, Labels]:
    """Dimension -> label of every row."""
    pods = placements.pods
    racks = {
        "vendor": np.array([r.system.vendor for r in pods.racks]),
        "system": np.array([r.system.id for r in pods.racks]),
        "cooling": np.array([r.cooling.value for r in pods.racks]),
    }
    found: dict[str, Labels] = {name: values[pods.rack][placements.pod] for name, values in racks.items()}
    switch = np.empty(len(pods), dtype=object)
    for number, table in enumerate(pods.fabrics):
        mine = np.flatnonzero(pods.table == number)
        ids = np.array([card.id for card in table.switches], dtype=object)
        if len(mine):
            switch[mine] = ids[table.switch[pods.fabric[mine]]]
    known = instance.catalogue.of(Switch)
    found["switch"] = switch.astype(str)[placements.pod]
    network = {name: part.protocol for name, part in known.items()}
    found["network"] = np.array([network.get(name, name) for name in found["switch"]], dtype=str)
    found["site"] = np.full(len(placements), placements.site)
    return found


def kind_numbers(instance: Instance, placements: Placements) -> npt.NDArray[np.float64]:
    """A number of every row, the same for rows of one kind at whatever table: system, cooling, switch and site, and what they imply."""
    catalogue = instance.catalogue
    known = {
        "system": list(catalogue.of(System)),
        "cooling": [cooling.value for cooling in RackCooling],
        "switch": [*catalogue.of(Switch), "None"],
        "site": list(instance.sites),
    }
    labels = labels_of(instance, placements)
    number = np.zeros(len(placements))
    for dimension, values in known.items():
        found, codes = np.unique(labels[dimension], return_inverse=True)
        places = np.array([values.index(str(value)) for value in found], dtype=np.float64)
        number = number * len(values) + places[codes.reshape(-1)]
    return number


def indicators(instance: Instance, candidates: Candidates) -> dict[tuple[str, str, str], Linear]:
    """(cluster, dimension, value) -> number of pods in use that have it."""
    terms: dict[tuple[str, str, str], dict[str, npt.NDArray[np.float64]]] = {}
    for placements in candidates.placements:
        for dimension, labels in labels_of(instance, placements).items():
            for value in np.unique(labels):
                key = (placements.cluster, dimension, str(value))
                terms.setdefault(key, {})[block_name(placements)] = (labels == value).astype(np.float64)
    return {key: Linear(found) for key, found in sorted(terms.items())}
