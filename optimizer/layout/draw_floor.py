"""The row plan as SVG, seen from above: every rack with its id, fronts and aisles, trays, distribution units.

Rows are drawn from top to bottom and lie side by side from left to right, only those in use.
"""

from __future__ import annotations

from optimizer.layout.canvas import Canvas, fitted
from optimizer.layout.plan import DeviceKind, FloorUnit, PlacedRack, SitePlan

METRE = 30.0
LEFT, TOP = 60.0, 150.0
POD_COLOURS = ("#cfe3f7", "#d9efc8", "#f7d7e3", "#e3d7f4", "#fdf0c0", "#c7ece6")
SWITCH_COLOURS = {"leaf": "#fde3c0", "spine": "#f6b26b", "core": "#d18420"}
STORAGE_COLOUR = "#a8d5a2"
UNIT_COLOUR = "#c7ece6"
COLD, HOT = "#eef6fd", "#fdf0ee"


def floor_svg(plan: SitePlan, title: str) -> str:
    """The page."""
    canvas, hall = Canvas(), plan.hall
    rows = sorted({rack.row for rack in plan.racks})
    first, last = rows[0], rows[-1]
    long = min(hall.per_row, hall.positions) * hall.pitch
    deepest = max(rack.depth for rack in plan.racks)
    edge = max(
        [
            0.4,
            *(-(unit.x - unit.width / 2) for unit in plan.equipment),
            *(unit.x + unit.width / 2 - long for unit in plan.equipment),
        ]
    )
    top = TOP + (edge + 0.3) * METRE

    def across(y: float) -> float:
        return LEFT + (y - (first - 1) * hall.row_pitch + deepest / 2 + 0.9) * METRE

    width = across((last - 1) * hall.row_pitch) + (deepest / 2 + 0.9) * METRE + 40
    height = top + (long + edge + 0.5) * METRE + 60
    _heading(canvas, plan, title)
    gap = (hall.row_pitch - deepest) * METRE
    for row in range(first - 1, last + 1):
        if gap > 8 and (row >= first or row < last):
            _aisle(canvas, across((row - 0.5) * hall.row_pitch), gap, top, long * METRE, cold=row % 2 == 1)
    for row in range(first, last + 1):
        x = across((row - 1) * hall.row_pitch)
        canvas.text(x, top - (edge + 0.1) * METRE, f"row {row}", size=11, anchor="middle", bold=True)
        canvas.box(x - deepest / 2 * METRE, top, deepest * METRE, long * METRE, "none", stroke="#d5dae1", dash="3 3")
    pods = list(dict.fromkeys(rack.pod for rack in plan.racks))
    for rack in plan.racks:
        _rack(canvas, rack, across(rack.y), top, pods.index(rack.pod))
    for unit in plan.equipment:
        _unit(canvas, unit, across(unit.y), top)
    for column in range(0, hall.per_row, 5):
        canvas.text(
            LEFT - 10,
            top + (column + 0.5) * hall.pitch * METRE + 3,
            str(column + 1),
            size=8.5,
            anchor="end",
            fill="#7b8794",
        )
    canvas.text(LEFT - 10, top - 8, "position", size=8.5, anchor="end", fill="#7b8794")
    _scale(canvas, LEFT, height - 34)
    return canvas.page(max(width, 1040), height, title)


def _aisle(canvas: Canvas, middle: float, gap: float, top: float, long: float, *, cold: bool) -> None:
    canvas.box(middle - gap / 2, top, gap, long, COLD if cold else HOT)
    words = "cold aisle" if cold else "hot aisle"
    canvas.text(middle + 4, top + long / 2, words, size=10.5, fill="#7b8794", anchor="middle", turn=-90)


