"""A user's own rules over named parts, vendors, layers, counts and site quantities, each with an owner and a reason."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pydantic import ConfigDict, Field, ValidationInfo, model_validator

from models.policy import Owned, Record
from models.sourcing import Layer
from models.units import USD, WATT, UnitError, parse


class Measure(StrEnum):
    """What a rule counts.

    ``units`` bought (accelerators in the layer ``silicon``), ``spend`` [USD before charges], ``accelerators``, ``pods``,
    ``racks``, ``power`` [W, sustained peak from the utility], ``option``: one where a site takes a plant option.
    """

    UNITS = "units"
    SPEND = "spend"
    ACCELERATORS = "accelerators"
    PODS = "pods"
    RACKS = "racks"
    POWER = "power"
    OPTION = "option"


class Selection(Record):
    """What is counted: everything that matches all that is named. Part, vendor and layer choose the pods of a cluster or site
    that contain such a part where accelerators, pods, racks or power are counted."""

    measure: Measure | None = None
    part: str | None = None
    vendor: str | None = None
    layer: Layer | None = None
    cluster: str | None = None
    site: str | None = None
    option: str | None = None

    @model_validator(mode="after")
    def _countable(self) -> Selection:
        if self.option is not None and (self.site is None or self.part or self.vendor or self.layer or self.cluster):
            raise ValueError("an `option` is of a `site`, and of nothing else")
        if (self.measure is Measure.OPTION) != (self.option is not None and self.measure is not None):
            raise ValueError("`option` is counted where an `option` is named")
        if self.counted is Measure.UNITS and self.part is None and self.layer is None and self.vendor is None:
            raise ValueError("say what is counted: a `part`, `vendor` or `layer`, or another `measure`")
        return self

    @property
    def counted(self) -> Measure:
        """The measure: options where one is named, units where nothing is said."""
        return self.measure or (Measure.OPTION if self.option is not None else Measure.UNITS)

    @property
    def present(self) -> Selection:
        """What is counted where any of it matters: units in the place of spend, which may round to nothing."""
        told = self.part is not None or self.vendor is not None or self.layer is not None
        return self.model_copy(update={"measure": Measure.UNITS}) if self.counted is Measure.SPEND and told else self


def _bound(value: Any, counted: Measure, info: ValidationInfo) -> float:
    """A bound in the measure's unit: text with its unit for money and power, a whole number for what is counted."""
    if counted in (Measure.SPEND, Measure.POWER):
        unit = USD if counted is Measure.SPEND else WATT
        try:
            return parse(str(value), unit, (info.context or {}).get("rates", {}))
        except UnitError as error:
            raise ValueError(f"{error}; expected {unit.dimension} with its unit, for example {unit.example}") from None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value) or value < 0:
        raise ValueError(f"{value!r} is no whole number of {counted.value}")
    return float(value)


class Condition(Record):
    """A selection held against one bound."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    of: Selection
    at_most: Any = None
    at_least: Any = None

    @model_validator(mode="after")
    def _one_bound(self, info: ValidationInfo) -> Condition:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("a condition has `at_most` or `at_least`")
        for name in ("at_most", "at_least"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _bound(getattr(self, name), self.of.counted, info))
        return self


class SameVendor(Record):
    """Everything bought of these layers (for these clusters, all when absent) comes from one vendor."""

    layers: tuple[Layer, ...] = Field(min_length=1)
    clusters: tuple[str, ...] | None = Field(default=None, min_length=1)


class Rule(Owned):
    """One rule: ``at_most``, ``at_least`` or ``fix`` with ``of``; ``forbid`` or ``require`` a selection; ``same_vendor``; ``if``
    a condition ``then`` another."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)

    of: Selection | None = None
    at_most: Any = None
    at_least: Any = None
    fix: Any = None
    forbid: Selection | None = None
    require: Selection | None = None
    same_vendor: SameVendor | None = None
    condition: Condition | None = Field(default=None, alias="if")
    then: Condition | None = None

    @model_validator(mode="after")
    def _one_kind(self, info: ValidationInfo) -> Rule:
        bounds = [name for name in ("at_most", "at_least", "fix") if getattr(self, name) is not None]
        kinds = [name for name in ("forbid", "require", "same_vendor") if getattr(self, name) is not None]
        kinds += ["if"] if self.condition is not None else []
        if len(kinds) + bool(bounds) != 1 or len(bounds) > 1:
            raise ValueError(
                "a rule is one of at_most, at_least, fix (each with `of`), forbid, require, same_vendor, if/then"
            )
        if bool(bounds) != (self.of is not None):
            raise ValueError(
                "`at_most`, `at_least` and `fix` need `of`, what they count" if bounds else "`of` without a bound"
            )
        if (self.condition is None) != (self.then is None):
            raise ValueError("`if` and `then` go together")
        for name in bounds:
            assert self.of is not None
            object.__setattr__(self, name, _bound(getattr(self, name), self.of.counted, info))
        return self

    @property
    def selections(self) -> tuple[tuple[str, Selection], ...]:
        """Every selection of the rule with the key it stands under."""
        found = {"of": self.of, "forbid": self.forbid, "require": self.require}
        if self.condition is not None and self.then is not None:
            found |= {"if.of": self.condition.of, "then.of": self.then.of}
        return tuple((name, selection) for name, selection in found.items() if selection is not None)
