"""A changed statement of an instance: how it reads before and after, as text for a file and as a value for a re-solve."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import ceil, floor
from typing import Any

from models.instance import Instance
from models.parts.network_part import Link, Switch
from models.parts.part import Part
from models.parts.rack import Floor, Rack
from models.parts.system import System
from models.site import Chain
from models.workload import SizeRange, Training
from optimizer.design import Design, PodChoice
from optimizer.explain.asking import LimitRow
from optimizer.explain.bracketing import LATENCIES, Interval
from optimizer.explain.groups import Group, plain, written
from optimizer.explain.purchases import Purchase
from optimizer.explain.widening import replaced

MEGABIT_PER_SECOND = 1e6 / 8
MILLION = 1_000_000


@dataclass(frozen=True)
class Change:
    """One change of a repair. ``overrides`` (dotted path -> value as a file would have it) is empty where no field of the
    instance can say it; ``apply`` makes it, None where only the program's row can be moved."""

    group: Group
    before: str
    after: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    apply: Callable[[Instance], Instance] | None = field(default=None, compare=False, repr=False)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "group": self.group.name,
            "kind": self.group.kind.value,
            "owner": self.group.owner or None,
            "where": self.group.where,
            "before": self.before,
            "after": self.after,
            "overrides": dict(self.overrides),
        }


def _stated(instance: Instance, group: Group, text: str, value: Any) -> Change:
    name, before = group.name, written(instance, group.name)
    overrides = {name: {"value": text} if _is_stated(instance, name) else text}
    shown = plain(before) if before is not None else group.asks
    return Change(group, shown, plain(text), overrides, lambda i: replaced(i, name, value))


def _is_stated(instance: Instance, name: str) -> bool:
    node: Any = instance.raw
    for step in name.split("."):
        node = node.get(step) if isinstance(node, Mapping) else None
    return isinstance(node, Mapping) and "value" in node


def limit_change(instance: Instance, group: Group, row: LimitRow, value: float, exact: bool = False) -> Change:
    """A limit moved to ``value`` in the unit of its row; ``exact``: a row that asks for one value, neither more nor less."""
    head, _, last = group.name.partition(".")[0], "", group.name.rpartition(".")[2]
    whole = round(value)
    if last in ("utility",) or (head, last) == ("limits", "power"):
        return _stated(instance, group, f"{whole} kW", whole * 1e3)
    if head == "limits" and last in ("capex", "opex", "tco", "concentration"):
        return _stated(instance, group, f"{whole / 1e3:.10g} MUSD", whole * 1e3)
    if head == "limits" and last == "carbon":
        return _stated(instance, group, f"{whole} t", whole * 1e3)
    if (head, last) == ("limits", "availability"):
        return _stated(instance, group, f"{whole / MILLION:.6f}", whole / MILLION)
    if last in ("rack_positions", "pods_at_most") or (head == "limits" and last in ("floor", "blast_radius")):
        return _stated(instance, group, whole, whole)  # type: ignore[arg-type]
    if (head, last) == ("limits", "goodput"):
        share = useful_share(row, whole)
        return _stated(instance, group, f"{share:.6f}", share)
    if last == "rate" or (head, last) == ("limits", "throughput"):
        return _stated(instance, group, f"{whole} token/s", float(whole))
    if last == "deadline":
        workload = instance.workloads[group.name.split(".")[1]]
        assert isinstance(workload, Training)
        hundredths = ceil(workload.tokens / value / 864.0 - 1e-9)
        return _stated(instance, group, f"{hundredths / 100:.10g} days", hundredths * 864.0)
    if head == "rules" and last in ("at_most", "at_least", "fix"):
        return _rule_change(instance, group, row, whole)
    side = "exactly" if exact else "at most" if row.at_most else "at least"
    return Change(group, f"{side} {row.limit:,.7g} {row.unit}", f"{side} {value:,.7g} {row.unit}")


def useful_share(row: LimitRow, value: float) -> float:
    """The floor on useful time that a row at ``value`` [millionths of the time, useful or lost] stands for."""
    return (MILLION - round(value) if row.at_most else round(value)) / MILLION


def _rule_change(instance: Instance, group: Group, row: LimitRow, whole: int) -> Change:
    """The bound of a rule: money, power, or a count."""
    if row.unit == "kUSD":
        return _stated(instance, group, f"{whole} kUSD", whole * 1e3)
    if row.unit == "kW":
        return _stated(instance, group, f"{whole} kW", whole * 1e3)
    return _stated(instance, group, whole, whole)  # type: ignore[arg-type]


def floor_change(instance: Instance, group: Group, value: float) -> Change:
    """A floor lowered to ``value`` in canonical units: on a quality of every pod (goodput, injection, bisection), or the warmth of a room."""
    if group.name.endswith(".supply_air"):
        warm = floor(value * 10 + 1e-6) / 10
        return _stated(instance, group, f"{warm:.10g} degC", warm)
    if group.name == "limits.goodput":
        share = round(value * 1e6 - 0.5 + 1e-6) / 1e6
        return _stated(instance, group, f"{share:.6f}", share)
    megabits = int(value / MEGABIT_PER_SECOND + 1e-6)
    return _stated(instance, group, f"{megabits / 1e3:.10g} Gbit/s", megabits * MEGABIT_PER_SECOND)


