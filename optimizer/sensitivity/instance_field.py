"""A numeric field of an instance by its dotted path: its value, its unit, and the instance with another value in it."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from models.candidates.economics import economics_of
from models.errors import UsageError, nearest_path
from models.instance import Document, Instance
from models.policy import Stated
from models.units import FRACTION, TOKEN_PER_SECOND, USD_PER_JOULE, Unit, UnitError, Unlimited, parse, show
from models.workload import Serving, Training

_PREFIXES = ("", "sites.", "workloads.", "assumptions.", "money.", "limits.")
_DEMAND = "demand"
_MONEY_ONLY = ("freight", "duty", "tax", "horizon")
_RATES_ONLY = ("maintenance_per_year", "discount_rate", "embodied_carbon_per_accelerator")
_OF_A_SITE = ("utility", "rack_positions", "electricity_price", "grid_carbon", "shell_cost")
_OF_A_WORKLOAD = ("deadline", "tokens", "rate", "injection_at_least", "bisection_at_least", _DEMAND)


@dataclass(frozen=True)
class InstanceField:
    """``value`` is what the instance has now, in ``unit`` (canonical); None: not stated, or unlimited."""

    path: tuple[str, ...]
    unit: Unit
    whole: bool
    value: float | None

    @property
    def name(self) -> str:
        """Dotted path."""
        return ".".join(self.path)

    @property
    def moves_candidates(self) -> bool:
        """False where the field enters only money, demand and limits, so that every candidate stays what it is."""
        head, last = self.path[0], self.path[-1]
        free = {
            "limits": True,
            "money": last in _MONEY_ONLY,
            "assumptions": last in _RATES_ONLY,
            "sites": len(self.path) == 3 and last in _OF_A_SITE,
            "workloads": len(self.path) == 3 and last in _OF_A_WORKLOAD,
        }
        return not free.get(head, False)

    def shown(self, value: float) -> str:
        """A value as text."""
        if self.unit is USD_PER_JOULE:
            return f"{value * 3.6e6:.6g} USD/kWh"
        return f"{value:,.0f}" if self.whole else show(value, self.unit, 6)

    def read(self, text: str) -> float:
        """A value from text with a unit; a bare number is in the canonical unit."""
        try:
            value = float(text)
        except ValueError:
            try:
                value = parse(text, self.unit, {})
            except UnitError as error:
                raise UsageError(f"{self.name}: {error}") from None
        if not math.isfinite(value):
            raise UsageError(f"{self.name}: {text!r} is not a finite number")
        return value

    def within(self, instance: Instance, value: float) -> Instance:
        """The instance with ``value`` in this field."""
        path, number = self.path, float(round(value)) if self.whole else value
        if path[-1] == _DEMAND:
            workload = instance.workloads[path[1]]
            if isinstance(workload, Training):
                path, number = (*path[:-1], "deadline"), workload.tokens / value
            else:
                path = (*path[:-1], "rate")
        document = _set(instance.document, path, int(number) if self.whole else number)
        return dataclasses.replace(instance, document=document)


def find_field(instance: Instance, name: str) -> InstanceField:
    """The field behind a dotted path; ``sites.``, ``workloads.``, ``assumptions.``, ``money.`` and ``limits.`` may be left out.

    With one site or one workload its name may be left out, too. ``workloads.NAME.demand`` is the demand in token/s. UsageError for a path that leads nowhere or to no number.
    """
    alone = [
        f"{kind}.{next(iter(table))}."
        for kind, table in (("sites", instance.sites), ("workloads", instance.workloads))
        if len(table) == 1
    ]
    for prefix in (*_PREFIXES, *alone):
        found = _at(instance, tuple(f"{prefix}{name}".split(".")))
        if found is not None:
            return found
    known = dict.fromkeys([*numeric_fields(instance), *_unstated(instance.document, ())])
    raise UsageError(f"no numeric field {name!r}: {nearest_path(name, list(known))}")


def numeric_fields(instance: Instance) -> Iterator[str]:
    """Paths of every number the instance states."""
    for cluster, workload in instance.workloads.items():
        if isinstance(workload, Training | Serving):
            yield f"workloads.{cluster}.{_DEMAND}"
    yield from _numbers(instance.document, ())


def _numbers(node: Any, path: tuple[str, ...]) -> Iterator[str]:
    if isinstance(node, Stated):
        node = node.value
    if isinstance(node, bool):
        return
    if isinstance(node, int | float):
        yield ".".join(path)
    elif isinstance(node, BaseModel):
        for name in type(node).model_fields:
            yield from _numbers(getattr(node, name), (*path, name))
    elif isinstance(node, Mapping):
        for name, value in node.items():
            yield from _numbers(value, (*path, str(name)))


def _unstated(node: Any, path: tuple[str, ...]) -> Iterator[str]:
    """Paths of numbers that a record of the instance may state and does not."""
    if isinstance(node, BaseModel) and not isinstance(node, Stated):
        for name, info in type(node).model_fields.items():
            value = getattr(node, name)
            if value is None and any(kind in (float, int) for kind in _leaf_types(info.annotation)):
                yield ".".join((*path, name))
            yield from _unstated(value, (*path, name))
    elif isinstance(node, Mapping):
        for name, value in node.items():
            yield from _unstated(value, (*path, str(name)))


def _at(instance: Instance, path: tuple[str, ...]) -> InstanceField | None:
    if len(path) == 3 and path[0] == "workloads" and path[2] == _DEMAND and path[1] in instance.workloads:
        return InstanceField(path, TOKEN_PER_SECOND, False, instance.workloads[path[1]].demand)
    if path[:2] == ("money", "currencies"):
        return None
    node: Any = instance.document
    info: Any = None
    for step in path:
        if isinstance(node, BaseModel) and step in type(node).model_fields and not isinstance(node, Stated):
            info, node = type(node).model_fields[step], getattr(node, step)
        elif isinstance(node, Mapping) and step in node:
            node = node[step]
        else:
            return None
    if info is None or isinstance(node, Document):
        return None
    kinds = list(_leaf_types(info.annotation))
    if not any(kind in (float, int) for kind in kinds):
        return None
    unit = next((m for m in (*info.metadata, *_metadata(info.annotation)) if isinstance(m, Unit)), FRACTION)
    bare = node.value if isinstance(node, Stated) else node
    if bare is None:
        bare = _implied(instance, path)
    value = None if bare is None or isinstance(bare, Unlimited) else float(bare)
    return InstanceField(path, unit, int in kinds and float not in kinds, value)


def _implied(instance: Instance, path: tuple[str, ...]) -> float | None:
    """What stands in for a value that is not stated: the electricity row of a site."""
    if path[0] == "sites" and path[-1] in ("electricity_price", "grid_carbon"):
        money = economics_of(instance, path[1])
        return money.energy_price if path[-1] == "electricity_price" else money.grid_carbon
    return None


def _leaf_types(annotation: Any) -> Iterator[type]:
    """Number types an annotation allows, through unions, ``Annotated`` and ``Stated``."""
    if isinstance(annotation, type) and issubclass(annotation, Stated):
        inner = annotation.model_fields["value"]
        yield from _leaf_types(inner.annotation)
    elif annotation in (int, float):
        yield annotation
    else:
        arguments = typing.get_args(annotation)
        if typing.get_origin(annotation) not in (dict, list, tuple):
            for argument in arguments:
                yield from _leaf_types(argument)


def _metadata(annotation: Any) -> Iterator[Any]:
    if isinstance(annotation, type) and issubclass(annotation, Stated):
        inner = annotation.model_fields["value"]
        yield from inner.metadata
        yield from _metadata(inner.annotation)
    yield from getattr(annotation, "__metadata__", ())
    for argument in typing.get_args(annotation):
        yield from _metadata(argument)


def _set(node: Any, path: tuple[str, ...], value: float) -> Any:
    if not path:
        return node.model_copy(update={"value": value}) if isinstance(node, Stated) else value
    step, rest = path[0], path[1:]
    if isinstance(node, Mapping):
        return {**node, step: _set(node[step], rest, value)}
    child = getattr(node, step)
    if child is None and not rest:
        stated = next(iter(_stated_types(type(node).model_fields[step].annotation)), None)
        return node.model_copy(update={step: value if stated is None else stated.model_construct(value=value)})
    return node.model_copy(update={step: _set(child, rest, value)})


def _stated_types(annotation: Any) -> Iterator[type[Stated[Any]]]:
    if isinstance(annotation, type) and issubclass(annotation, Stated):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _stated_types(argument)
