"""Rack elevations as SVG: each type of rack once, seen from the front and from the rear, with the ids of its first rack."""

from __future__ import annotations

from collections.abc import Sequence

from optimizer.layout.canvas import Canvas, fitted
from optimizer.layout.plan import Device, DeviceKind, PlacedRack, SitePlan

UNIT = 12.0
MARGIN = 28.0
PER_METRE = 250.0
COLOURS = {
    DeviceKind.SYSTEM: ("#cfe3f7", "#3b7bbf"),
    DeviceKind.SWITCH: ("#fde3c0", "#d18420"),
    DeviceKind.STORAGE: ("#d9efc8", "#5c9131"),
    DeviceKind.SHELF: ("#e3d7f4", "#7c55b8"),
    DeviceKind.PDU: ("#e3d7f4", "#7c55b8"),
    DeviceKind.CDU: ("#c7ece6", "#1f8f7f"),
    DeviceKind.MANIFOLD: ("#c7ece6", "#1f8f7f"),
    DeviceKind.BATTERY: ("#d9efc8", "#5c9131"),
    DeviceKind.RESERVED: ("#ffffff", "#9aa5b1"),
    DeviceKind.BLANK: ("url(#blank)", "#cbd2d9"),
}
TRAY_COLOURS = {"compute tray": "#cfe3f7", "scale-up switch": "#fde3c0", "power shelf": "#e3d7f4"}
PIPE_COLOURS = {"supply": "#2b7de9", "return": "#d64545"}
FEED_COLOURS = {"A": "#c0392b", "B": "#2563a8"}


def elevation_svg(plan: SitePlan, title: str, liquid: frozenset[str]) -> str:
    """The page. ``liquid`` names the pods whose systems are cooled by liquid: their racks of nodes carry manifolds."""
    types: dict[str, list[PlacedRack]] = {}
    for rack in plan.racks:
        types.setdefault(rack.type, []).append(rack)
    canvas = Canvas()
    canvas.text(MARGIN, 34, title, size=18, bold=True)
    canvas.text(
        MARGIN, 54, "Each type once, drawn as its first rack. Air enters at the front (cold aisle) and leaves at the rear (hot aisle); network ports are at the rear.",
        size=11.5, fill="#52606d",
    )  # fmt: skip
    groups = list(types.values())
    cards = [_card_width(group[0]) for group in groups]
    widest = max(1560.0, max(cards) + 2 * MARGIN)
    x, y, tallest, right = MARGIN, 78.0, 0.0, 0.0
    for group, width in zip(groups, cards, strict=True):
        if x > MARGIN and x + width > widest - MARGIN:
            x, y, tallest = MARGIN, y + tallest + 22, 0.0
        height = _card(canvas, x, y, width, group, group[0].pod in liquid)
        x, tallest, right = x + width + 22, max(tallest, height), max(right, x + width)
    bottom = y + tallest + 16
    piped = any(rack.pod in liquid and rack.kind == "compute" for rack in plan.racks)
    _legend(canvas, MARGIN, bottom + 8, {device.kind for rack in plan.racks for device in rack.devices}, piped)
    return canvas.page(max(right + MARGIN, 900), bottom + 44, title)


def _view_width(rack: PlacedRack) -> float:
    return max(rack.width * PER_METRE, 150.0)


def _card_width(rack: PlacedRack) -> float:
    return 2 * _view_width(rack) + 118.0


def _card(canvas: Canvas, x: float, y: float, width: float, racks: Sequence[PlacedRack], liquid: bool) -> float:
    """One type of rack; returns the height of the card."""
    rack = racks[0]
    view = _view_width(rack)
    tall = rack.rack_units * UNIT
    height = tall + 128
    canvas.box(x, y, width, height, "#ffffff", stroke="#cbd2d9", radius=6)
    names = rack.id if len(racks) == 1 else f"{rack.id} to {racks[-1].id.rsplit('/', 1)[-1]}"
    canvas.text(x + 14, y + 22, f"{rack.type}: {len(racks)} rack{'s' if len(racks) > 1 else ''}", size=13.5, bold=True)
    canvas.text(x + 14, y + 38, fitted(names, width - 28, 11), size=11, fill="#52606d")
    used = sum(d.units for d in rack.devices if d.kind not in (DeviceKind.BLANK, DeviceKind.RESERVED))
    facts = f"{rack.frame}: {used} of {rack.rack_units} units, {rack.power_w / 1e3:,.1f} kW nameplate, {rack.weight_kg:,.0f} kg"
    canvas.text(x + 14, y + 54, fitted(facts, width - 28, 11), size=11, fill="#52606d")
    top = y + 84
    front, rear = x + 34, x + 34 + view + 50
    _frame(canvas, front, top, view, rack, "front")
    _frame(canvas, rear, top, view, rack, "rear")
    for device in rack.devices:
        _front(canvas, front, top, view, rack, device)
        _rear(canvas, rear, top, view, rack, device)
    if liquid and rack.kind == "compute":
        _manifolds(canvas, rear, top, view, rack)
    _hung(canvas, rear, top, view, tall, rack)
    _balance(canvas, x + 14, top + tall + 30, rack)
    return height