def threshold_change(instance: Instance, group: Group, value: float) -> Change:
    """A site's filter moved just as far as ``value``: a date, heat to the room, load on the floor, height of its racks."""
    last = group.name.rpartition(".")[2]
    if last in ("clear_height", "row_pitch"):
        high = ceil(value * 1e3 - 1e-6) / 1e3
        return _stated(instance, group, f"{high:.10g} m", high)
    if last == "airflow_per_rack":
        flow = ceil(value * 1e4 - 1e-6) / 1e4
        return _stated(instance, group, f"{flow:.10g} m**3/s", flow)
    if last == "needed_by":
        dates = [s.available for s in instance.catalogue.of(System).values() if s.available is not None]
        date = next(d for d in dates if d.index == round(value))
        return _stated(instance, group, date.text, date)
    if last == "air_per_rack":
        watts = ceil(value - 1e-6)
        return _stated(instance, group, f"{watts / 1e3:.10g} kW", float(watts))
    floors = [f for f in instance.catalogue.of(Floor).values() if f.uniform is not None and f.uniform >= value - 1e-9]
    weakest = min(floors, key=lambda f: (f.uniform or 0.0, f.id))
    return _stated(instance, group, weakest.id, weakest.id)


def purchase_change(group: Group, purchase: Purchase, found: Interval) -> Change:
    """A statement of purchasing moved to where a design exists; an interval that was not closed says from where on none is known."""
    told = purchase.told(found.value)
    after = told.after if found.closed else f"{told.after} (not narrowed further)"
    return Change(group, told.before, after, {told.field: told.text}, lambda i: purchase.apply(i, found.value))


def bracket_change(instance: Instance, group: Group, found: Interval) -> Change:
    """A bound moved to where a design exists; an interval that was not closed says from where on none is known."""
    latency = group.name.rpartition(".")[2] in LATENCIES
    text: Any = (
        f"{found.value:.10g} s" if latency else int(found.value) if found.value == int(found.value) else found.value
    )
    if latency and found.value < 1.0:
        text = f"{found.value * 1e3:.10g} ms"
    change = _stated(instance, group, text, found.value)
    if found.closed:
        return change
    none = f"{found.without:.6g}{' s' if latency else ''}"
    return dataclasses.replace(change, after=f"{plain(text)} (none at {none}, not narrowed further)")


