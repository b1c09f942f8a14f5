"""The catalogue: every part by type and id, and the cell of the file each value came from."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any, TypeVar

import models.parts
from models.errors import UsageError
from models.parts.part import Part
from models.physics.performance.constants import FILE_NAME, PerformanceConstants, from_document

P = TypeVar("P", bound=Part)


@cache
def part_types() -> tuple[type[Part], ...]:
    """Every part type, found by looking in ``models/parts``; in order of their catalogue file."""
    found: set[type[Part]] = set()
    for module in pkgutil.iter_modules(models.parts.__path__):
        for value in vars(importlib.import_module(f"models.parts.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Part) and "file" in vars(value):
                found.add(value)
    return tuple(sorted(found, key=lambda t: t.file))


@dataclass(frozen=True)
class Catalogue:
    """Parts by type. ``origins`` maps (file, id, column) to ``path:line``; ``rows`` holds the cells as written.

    ``constants`` is the document of the throughput models' constants as written.
    """

    parts: Mapping[type[Part], Mapping[str, Part]]
    rows: Mapping[str, Mapping[str, Mapping[str, str]]]
    origins: Mapping[tuple[str, str, str], str] = field(default_factory=lambda: MappingProxyType({}))
    constants: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @cached_property
    def performance(self) -> PerformanceConstants:
        """The constants of the throughput models; UsageError where no folder has them."""
        if not self.constants:
            raise UsageError(f"no catalogue folder has the constants of the throughput models ({FILE_NAME})")
        return from_document(self.constants)

    def __reduce__(self) -> tuple[Any, ...]:
        # read-only views of mappings cannot be pickled
        return _restored, ({f.name: _thawed(getattr(self, f.name)) for f in fields(self)},)

    def of(self, part_type: type[P]) -> Mapping[str, P]:
        """Every part of one type by id (empty when the catalogue has none)."""
        return self.parts.get(part_type, {})  # type: ignore[return-value]

    def get(self, part_type: type[P], part_id: str) -> P:
        """One part; KeyError when absent (the loader has checked every reference)."""
        return self.of(part_type)[part_id]

    def origin(self, part: Part, field_name: str) -> str:
        """``path:line`` of the cell behind a field."""
        return self.origins.get((part.file, part.id, part.column_of(field_name)), part.file)

    def __iter__(self) -> Iterator[Part]:
        for part_type in part_types():
            yield from self.of(part_type).values()


def _thawed(value: Any) -> Any:
    return {key: _thawed(item) for key, item in value.items()} if isinstance(value, Mapping) else value


def _restored(values: dict[str, Any]) -> Catalogue:
    return Catalogue(**{name: MappingProxyType(v) if isinstance(v, dict) else v for name, v in values.items()})
