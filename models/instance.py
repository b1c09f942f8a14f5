"""An instance: workloads, sites, money, limits and assumptions, with the catalogue they are resolved against."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from pydantic import Field

from models.catalogue import Catalogue
from models.policy import Assumptions, Limits, Money, Record
from models.site import Site
from models.workload import AnyWorkload, Serving, Training

SCHEMA = 1


class Document(Record):
    """The instance file after ``extends`` and ``scenarios`` are applied."""

    schema_version: Literal[1] = Field(alias="schema")
    name: str
    title: str = ""
    description: str = ""
    workloads: dict[str, AnyWorkload] = Field(min_length=1)
    sites: dict[str, Site] = Field(min_length=1)
    money: Money
    assumptions: Assumptions
    limits: Limits = Field(default_factory=Limits)


@dataclass(frozen=True)
class Instance:
    """A validated instance. ``raw`` is the merged document as written, ``origins`` its lines by dotted path."""

    document: Document
    catalogue: Catalogue
    raw: Mapping[str, Any]
    origins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def name(self) -> str:
        """The instance's own name."""
        return self.document.name

    @property
    def workloads(self) -> Mapping[str, Training | Serving]:
        """Workloads by cluster name."""
        return self.document.workloads

    @property
    def sites(self) -> Mapping[str, Site]:
        """Sites by name."""
        return self.document.sites

    @property
    def money(self) -> Money:
        """How money is counted."""
        return self.document.money

    @property
    def assumptions(self) -> Assumptions:
        """Stated figures no catalogue row backs."""
        return self.document.assumptions

    @property
    def limits(self) -> Limits:
        """Bounds on objectives."""
        return self.document.limits

    def origin(self, path: str) -> str:
        """``file:line`` of a dotted path, or of its nearest parent."""
        while path:
            if path in self.origins:
                return self.origins[path]
            path = path.rpartition(".")[0]
        return self.name

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the merged document, every catalogue cell and the constants: same hash, same input."""
        rows = {name: {key: dict(row) for key, row in table.items()} for name, table in self.catalogue.rows.items()}
        text = json.dumps(
            [self.raw, rows, dict(self.catalogue.constants)], sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(text.encode()).hexdigest()