def size_change(instance: Instance, group: Group, design: Design) -> Change:
    """A size range widened to the sizes a design uses."""
    cluster = group.name.split(".")[1]
    sizes = instance.workloads[cluster].design_space.sizes
    asked = [
        _asked_size(sizes, p.accelerators, p.accelerators // p.systems) for p in design.pods if p.cluster == cluster
    ]
    wide = SizeRange(
        smallest=min([sizes.smallest, *asked]), largest=max([sizes.largest, *asked]), step=sizes.step
    )  # fmt: skip
    text = {"smallest": wide.smallest, "largest": wide.largest, "step": wide.step}
    before = plain({"smallest": sizes.smallest, "largest": sizes.largest, "step": sizes.step})
    return Change(group, before, plain(text), {group.name: text}, lambda i: replaced(i, group.name, wide))


def _asked_size(sizes: SizeRange, accelerators: int, per_system: int) -> int:
    """The size on the range's grid that this many accelerators answer."""
    offset = (accelerators - sizes.smallest) % sizes.step
    return max(accelerators - offset, accelerators - per_system + 1 if offset >= per_system else accelerators - offset)


def admitted_change(instance: Instance, group: Group, design: Design) -> Change | None:
    """A filter that admits, beside what it admits already, only what ``design`` uses; None where it uses nothing new."""
    if group.name == "catalogue.systems.available_quarter":
        return _earlier(instance, group, design)
    if group.name == "catalogue.racks.static_load_kg":
        return _stronger(instance, group, design)
    last = group.name.rpartition(".")[2]
    if group.name.startswith("sites."):
        return _chain(instance, group, design, last) if last in set(Chain) else _widened(instance, group)
    if not group.name.startswith("workloads."):
        return _widened(instance, group)
    cluster = group.name.split(".")[1]
    pods = [p for p in design.pods if p.cluster == cluster]
    if last == "preliminary_parts":
        named = ", ".join(design.preliminary) or "none needed"
        change = _stated(instance, group, "true", True)
        return dataclasses.replace(change, after=f"true (for {named})", overrides={group.name: True})
    used = dict.fromkeys(value for pod in pods for value in _used(instance, design, pod, last))
    node: Any = instance.document
    for step in group.name.split("."):
        node = node[step] if isinstance(node, Mapping) else getattr(node, step)
    if not isinstance(node, tuple):
        return _widened(instance, group)
    new = [value for value in used if value not in node]
    wide = (*node, *new)
    text = [_text(value) for value in wide]
    added = ", ".join(str(_text(value)) for value in new)
    before = plain([_text(v) for v in node])
    return Change(group, before, f"with {added}", {group.name: text}, lambda i: replaced(i, group.name, wide))


def _text(value: Any) -> Any:
    """A list's item as a file would have it."""
    if isinstance(value, float) and value > 1e6:
        return f"{value * 8 / 1e9:.10g} Gbit/s"
    return getattr(value, "value", value)


def _used(instance: Instance, design: Design, pod: PodChoice, last: str) -> list[Any]:
    from models.workload import RackCooling

    system = instance.catalogue.get(System, pod.system)
    if last == "protocols":
        return [instance.catalogue.get(Switch, pod.fabric[k]).protocol for k in ("switch", "spine_switch")]
    if last == "media":
        links = instance.catalogue.of(Link)
        return [line.part for line in design.bom if line.cluster == pod.cluster and line.part in links]
    simple: dict[str, list[Any]] = {
        "sites": [pod.site],
        "systems": [pod.system],
        "system_kinds": [system.kind],
        "vendors": [pod.vendor],
        "frames": [pod.frame],
        "rack_pdus": [pod.distribution] if pod.distribution else [],
        "rear_doors": [pod.door] if pod.door else [],
        "cooling": [RackCooling(pod.cooling)],
        "speeds": [system.scaleout_speed],
    }
    if last in simple:
        return simple[last]
    keys = {
        "switches": ("switch", "spine_switch"),
        "tiers": ("tiers",),
        "oversubscription": ("asked_oversubscription",),
    }
    return [pod.fabric[k] for k in keys.get(last, ()) if k in pod.fabric]


def _widened(instance: Instance, group: Group) -> Change:
    """The filter lifted as a whole, where nothing smaller can be said."""
    widening = group.widening
    before = written(instance, group.name)
    shown = plain(before) if before is not None else group.asks
    return Change(group, shown, "lifted", {}, widening.apply if widening is not None else None)


def _chain(instance: Instance, group: Group, design: Design, chain: str) -> Change:
    """A cooling chain built at a site that has none, of the unit the design takes."""
    site = group.name.split(".")[1]
    taken = sorted({c.option for c in design.plant if c.site == site and c.chain == chain})
    options = {name: {"equipment": [{"part": name, "redundancy": "n+1"}]} for name in taken}
    assert group.widening is not None

    def build(i: Instance) -> Instance:
        wide = group.widening.apply(i) if group.widening is not None else i
        kept = {name: option for name, option in getattr(wide.sites[site], chain).items() if name in taken}
        return replaced(i, group.name, kept)

    return Change(group, "none", f"with {', '.join(taken)} (n+1)", {group.name: options}, build)


def _earlier(instance: Instance, group: Group, design: Design) -> Change | None:
    systems = instance.catalogue.of(System)
    late: dict[str, Any] = {}
    for pod in design.pods:
        needed, available = instance.sites[pod.site].needed_by, systems[pod.system].available
        if available is not None and available > needed:
            late[pod.system] = min(late.get(pod.system, needed), needed)
    if not late:
        return None

    def earlier(i: Instance) -> Instance:
        dates: dict[str, System] = {
            key: part.model_copy(update={"available": late[key]}) if key in late else part
            for key, part in i.catalogue.of(System).items()
        }
        every: dict[type[Part], Mapping[str, Any]] = {**i.catalogue.parts, System: dates}
        return dataclasses.replace(i, catalogue=dataclasses.replace(i.catalogue, parts=every))

    before = ", ".join(f"{key} ships {systems[key].available}" for key in late)
    return Change(group, before, ", ".join(f"{key} ships {date}" for key, date in late.items()), {}, earlier)


def _stronger(instance: Instance, group: Group, design: Design) -> Change | None:
    """Frames that carry what the racks of a design put on them; None where they do."""
    frames = instance.catalogue.of(Rack)
    needed: dict[str, int] = {}
    for pod in design.pods:
        frame = frames[pod.frame]
        load = ceil(float(pod.rack["weight_kg"]) - (frame.empty_weight or 0.0) - 1e-6)
        if frame.static_load is not None and load > frame.static_load:
            needed[frame.id] = max(load, needed.get(frame.id, 0))
    if not needed:
        return _widened(instance, group)

    def stronger(i: Instance) -> Instance:
        parts = {
            key: part.model_copy(update={"static_load": float(needed[key])}) if key in needed else part
            for key, part in i.catalogue.of(Rack).items()
        }
        every: dict[type[Part], Mapping[str, Any]] = {**i.catalogue.parts, Rack: parts}
        return dataclasses.replace(i, catalogue=dataclasses.replace(i.catalogue, parts=every))

    before = ", ".join(f"{key} carries {frames[key].static_load or 0:,.0f} kg" for key in needed)
    return Change(group, before, ", ".join(f"{key} carries {n:,} kg" for key, n in needed.items()), {}, stronger)
