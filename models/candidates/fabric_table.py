"""The table of fabric designs: one row per legal fabric, exact counts and figures as numpy columns, and the refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from models.candidates.fabric_media import LinkMedium
from models.candidates.fabric_parts import SwitchCard

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A combination that is not legal, or not for all sizes: which, the rule it breaks in words, and the node counts concerned."""

    switch: str
    tiers: int
    split: str
    rule: str
    nodes_low: int
    nodes_high: int
    sizes: int


@dataclass(frozen=True)
class FabricTable:
    """Legal fabrics, one row each; every array has one entry per row.

    Choice: ``nodes`` and its position ``size`` in the request, ``accelerators``, ``switch`` (into ``switches``) and ``spine_switch`` (spine
    and core, the same model unless a pair was asked for), ``tiers``, ``rail_optimised``,
    ``planes``, ``asked_oversubscription`` and the true ``oversubscription`` of a full leaf (down over up bandwidth), ``spine_oversubscription``,
    ``uplink_speed`` [B/s], ``breakout``; ``down``, ``up`` ports of a leaf, ``spine_split_down``, ``spine_split_up`` ports of a spine (three tiers),
    ``spine_down``, ``spine_up`` ports used on the fullest spine.

    Counts, all planes together: ``leaf``, ``spine``, ``core``, ``groups`` (three tiers, per rail); ``links_node_leaf`` (manager links
    included), ``links_leaf_spine``, ``links_spine_core`` at fabric port speed; ``logical_leaf_spine`` after breakout.

    Ledger, ports of all switches of a tier: ``leaf_ports``, ``leaf_down_used``, ``leaf_up_used``, ``leaf_reserved``, ``leaf_spare``;
    ``spine_ports``, ``spine_down_used``, ``spine_up_used``, ``spine_spare``; ``core_ports``, ``core_used``, ``core_spare``. Used, reserved
    and spare add up to the ports; at two link speeds leaf ports are counted at the node's speed. Breakout counts split ports.

    Media per level (``node_leaf``, ``leaf_spine``, ``spine_core``): ``medium_*`` (into ``media``, -1 where there is no such level),
    ``length_*`` [m], ``near_units_*`` and ``far_units_*`` (modules or cable ends at the upper and the lower end), ``fibres``.

    Figures: ``power_typical``, ``power_max`` [W]; ``capex_switches_low/high``, ``capex_links_low/high`` [USD]; ``rack_units``, ``weight``
    [kg]; ``link_failure_rate`` [1/s]; ``injection`` and ``bisection`` per accelerator [B/s], one direction; ``taper_leaf``,
    ``taper_spine``: the share of bandwidth that passes that tier.
    """

    switches: tuple[SwitchCard, ...]
    media: tuple[LinkMedium, ...]
    refusals: tuple[Refusal, ...]

    size: Ints
    nodes: Ints
    accelerators: Ints
    switch: Ints
    spine_switch: Ints
    tiers: Ints
    rail_optimised: Bools
    planes: Ints
    asked_oversubscription: Floats
    oversubscription: Floats
    spine_oversubscription: Floats
    uplink_speed: Floats
    breakout: Ints
    down: Ints
    up: Ints
    spine_split_down: Ints
    spine_split_up: Ints
    spine_down: Ints
    spine_up: Ints

    leaf: Ints
    spine: Ints
    core: Ints
    groups: Ints
    links_node_leaf: Ints
    links_leaf_spine: Ints
    links_spine_core: Ints
    logical_leaf_spine: Ints

    leaf_ports: Ints
    leaf_down_used: Ints
    leaf_up_used: Ints
    leaf_reserved: Ints
    leaf_spare: Ints
    spine_ports: Ints
    spine_down_used: Ints
    spine_up_used: Ints
    spine_spare: Ints
    core_ports: Ints
    core_used: Ints
    core_spare: Ints

    medium_node_leaf: Ints
    medium_leaf_spine: Ints
    medium_spine_core: Ints
    length_node_leaf: Floats
    length_leaf_spine: Floats
    length_spine_core: Floats
    near_units_node_leaf: Ints
    far_units_node_leaf: Ints
    near_units_leaf_spine: Ints
    far_units_leaf_spine: Ints
    near_units_spine_core: Ints
    far_units_spine_core: Ints
    fibres: Ints

    power_typical: Floats
    power_max: Floats
    capex_switches_low: Floats
    capex_switches_high: Floats
    capex_links_low: Floats
    capex_links_high: Floats
    rack_units: Floats
    weight: Floats
    link_failure_rate: Floats
    injection: Floats
    bisection: Floats
    taper_leaf: Floats
    taper_spine: Floats

    def __len__(self) -> int:
        return len(self.nodes)

    @property
    def switch_count(self) -> Ints:
        """Switches of all tiers."""
        return self.leaf + self.spine + self.core

    @classmethod
    def column_names(cls) -> tuple[str, ...]:
        """Names of the array columns, in order."""
        return tuple(f.name for f in fields(cls) if f.name not in ("switches", "media", "refusals"))

    def take(self, rows: npt.ArrayLike) -> FabricTable:
        """The table of some rows: a mask or row numbers."""
        picked = np.asarray(rows)
        columns = {name: getattr(self, name)[picked] for name in self.column_names()}
        return FabricTable(self.switches, self.media, self.refusals, **columns)

    def row(self, index: int) -> Mapping[str, Any]:
        """One design as plain values; switch and media by id."""
        out: dict[str, Any] = {name: getattr(self, name)[index].item() for name in self.column_names()}
        out["switch"] = self.switches[out["switch"]].id
        out["spine_switch"] = self.switches[out["spine_switch"]].id
        for name in ("medium_node_leaf", "medium_leaf_spine", "medium_spine_core"):
            out[name] = self.media[out[name]].name if out[name] >= 0 else None
        return out
