"""An instance: workloads, sites, money, limits and assumptions, with the catalogue they are resolved against."""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, StringConstraints

from models.catalogue import Catalogue
from models.errors import InstanceError, Problem
from models.parts.calendar import Day
from models.parts.quote import QuoteRow
from models.policy import Assumptions, ComponentRates, Limits, Money, Record
from models.quotes import Quote
from models.rules import Rule
from models.site import Site
from models.site_link import SiteLink
from models.sourcing import Sourcing
from models.workload import AnyWorkload, Serving, Training

SCHEMA = 1

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$")]
"""Names that enter names of rows and columns."""

RuleName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]*$")]
"""Names that are the names of a group of rows."""


Printable = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f-\x9f]+$", max_length=200)]
"""Names that stand in tables and paths: no line breaks, no control characters."""


class Document(Record):
    """The instance file after ``extends`` and ``scenarios`` are applied."""

    beside: ClassVar[tuple[str, ...]] = (
        "extends",
        "catalogues",
        "scenarios",
    )  # keys of a file that are applied before this record is read

    schema_version: Literal[1] = Field(alias="schema")
    name: Printable
    title: str = ""
    description: str = ""
    workloads: dict[Printable, AnyWorkload] = Field(min_length=1)
    sites: dict[Printable, Site] = Field(min_length=1)
    links: dict[Name, SiteLink] = Field(default_factory=dict)
    money: Money
    assumptions: Assumptions
    components: ComponentRates
    limits: Limits = Field(default_factory=Limits)
    quotes: dict[Name, Quote] = Field(default_factory=dict)
    sourcing: Sourcing = Field(default_factory=Sourcing)
    rules: dict[RuleName, Rule] = Field(default_factory=dict)


def row_quote(row: QuoteRow, rates: Mapping[str, float]) -> Quote:
    """The quote behind a catalogue row; ValueError (pydantic's own included) where it cannot be read."""
    return Quote.model_validate(row.as_quote(), context={"rates": rates})


@dataclass(frozen=True, repr=False)
class Instance:
    """A validated instance. ``raw`` is the merged document as written, ``origins`` its lines by dotted path."""

    document: Document
    catalogue: Catalogue
    raw: Mapping[str, Any]
    origins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __reduce__(self) -> tuple[Any, ...]:
        # read-only views of mappings cannot be pickled
        return _restored, (self.document, self.catalogue, dict(self.raw), dict(self.origins))

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
    def links(self) -> Mapping[str, SiteLink]:
        """Links between sites by name."""
        return self.document.links

    @property
    def money(self) -> Money:
        """How money is counted."""
        return self.document.money

    @property
    def assumptions(self) -> Assumptions:
        """Stated figures no catalogue row backs."""
        return self.document.assumptions

    @property
    def components(self) -> ComponentRates:
        """By which catalogue rows parts fail."""
        return self.document.components

    @property
    def limits(self) -> Limits:
        """Bounds on objectives."""
        return self.document.limits

    @property
    def sourcing(self) -> Sourcing:
        """Shares, second sources and supply caps."""
        return self.document.sourcing

    @property
    def rules(self) -> Mapping[str, Rule]:
        """A user's own rules by name."""
        return self.document.rules

    @cached_property
    def quotes(self) -> Mapping[str, Quote]:
        """Quotes by name: those of catalogue files, and the instance's own in their place where the name is the same."""
        rates = {code: rate.usd for code, rate in self.money.currencies.items()}
        rows = self.catalogue.of(QuoteRow)
        return {name: row_quote(row, rates) for name, row in rows.items()} | self.document.quotes

    @property
    def order_date(self) -> Day:
        """When orders are placed: stated, or the price date; InstanceError where that is no day."""
        try:
            return self.money.order_date or Day(self.money.price_date)
        except ValueError:
            found = f"orders need a day, but money.price_date is {self.money.price_date!r}"
            expected = "money.order_date, such as 2026-11-30"
            raise InstanceError([Problem("order-date", self.origin("money.price_date"), found, expected)]) from None

    @property
    def valid_quotes(self) -> tuple[dict[str, Quote], dict[str, Quote]]:
        """Quotes that hold on the order date, and those that have expired by then."""
        ordered = self.order_date.first if self.quotes else None
        valid: dict[str, Quote] = {}
        expired: dict[str, Quote] = {}
        for name, quote in self.quotes.items():
            late = ordered is not None and quote.valid_until is not None and quote.valid_until.last < ordered
            (expired if late else valid)[name] = quote
        return valid, expired

    def __repr__(self) -> str:
        return f"<Instance {self.name} {self.fingerprint[:12]}>"

    def _repr_html_(self) -> str:
        """The instance in a notebook: what runs where, under which limits."""
        rows = [
            *(
                (f"cluster {name}", f"{w.kind}, {w.model}, {w.demand:,.0f} tokens/s")
                for name, w in self.workloads.items()
            ),
            *((f"site {name}", _written(self.raw, "sites", name)) for name in self.sites),
            ("limits", _written(self.raw, "limits") or "none"),
            ("fingerprint", self.fingerprint[:12]),
        ]
        cells = "".join(
            f"<tr><th align=left>{html.escape(k)}</th><td align=left>{html.escape(v)}</td></tr>" for k, v in rows
        )
        title = html.escape(self.document.title or self.name)
        return f"<table><caption>{html.escape(self.name)}: {title}</caption>{cells}</table>"

    def origin(self, path: str) -> str:
        """``file:line`` of a dotted path, or of its nearest parent."""
        while path:
            if path in self.origins:
                return self.origins[path]
            path = path.rpartition(".")[0]
        return self.name

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the merged document, every catalogue cell and the constants: same hash, same input.

        A column that a row does not have is an empty cell, as it is once the rows of several files stand in one table.
        """
        rows = {name: _full_rows(table) for name, table in self.catalogue.rows.items()}
        text = json.dumps(
            [self.raw, rows, dict(self.catalogue.constants)], sort_keys=True, separators=(",", ":"), ensure_ascii=False
        )
        return hashlib.sha256(text.encode()).hexdigest()


def _full_rows(table: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    columns = {column for row in table.values() for column in row}
    return {key: {column: row.get(column, "") for column in columns} for key, row in table.items()}


def _written(raw: Mapping[str, Any], *steps: str) -> str:
    """Plain values of a section as its author wrote them, in one line."""
    node: Any = raw
    for step in steps:
        node = node.get(step) if isinstance(node, Mapping) else None
    if not isinstance(node, Mapping):
        return ""
    plain = {k: v.get("value") if isinstance(v, Mapping) else v for k, v in node.items()}
    return ", ".join(f"{k} {v}" for k, v in plain.items() if v is not None and not isinstance(v, list | tuple))


def _restored(document: Document, catalogue: Catalogue, raw: dict[str, Any], origins: dict[str, str]) -> Instance:
    return Instance(document, catalogue, raw, MappingProxyType(origins))
