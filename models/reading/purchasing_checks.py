"""What only shows once an instance is whole: quotes that have expired, rows of quotes.csv, and rules nobody could count."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from models.catalogue import Catalogue
from models.errors import InstanceError, Problem, nearest
from models.instance import Document, Instance, row_quote
from models.parts.quote import QuoteRow
from models.quotes import Quote
from models.rules import Measure, Selection
from models.sourcing import Layer


def check_quote_rows(document: Document, catalogue: Catalogue) -> Iterator[Problem]:
    """Rows of ``quotes.csv`` that cannot be read as quotes, or that quote what nobody sells."""
    rates = {code: rate.usd for code, rate in document.money.currencies.items()}
    parts = {part.id for kind in catalogue.parts if kind is not QuoteRow for part in catalogue.of(kind).values()}
    for row in catalogue.of(QuoteRow).values():
        where = catalogue.origin(row, "id")
        try:
            quote = row_quote(row, rates)
        except ValidationError as error:
            for item in error.errors():
                place = ".".join(str(step) for step in item["loc"])
                message = str(item["msg"]).removeprefix("Value error, ")
                yield Problem("cell", where, f"{row.id}{'.' + place if place else ''}: {message}")
        except ValueError as error:
            yield Problem("cell", where, f"{row.id}: {error}")
        else:
            for part in quote.contents:
                if part not in parts:
                    yield Problem(
                        "unknown-part", where, f"{row.id}: no part {part!r}", hint=nearest(part, sorted(parts))
                    )


def check_purchasing(instance: Instance) -> Iterator[Problem]:
    """Quotes and rules of a valid document that make no sense together."""
    if instance.quotes:
        try:
            _ = instance.order_date
        except InstanceError as error:
            yield from error.problems
            return
    yield from _expired(instance)
    quoted: dict[str, set[str]] = {}
    for quote in instance.quotes.values():
        for part in quote.contents:
            quoted.setdefault(part, set()).add(quote.vendor)
    for name, rule in instance.rules.items():
        for key, selection in rule.selections:
            reason = _uncountable(selection, quoted)
            if reason is not None:
                yield Problem("rule", instance.origin(f"rules.{name}.{key}"), f"rules.{name}.{key}: {reason}")


def _expired(instance: Instance) -> Iterator[Problem]:
    """Quotes an instance states itself although they do not hold when orders are placed; a catalogue's are left out."""
    for name, quote in instance.valid_quotes[1].items():
        if name in instance.document.quotes:
            said = f"quotes.{name} of {quote.vendor} is valid until {_until(quote)}"
            expected = f"a quote that holds on {instance.order_date.first}, the day orders are placed"
            where = instance.origin(f"quotes.{name}.valid_until")
            yield Problem("quote-expired", where, said, expected, "ask for a new one, or move money.order_date")


def _until(quote: Quote) -> str:
    return "" if quote.valid_until is None else quote.valid_until.last.isoformat()


def _uncountable(selection: Selection, quoted: dict[str, set[str]]) -> str | None:
    """Why a selection cannot be counted by cluster or site: quoted parts are ordered for the whole instance."""
    if (selection.cluster is None and selection.site is None) or selection.counted not in (
        Measure.UNITS,
        Measure.SPEND,
    ):
        return None
    mine = {part for part in quoted if selection.part in (None, part)}
    if selection.counted is Measure.SPEND and mine:
        return f"spend on {', '.join(sorted(mine)[:3])} is by order, for no one cluster or site; leave `cluster` and `site` out"
    split = sorted(part for part in mine if len(quoted[part]) > 1)
    if selection.vendor is not None and selection.layer is not Layer.SILICON and split:
        return f"{split[0]} has several vendors, whose units are ordered for no one cluster or site; leave `cluster` and `site` out"
    return None