def _heading(canvas: Canvas, plan: SitePlan, title: str) -> None:
    canvas.text(LEFT, 34, title, size=18, bold=True)
    cables = f"{len(plan.cables):,} links, {plan.total_length / 1e3:,.2f} km of cable" if plan.cables else "no links"
    proof = f"at most {plan.gap:.1%} above the least these racks can need" if plan.cables else ""
    canvas.text(
        LEFT,
        56,
        f"{len(plan.racks)} racks; {cables}, {proof}. Runs go up to the trays, along the rows and across them.",
        size=11.5,
        fill="#52606d",
    )
    x = LEFT
    kinds = [
        (POD_COLOURS[n % len(POD_COLOURS)], pod) for n, pod in enumerate(dict.fromkeys(rack.pod for rack in plan.racks))
    ][:6]
    tiers = {_tier(rack) for rack in plan.racks if rack.kind == "network"}
    kinds += [(SWITCH_COLOURS[tier], f"{tier} switches") for tier in SWITCH_COLOURS if tier in tiers]
    if any(rack.kind == "storage" for rack in plan.racks):
        kinds.append((STORAGE_COLOUR, "storage"))
    if plan.equipment:
        kinds.append((UNIT_COLOUR, " + ".join(sorted({unit.part for unit in plan.equipment}))))
    for fill, words in kinds:
        canvas.box(x, 72, 20, 12, fill, stroke="#7b8794", line=0.7)
        canvas.text(x + 26, 82, words, size=11, fill="#3e4c59")
        x += 44 + 6.6 * len(words)
    canvas.box(x, 72, 3, 12, "#1f2933")
    canvas.text(x + 9, 82, "front", size=11, fill="#3e4c59")


def _tier(rack: PlacedRack) -> str:
    """The tier most of a rack's switches belong to."""
    roles = [device.role.split()[:2] for device in rack.devices if device.kind is DeviceKind.SWITCH]
    return max(SWITCH_COLOURS, key=lambda tier: (sum(tier in role for role in roles), tier == "leaf"))


def _rack(canvas: Canvas, rack: PlacedRack, middle: float, top: float, pod: int) -> None:
    fill = POD_COLOURS[pod % len(POD_COLOURS)] if rack.kind == "compute" else SWITCH_COLOURS[_tier(rack)]
    fill = STORAGE_COLOUR if rack.kind == "storage" else fill
    x, y = middle - rack.depth / 2 * METRE, top + (rack.x - rack.width / 2) * METRE
    deep, wide = rack.depth * METRE, rack.width * METRE
    facts = f"{rack.id}: {rack.type}, {rack.frame}, row {rack.row} position {rack.position}, {rack.power_w / 1e3:,.1f} kW, {rack.weight_kg:,.0f} kg"
    canvas.box(x, y + 0.5, deep, wide - 1, fill, stroke="#7b8794", line=0.7, title=facts)
    # fronts look at the aisle behind an odd row, in front of an even one
    front = x + deep - 3 if rack.facing == "+y" else x
    canvas.box(front, y + 0.5, 3, wide - 1, "#1f2933")
    canvas.text(middle, y + wide / 2 + 3, rack.id.rsplit("/", 1)[-1], size=9, anchor="middle")


def _unit(canvas: Canvas, unit: FloorUnit, middle: float, top: float) -> None:
    """A unit of equipment that stands in the rows."""
    deep, wide = unit.depth * METRE, unit.width * METRE
    x, y = middle - unit.depth / 2 * METRE, top + (unit.x - unit.width / 2) * METRE
    canvas.box(x, y, deep, wide, UNIT_COLOUR, stroke="#1f8f7f", title=f"{unit.id} ({unit.part})", radius=2)
    number = fitted(unit.id.rsplit("-", 1)[-1], 30, 8.5)
    canvas.text(x + deep / 2, y + wide / 2 + 3, number, size=8.5, anchor="middle")


def _scale(canvas: Canvas, x: float, y: float) -> None:
    canvas.line(x, y, x + 5 * METRE, y, "#3e4c59", width=1.5)
    for end in (x, x + 5 * METRE):
        canvas.line(end, y - 4, end, y + 4, "#3e4c59", width=1.5)
    canvas.text(x + 5 * METRE + 8, y + 4, "5 m", size=10.5, fill="#3e4c59")