def _frame(canvas: Canvas, x: float, top: float, view: float, rack: PlacedRack, side: str) -> None:
    tall = rack.rack_units * UNIT
    canvas.text(x + view / 2, top - 9, side, size=11.5, anchor="middle", bold=True, fill="#3e4c59")
    canvas.box(x - 5, top - 3, view + 10, tall + 6, "#e4e7eb", stroke="#7b8794", radius=2)
    canvas.box(x, top, view, tall, "#ffffff", stroke="#9aa5b1", line=0.6)
    for unit in [1, *range(5, rack.rack_units + 1, 5)]:
        level = top + tall - (unit - 0.5) * UNIT + 3
        canvas.text(x - 9, level, str(unit), size=8, fill="#7b8794", anchor="end")


def _outline(
    canvas: Canvas, x: float, top: float, view: float, rack: PlacedRack, device: Device
) -> tuple[float, float, str]:
    """The box of a device, the same from both sides; returns its upper edge, height and line colour."""
    y, height = top + (rack.rack_units - device.unit_to) * UNIT, device.units * UNIT
    fill, stroke = COLOURS[device.kind]
    dash = "4 3" if device.kind is DeviceKind.RESERVED else ""
    canvas.box(
        x + 1, y + 0.5, view - 2, height - 1, fill, stroke=stroke, line=0.8, dash=dash, title=_title(device), radius=1
    )
    return y, height, stroke


def _front(canvas: Canvas, x: float, top: float, view: float, rack: PlacedRack, device: Device) -> None:
    if not device.unit_from:
        return
    y, height, stroke = _outline(canvas, x, top, view, rack, device)
    if device.trays:
        _trays(canvas, x, top, view, rack, device, stroke)
        return
    if device.kind is DeviceKind.BLANK:
        return
    size = 9.0 if height < 1.6 * UNIT else 10.5
    # without its pod: switches of several networks are numbered each by itself
    words = (device.id.partition("/")[2] or device.id) if device.part else device.role
    middle = y + height / 2
    two = height >= 2.6 * UNIT and device.part is not None
    canvas.text(
        x + view / 2,
        middle + (size * 0.35 if not two else -1.5),
        fitted(words, view - 10, size),
        size=size,
        anchor="middle",
    )
    if two:
        facts = f"{device.role}, {device.power_w / 1e3:,.1f} kW" + (
            f", {device.weight_kg:g} kg" if device.weight_kg else ""
        )
        canvas.text(x + view / 2, middle + 11, fitted(facts, view - 10, 9), size=9, anchor="middle", fill="#52606d")


def _trays(canvas: Canvas, x: float, top: float, view: float, rack: PlacedRack, device: Device, stroke: str) -> None:
    for tray in device.trays:
        y = top + (rack.rack_units - tray.unit_to) * UNIT
        height = (tray.unit_to - tray.unit_from + 1) * UNIT
        fill = TRAY_COLOURS.get(tray.kind, "#ffffff")
        canvas.box(
            x + 3,
            y + 1,
            view - 6,
            height - 2,
            fill,
            stroke=stroke,
            line=0.5,
            title=f"{tray.id} ({tray.kind})",
            radius=1,
        )
        words = f"{tray.id.rsplit('/', 1)[-1]} · {tray.kind}"
        canvas.text(x + view / 2, y + height / 2 + 3, fitted(words, view - 12, 8.5), size=8.5, anchor="middle")
    highest = max(tray.unit_to for tray in device.trays)
    if device.unit_to - highest >= 2:
        y = top + (rack.rack_units - device.unit_to) * UNIT
        words = device.id.rsplit("/", 1)[-1]
        middle = y + (device.unit_to - highest) * UNIT / 2
        canvas.text(x + view / 2, middle + 3.5, fitted(words, view - 10, 10.5), size=10.5, anchor="middle", bold=True)


