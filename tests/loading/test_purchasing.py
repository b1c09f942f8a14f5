"""Quotes, sourcing and rules as written: what is read, and what is refused with the nearest valid name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.candidates.offers import offers_of
from models.errors import InstanceError
from models.loading import load

QUOTE = {"part": "dgx_h100", "vendor": "Northern", "price": "280 kUSD"}


def _refused(change: dict[str, Any]) -> str:
    with pytest.raises(InstanceError) as stop:
        load("tiny/two-clusters", overrides=change)
    return str(stop.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"quotes": {"a": {**QUOTE, "part": "dgx_h10"}}}, "did you mean 'dgx_h100'"),
        ({"quotes": {"a": {"parts": {"qm970": 2}, "vendor": "N", "price": "1 USD"}}}, "did you mean 'qm9700'"),
        ({"quotes": {"a": {**QUOTE, "prize": "1 USD"}}}, "did you mean 'price'"),
        ({"quotes": {"a": {**QUOTE, "tiers": [{"at_least": 1, "price": "1 USD"}]}}}, "one `price`, or `tiers`"),
        ({"quotes": {"a": {**QUOTE, "parts": {"qm9700": 1}}}}, "one `part`, or `parts`"),
        ({"quotes": {"a": {**QUOTE, "price": "280 kEUR"}}}, "currency EUR has no dated rate"),
        ({"quotes": {"a": {**QUOTE, "price": "280"}}}, "has no unit"),
        ({"quotes": {"a": {**QUOTE, "valid_until": "soon"}}}, "is no day"),
        ({"quotes": {"a": {**QUOTE, "supply": {"2026Q5": 3}}}}, "is no quarter"),
        ({"sourcing": {"shares": {"x": {"layer": "opticks", "vendor": "generic", "at_most": 0.5}}}}, "optics"),
        ({"sourcing": {"shares": {"x": {"vendor": "NVIDA", "at_most": 0.5}}}}, "did you mean 'NVIDIA'"),
        ({"sourcing": {"second_sources": {"x": {"layer": "odm", "each_at_least": "60 %"}}}}, "cannot have 60% each"),
        ({"rules": {"x": {"at_most": 3, "of": {"part": "ups_1500"}}}}, "did you mean 'ups_1500k'"),
        ({"rules": {"x": {"forbid": {"vendor": "nvidia"}}}}, "NVIDIA"),
        ({"rules": {"x": {"require": {"measure": "pods", "cluster": "trian"}}}}, "did you mean 'train'"),
        ({"rules": {"x": {"require": {"measure": "racks", "site": "hal"}}}}, "did you mean 'hall'"),
        ({"rules": {"x": {"forbid": {"site": "hall", "option": "upss"}}}}, "did you mean 'ups'"),
        ({"rules": {"x": {"at_most": 3}}}, "need `of`"),
        ({"rules": {"x": {"at_most": 3, "forbid": {"part": "qm9700"}, "of": {"part": "qm9700"}}}}, "a rule is one of"),
        ({"rules": {"x": {"at_most": "3 MW", "of": {"measure": "spend"}}}}, "expected money"),
        ({"rules": {"x": {"at_most": 2.5, "of": {"measure": "racks"}}}}, "no whole number of racks"),
        ({"rules": {"x": {"if": {"of": {"measure": "pods"}, "at_least": 1}}}}, "`if` and `then` go together"),
        ({"rules": {"two words": {"forbid": {"part": "qm9700"}}}}, "two words"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_what_makes_no_sense_is_refused(change: dict[str, Any], words: str) -> None:
    assert words in _refused(change)


def test_an_expired_quote_is_refused_with_both_days() -> None:
    text = _refused({"quotes": {"old": {**QUOTE, "valid_until": "2026-10"}}})
    assert "quote-expired" in text
    assert "2026-10-31" in text
    assert "2026-11-01" in text
    kept = load("tiny/two-clusters", overrides={"quotes": {"new": {**QUOTE, "valid_until": "2026-11"}}})
    assert list(offers_of(kept).by_name) == ["new"]


def test_orders_need_a_day() -> None:
    assert "order-date" in _refused({"quotes": {"a": QUOTE}, "money": {"price_date": "autumn"}})
    unquoted = load("tiny/two-clusters", overrides={"money": {"price_date": "autumn"}})
    with pytest.raises(InstanceError, match="order-date"):  # asked by limits on lead times and caps on supply
        _ = unquoted.order_date


def test_spend_on_orders_has_no_site() -> None:
    rule = {"x": {"at_most": "1 MUSD", "of": {"measure": "spend", "site": "hall"}}}
    assert "for no one cluster or site" in _refused({"quotes": {"a": QUOTE}, "rules": rule})


ROWS = """id,vendor,parts,price,tiers,tier_kind,valid_until,minimum_order,one_off,lead_time,supply,source,confidence
a,Northern,dgx_h100,,1: 300 kUSD; 20: 262 kEUR,incremental,2027-01,4,1 MUSD,90 days,2026Q4: 8; 2027Q1: 12,offer 77,quote
kit,Northern,qm9700*4;ups_1500k*1,500 kUSD,,,,,,,,offer 78,quote
old,Southern,dgx_h100,1 USD,,,2025-12,,,,,offer 12,quote
"""


def _with_rows(folder: Path, rows: str) -> Path:
    (folder / "quoted").mkdir()
    (folder / "quoted" / "quotes.csv").write_text(rows, encoding="utf-8")
    file = folder / "mine.yaml"
    file.write_text(
        "extends: tiny/performance\ncatalogues: [quoted]\n"
        "money: {currencies: {EUR: {usd: 1.1, date: 2026-11-02, source: planning}}}\n",
        encoding="utf-8",
    )
    return file


def test_quotes_of_a_catalogue_are_read_like_those_of_an_instance(tmp_path: Path) -> None:
    inst = load(_with_rows(tmp_path, ROWS))
    quote = inst.quotes["a"]
    assert quote.steps == ((1, 300e3), (20, pytest.approx(288.2e3)))
    assert (quote.minimum_order, quote.one_off, quote.tier_kind.value) == (4, 1e6, "incremental")
    assert inst.quotes["kit"].contents == {"qm9700": 4, "ups_1500k": 1}
    offers = offers_of(inst)
    assert list(offers.by_name) == ["a", "kit", "estimate.qm9700", "estimate.ups_1500k"]
    assert [(r.item, "2025-12" in r.reason) for r in offers.rejections] == [("old", True)]


@pytest.mark.parametrize(
    ("cell", "words"),
    [("dgx_h100,", "unknown-part"), ("300 kUSD", "has no unit"), ("2026Q4: 8", "no whole number")],
)
def test_bad_cells_are_named_with_their_line(tmp_path: Path, cell: str, words: str) -> None:
    bad = {"dgx_h100,": "dgx_h1000,", "300 kUSD": "300", "2026Q4: 8": "2026Q4: eight"}[cell]
    with pytest.raises(InstanceError) as stop:
        load(_with_rows(tmp_path, ROWS.replace(cell, bad, 1)))
    assert words in str(stop.value)
    assert "quotes.csv:2" in str(stop.value)
