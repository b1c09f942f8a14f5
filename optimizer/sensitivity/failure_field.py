"""How often a part fails, as a field of it: the rate an instance uses, and the instance with another one.

Accelerators and switches fail by the row of ``failure_rates.csv`` that has their id, else by the one named for their kind; a
better one gets a row of its own, in proportion over low, typical and high. Plant fails as its uses at the sites state it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

from models.candidates.failures import rate_row
from models.errors import InstanceError, UsageError
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.cooling import Cooling
from models.parts.failure_rate import FailureRate
from models.parts.network_part import Switch
from models.parts.part import Part
from models.parts.power_component import PowerComponent
from models.site import EquipmentUse, Site
from models.site_options import BlockPart
from models.units import PER_SECOND
from optimizer.sensitivity.part_field import PartField, field_key, find_part_field
from optimizer.sensitivity.repricing import with_part

NAMES = ("failure_rate", "mtbf", "fit")
_KINDS: dict[type[Part], str] = {Accelerator: "accelerator", Switch: "switch"}
_CHAINS = ("air", "rear_door", "liquid", "power")

Used = EquipmentUse | BlockPart


@dataclass(frozen=True)
class FailureField(PartField):
    """Failures of one unit [1/s]."""

    def within(self, instance: Instance, value: float) -> Instance:
        """The instance in which the part fails at the rate ``value``; everything else keeps its own."""
        assert self.value
        if isinstance(self.part, PowerComponent | Cooling):
            return _plant_within(instance, self.part.id, value / self.value)
        row = _row(instance, self.part)
        assert row is not None
        return with_part(instance, _scaled(row, self.part.id, value / self.value))


def field_of(instance: Instance, part: Part, name: str) -> PartField:
    """A numeric field of a part in an instance, its failure rate among them; UsageError for one it does not have."""
    owned = "failure_rate" in type(part).model_fields or isinstance(part, FailureRate)
    return failure_field(instance, part) if field_key(name) in NAMES and not owned else find_part_field(part, name)


def failure_field(instance: Instance, part: Part) -> FailureField:
    """The failure rate of an accelerator, a switch or plant equipment; UsageError where the instance uses none of its own."""
    given = instance.assumptions
    stated: dict[type[Part], list[object]] = {
        Accelerator: [given.accelerator_failure_rate],
        Switch: [given.accelerator_failure_rate, given.node_failure_rate],
    }
    if all(rate is not None for rate in stated.get(type(part), [None])):
        raise UsageError(
            f"{part.id} has no failure rate of its own here: the instance states one for all of them under assumptions "
            f"(optimizer switch-points SUBJECT {'accelerator' if isinstance(part, Accelerator) else 'node'}_failure_rate moves it)"
        )
    if isinstance(part, PowerComponent | Cooling):
        value = next((rate for use in _uses(instance, part.id) if (rate := _rate(instance, use)) is not None), None)
    else:
        row = _row(instance, part)
        value = None if row is None else row.rate
    if value is None:
        raise UsageError(
            f"{part.id} has no failure rate of its own: accelerators, switches and links have one, and plant where its use at a site "
            "states `failures` or `mtbf`"
        )
    return FailureField(part, NAMES[0], (NAMES[0],), PER_SECOND, False, value)


def has_failure_rate(instance: Instance, part: Part) -> bool:
    """Whether ``failure_field`` finds a rate above zero."""
    try:
        return bool(failure_field(instance, part).value)
    except UsageError:
        return False


def _row(instance: Instance, part: Part) -> FailureRate | None:
    kind = _KINDS.get(type(part))
    try:
        return None if kind is None else rate_row(instance, part.id, kind)
    except InstanceError:
        return None


def _scaled(row: FailureRate, name: str, by: float) -> FailureRate:
    ends = {
        end: None if (rate := getattr(row, end)) is None else rate * by for end in ("rate", "rate_low", "rate_high")
    }
    return row.model_copy(update={"id": name, **ends})


def _uses(instance: Instance, part: str) -> Iterator[Used]:
    for site in instance.sites.values():
        for chain in _CHAINS:
            for option in getattr(site, chain).values():
                yield from (use for use in (*option.equipment, *option.block) if use.part == part)


def _rate(instance: Instance, use: Used) -> float | None:
    if use.mtbf is not None:
        return 1.0 / use.mtbf
    row = instance.catalogue.of(FailureRate).get(use.failures or "")
    return None if row is None or row.repair is None else row.rate


def _plant_within(instance: Instance, part: str, by: float) -> Instance:
    """Every use of the part with its failures scaled: its mean time between them, or a row of its own in place of a shared one."""
    rows = {use.failures for use in _uses(instance, part) if use.failures}
    for name in sorted(rows):
        row = instance.catalogue.of(FailureRate)[name]
        instance = with_part(instance, _scaled(row, _own(part, name), by))
    sites = {name: _site_with(site, part, by) for name, site in instance.sites.items()}
    return dataclasses.replace(instance, document=instance.document.model_copy(update={"sites": sites}))


def _site_with(site: Site, part: str, by: float) -> Site:
    changed = {}
    for chain in _CHAINS:
        options = {}
        for name, option in getattr(site, chain).items():
            parts = {
                kind: tuple(_used_with(use, by) if use.part == part else use for use in getattr(option, kind))
                for kind in ("equipment", "block")
            }
            options[name] = option.model_copy(update=parts)
        changed[chain] = options
    return site.model_copy(update=changed)


def _used_with(use: Used, by: float) -> Used:
    if use.mtbf is not None:
        return use.model_copy(update={"mtbf": use.mtbf / by})
    return use.model_copy(update={"failures": _own(use.part, use.failures)}) if use.failures else use


def _own(part: str, row: str) -> str:
    return f"{part} ({row})"