def _rear(canvas: Canvas, x: float, top: float, view: float, rack: PlacedRack, device: Device) -> None:
    """Seen from behind: outlines, with a row of ports on what has any."""
    if not device.unit_from:
        return
    y, height, stroke = _outline(canvas, x, top, view, rack, device)
    parts = [(y + height - (t.unit_to - device.unit_from + 1) * UNIT, t.kind == "compute tray") for t in device.trays]
    if not parts and device.kind in (DeviceKind.SYSTEM, DeviceKind.SWITCH, DeviceKind.STORAGE):
        parts = [(y + height / 2 - UNIT / 2, True)]
    for level, joined in parts:
        if device.trays:
            canvas.line(x + 2, level, x + view - 2, level, stroke, width=0.4)
        if joined:
            ports = 16 if device.kind is DeviceKind.SWITCH else 8
            step = view * 0.5 / ports
            for n in range(ports):
                canvas.box(
                    x + view * 0.25 + n * step + 1,
                    level + UNIT / 2 - 2.5,
                    step - 2,
                    5,
                    "#ffffff",
                    stroke=stroke,
                    line=0.5,
                )


def _manifolds(canvas: Canvas, x: float, top: float, view: float, rack: PlacedRack) -> None:
    """The pair of pipes of every rack with cold plates; with the id of the manifold where it is bought."""
    bought = next((_title(device) for device in rack.devices if device.kind is DeviceKind.MANIFOLD), "liquid manifold")
    tall = rack.rack_units * UNIT
    for offset, (name, colour) in zip((0.13, 0.84), PIPE_COLOURS.items(), strict=True):
        canvas.box(x + view * offset, top + 2, 5, tall - 4, colour, title=f"{bought}, {name}", radius=2)


def _hung(canvas: Canvas, x: float, top: float, view: float, tall: float, rack: PlacedRack) -> None:
    """Vertical PDUs on both sides, feed A left and B right, and the rear door."""
    counts = {"A": 0, "B": 0}
    for device in rack.devices:
        if device.unit_from:
            continue
        if device.kind is DeviceKind.DOOR:
            canvas.box(
                x - 8, top - 6, view + 16, tall + 12, "none", stroke="#1f8f7f", line=2, title=_title(device), radius=3
            )
            canvas.text(
                x + view / 2, top + tall + 15, f"rear door {device.part}", size=9, anchor="middle", fill="#1f8f7f"
            )
        elif device.feed in counts:
            side = x + 3 + counts[device.feed] * 9 if device.feed == "A" else x + view - 10 - counts[device.feed] * 9
            counts[device.feed] += 1
            canvas.box(
                side,
                top + tall * 0.08,
                7,
                tall * 0.84,
                "#ffffff",
                stroke=FEED_COLOURS[device.feed],
                line=1.4,
                title=_title(device),
                radius=2,
            )
            canvas.text(
                side + 3.5,
                top + tall * 0.08 - 2,
                device.feed,
                size=7.5,
                anchor="middle",
                fill=FEED_COLOURS[device.feed],
                bold=True,
            )


def _balance(canvas: Canvas, x: float, y: float, rack: PlacedRack) -> None:
    """Load of each line of both feeds."""
    words = " · ".join(
        f"feed {feed.feed}: L1 {feed.l1 / 1e3:.2f}, L2 {feed.l2 / 1e3:.2f}, L3 {feed.l3 / 1e3:.2f} kW"
        for feed in rack.phases
    )
    canvas.text(x, y, words, size=9.5, fill="#52606d")


def _title(device: Device) -> str:
    units = f"units {device.unit_from}-{device.unit_to}" if device.unit_from else device.mount
    part = f" ({device.part})" if device.part else ""
    return f"{device.id}{part}: {device.role}, {units}"


def _legend(canvas: Canvas, x: float, y: float, there: set[DeviceKind], piped: bool) -> None:
    """Colours of the kinds of devices that are there, and of manifolds where racks are ``piped``."""
    shown = (
        (DeviceKind.SYSTEM, "systems"), (DeviceKind.SWITCH, "switches"), (DeviceKind.STORAGE, "storage"), (DeviceKind.SHELF, "power shelves"),
        (DeviceKind.CDU, "CDUs"), (DeviceKind.BATTERY, "batteries"),
        (DeviceKind.RESERVED, "reserved"), (DeviceKind.BLANK, "blank panel"),
    )  # fmt: skip
    for kind, words in (entry for entry in shown if entry[0] in there):
        fill, stroke = COLOURS[kind]
        canvas.box(x, y, 18, 11, fill, stroke=stroke, dash="3 2" if kind is DeviceKind.RESERVED else "")
        canvas.text(x + 24, y + 9.5, words, size=10.5, fill="#3e4c59")
        x += 34 + 6.4 * len(words)
    for feed, colour in FEED_COLOURS.items():
        canvas.box(x, y, 7, 11, "#ffffff", stroke=colour, line=1.4)
        canvas.text(x + 13, y + 9.5, f"rack PDU, feed {feed}", size=10.5, fill="#3e4c59")
        x += 130
    for name, colour in PIPE_COLOURS.items() if piped else ():
        canvas.box(x, y, 5, 11, colour, radius=2)
        canvas.text(x + 11, y + 9.5, f"liquid {name}", size=10.5, fill="#3e4c59")
        x += 100
