"""Quotes kept as a catalogue file, beside those an instance states itself."""

from __future__ import annotations

from typing import ClassVar

from models.parts.part import Part, column


class QuoteRow(Part):
    """A row of ``quotes.csv``; text is read as in an instance (``3900 EUR``, ``6 months``), lists are split at semicolons.

    ``parts`` is ``gb300_nvl72`` or, for a bundle, ``a*4;b*2``; ``tiers`` is ``1: 10000 USD; 100: 9000 USD``; ``supply``
    is ``2026Q4: 200; 2027Q1: 400``.
    """

    file: ClassVar[str] = "quotes.csv"
    plural: ClassVar[str] = "quotes"

    parts: tuple[str, ...] = column("parts", default=...)
    price: str = column("price", default="")
    tiers: tuple[str, ...] = column("tiers", default=())
    tier_kind: str = column("tier_kind", default="all_unit")
    valid_until: str = column("valid_until", default="")
    minimum_order: int = column("minimum_order", default=0)
    one_off: str = column("one_off", default="0 USD")
    lead_time: str = column("lead_time", default="")
    supply: tuple[str, ...] = column("supply", default=())
    supply_continues: bool = column("supply_continues", default=False)

    def as_quote(self) -> dict[str, object]:
        """The row as an instance would state it; ValueError names the cell that cannot be read."""
        stated: dict[str, object] = {
            "vendor": self.vendor, "price": self.price, "tier_kind": self.tier_kind, "valid_until": self.valid_until,
            "minimum_order": self.minimum_order, "one_off": self.one_off, "lead_time": self.lead_time,
            "supply_continues": self.supply_continues, "source": self.source, "confidence": self.confidence.value,
            "owner": self.owner, "reason": self.reason, "label": self.label,
        }  # fmt: skip
        if len(self.parts) == 1 and "*" not in self.parts[0]:
            stated["part"] = self.parts[0]
        else:
            pairs = (item.rpartition("*") for item in self.parts)
            stated["parts"] = {part.strip(): _whole(count, "parts") for part, _, count in pairs}
        if self.tiers:
            pairs = (item.partition(":") for item in self.tiers)
            stated["tiers"] = [
                {"at_least": _whole(start, "tiers"), "price": price.strip()} for start, _, price in pairs
            ]
        if self.supply:
            pairs = (item.partition(":") for item in self.supply)
            stated["supply"] = {quarter.strip(): _whole(count, "supply") for quarter, _, count in pairs}
        return {name: value for name, value in stated.items() if value != ""}


def _whole(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{name}: {text.strip()!r} is no whole number") from None
