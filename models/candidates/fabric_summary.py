"""One fabric as a person reads it: a name, and a line per tier with its ports and links."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.candidates.fabric_request import Level
from models.candidates.fabric_table import FabricTable

LENGTH_BANDS = (3.0, 7.0, 30.0, 50.0, 100.0, 500.0, 2000.0)


@dataclass(frozen=True, slots=True)
class TierLine:
    """One tier: its switches with the ledger of all their ports, and the links below them with medium and longest run [m]."""

    tier: str
    switch: str
    count: int
    ports: int
    down: int
    up: int
    reserved: int
    spare: int
    links: int
    medium: str | None
    length: float
    length_band: str


def length_band(length: float) -> str:
    """The reach class that covers a run: ``up to 7 m``."""
    for band in LENGTH_BANDS:
        if length <= band:
            return f"up to {band:g} m"
    return f"over {LENGTH_BANDS[-1]:g} m"


def tier_lines(table: FabricTable, index: int) -> tuple[TierLine, ...]:
    """The tiers of one design, leaf first; tiers it does not have are left out."""
    return lines_of_row(table.row(index))


def lines_of_row(row: Mapping[str, Any]) -> tuple[TierLine, ...]:
    """The same from the plain values of a row, as a run keeps them."""
    ledgers = (
        ("leaf", "switch", "leaf_down_used", "leaf_up_used", Level.NODE_LEAF, "links_node_leaf"),
        ("spine", "spine_switch", "spine_down_used", "spine_up_used", Level.LEAF_SPINE, "logical_leaf_spine"),
        ("core", "spine_switch", "core_used", None, Level.SPINE_CORE, "links_spine_core"),
    )
    return tuple(
        TierLine(
            tier=tier,
            switch=row[switch],
            count=row[tier],
            ports=row[f"{tier}_ports"],
            down=row[down],
            up=row[up] if up else 0,
            reserved=row["leaf_reserved"] if tier == "leaf" else 0,
            spare=row[f"{tier}_spare"],
            links=row[links],
            medium=row[f"medium_{level}"],
            length=row[f"length_{level}"],
            length_band=length_band(row[f"length_{level}"]),
        )
        for tier, switch, down, up, level, links in ledgers
        if row[tier]
    )


def design_name(table: FabricTable, index: int) -> str:
    """A name that no other design of the same size has: switches, tiers, splits, planes, breakout, core."""
    return name_of_row(table.row(index))


def name_of_row(row: Mapping[str, Any]) -> str:
    """The same from the plain values of a row."""
    switch = row["switch"] if row["switch"] == row["spine_switch"] else f"{row['switch']}+{row['spine_switch']}"
    split = f"{row['down']}:{row['up']}" if row["up"] else f"{row['down']}"
    parts = [switch, f"{row['tiers']}t", split, "rail" if row["rail_optimised"] else "plain"]
    if row["tiers"] == 3:
        parts.append(f"s{row['spine_split_down']}:{row['spine_split_up']}")
        parts.append(f"c{row['core']}")
    if row["planes"] > 1:
        parts.append(f"p{row['planes']}")
    if row["breakout"] > 1:
        parts.append(f"b{row['breakout']}")
    parts.append(f"{row['uplink_speed'] * 8e-9:g}G")
    return ".".join(parts)
