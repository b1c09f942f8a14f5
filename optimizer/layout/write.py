"""A layout as files: ``layout.json``, tables of racks, devices and cables, and drawings per site."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from optimizer.design import Design
from optimizer.layout.draw_elevation import elevation_svg
from optimizer.layout.draw_floor import floor_svg
from optimizer.layout.phases import imbalance
from optimizer.layout.plan import Layout, SitePlan
from optimizer.store import table_text
from optimizer.whole_file import write_json, write_text


def write_layout(folder: Path, design: Design, layout: Layout) -> list[Path]:
    """Writes every file of a layout into ``folder``, each whole or not at all; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, str] = {
        "racks.csv": table_text(list(rack_rows(layout))),
        "devices.csv": table_text(list(device_rows(layout))),
        "cables.csv": table_text(list(cable_rows(layout))),
    }
    for plan in layout.sites:
        liquid = frozenset(
            rack.pod
            for rack in plan.racks
            for pod in design.pods
            if pod.cooling == "liquid" and rack.pod.rsplit("-", 1)[0] == pod.cluster
        )
        files[f"elevation-{plan.site}.svg"] = elevation_svg(
            plan, f"Rack elevations, design {layout.design_id}, {plan.site}", liquid
        )
        files[f"floor-{plan.site}.svg"] = floor_svg(plan, f"Row plan, design {layout.design_id}, {plan.site}")
    for name, text in files.items():
        write_text(folder / name, text)
    data = layout.as_dict()
    del data["seconds"]
    for site in data["sites"]:
        del site["cables"]  # they are in cables.csv
    write_json(folder / "layout.json", data, in_order=True)
    return [folder / "layout.json", *(folder / name for name in files)]


def rack_rows(layout: Layout) -> Iterator[dict[str, Any]]:
    """One row per rack: where it stands, what it weighs and draws, how even its lines are."""
    for plan in layout.sites:
        for rack in plan.racks:
            row: dict[str, Any] = {
                "rack": rack.id, "site": plan.site, "pod": rack.pod, "kind": rack.kind, "type": rack.type, "frame": rack.frame,
                "row": rack.row, "position": rack.position, "positions": rack.slots, "x_m": round(rack.x, 3), "y_m": round(rack.y, 3),
                "front": rack.facing, "weight_kg": round(rack.weight_kg, 1), "nameplate_kw": round(rack.power_w / 1e3, 3),
            }  # fmt: skip
            for feed in rack.phases:
                for line, watts in (("l1", feed.l1), ("l2", feed.l2), ("l3", feed.l3)):
                    row[f"feed_{feed.feed.lower()}_{line}_kw"] = round(watts / 1e3, 3)
                row[f"feed_{feed.feed.lower()}_imbalance"] = round(imbalance(feed), 4)
            yield row


def device_rows(layout: Layout) -> Iterator[dict[str, Any]]:
    """One row per device, reserve and blank panel; ``part`` is the id in the bill of materials."""
    for plan in layout.sites:
        for rack in plan.racks:
            for device in rack.devices:
                yield {
                    "rack": rack.id, "row": rack.row, "position": rack.position, "device": device.id, "part": device.part,
                    "kind": device.kind.value, "role": device.role, "unit_from": device.unit_from or None,
                    "unit_to": device.unit_to or None, "mount": device.mount, "feed": device.feed or "A+B" if device.power_w else device.feed,
                    "weight_kg": device.weight_kg, "nameplate_w": device.power_w,
                }  # fmt: skip


def cable_rows(layout: Layout) -> Iterator[dict[str, Any]]:
    """The cable schedule: one row per link, with the length to order rounded up to 0.1 m."""
    for plan in layout.sites:
        for cable in plan.cables:
            yield {
                "cable": cable.id, "a_end": cable.a_end, "b_end": cable.b_end, "a_rack": cable.a_rack, "b_rack": cable.b_rack,
                "medium": cable.medium, "level": cable.level, "length_m": -(-round(cable.length * 1e4) // 1000) / 10,
                "priced_m": round(cable.priced, 2), "reach_m": cable.reach,
            }  # fmt: skip


def level_rows(plan: SitePlan) -> Iterator[dict[str, Any]]:
    """Per level and medium: links, least, mean and longest run [m], what was priced, and what the medium reaches."""
    groups: dict[tuple[str, str], list[float]] = {}
    limits: dict[tuple[str, str], tuple[float, float, float]] = {}
    for cable in plan.cables:
        groups.setdefault((cable.level, cable.medium), []).append(cable.length)
        limits[cable.level, cable.medium] = (cable.priced, cable.band, cable.reach)
    for (level, medium), lengths in groups.items():
        priced, band, reach = limits[level, medium]
        yield {
            "level": level, "medium": medium, "links": len(lengths), "mean_m": sum(lengths) / len(lengths), "longest_m": max(lengths),
            "priced_m": priced, "band_m": band, "reach_m": reach, "above_priced": sum(length > priced + 1e-6 for length in lengths),
        }  # fmt: skip
