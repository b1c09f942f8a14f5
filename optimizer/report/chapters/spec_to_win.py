"""What to ask each vendor for: the gap list over all layers, and from which value on the nearest parts enter."""

from __future__ import annotations

from optimizer.report.chapter import Asked, Chapter, Request, Told, Topic
from optimizer.sensitivity.gap_list import Gap, gap_list
from optimizer.sensitivity.limits_section import amount
from optimizer.sensitivity.spec_section import (
    gap_data,
    gap_markdown,
    gap_sentence,
    gap_values,
    spec_data,
    spec_markdown,
    words,
)
from optimizer.sensitivity.spec_to_win import SpecToWin, spec_to_win

THRESHOLDS = 2
SHARE_OF_TIME = 0.7


def _write(asked: Asked) -> Told:
    found = gap_list(asked.instance, candidates=asked.candidates, effort=asked.effort(1 / SHARE_OF_TIME))
    thresholds = [_threshold(asked, gap) for gap in _entering(found.gaps)[:THRESHOLDS]]
    return Told(
        gap_sentence(found),
        "\n".join([gap_markdown(found), *map(spec_markdown, thresholds)]),
        {"gaps": gap_data(found), "thresholds": [spec_data(t) for t in thresholds]},
        found.proven and all(t.proven for t in thresholds),
        requests=tuple(_request(asked, gap) for gap in found.gaps if gap.gain > 0 and gap.field != "price"),
        parts=tuple(dict.fromkeys(gap.part for gap in found.gaps[:20])),
    )


def _entering(gaps: tuple[Gap, ...]) -> list[Gap]:
    """The best gap of each part that one step lets in, other than its price."""
    first: dict[str, Gap] = {}
    for gap in gaps:
        if gap.enters and not gap.wins_today and gap.field != "price":
            first.setdefault(gap.part, gap)
    return list(first.values())


def _threshold(asked: Asked, gap: Gap) -> SpecToWin:
    asked.say(f"{gap.field} of {gap.part}")
    low, high = sorted((gap.value, gap.improved))
    return spec_to_win(
        asked.instance, gap.part, gap.field, low=low, high=high, effort=asked.effort(2 * THRESHOLDS),
        candidates=asked.candidates,
    )  # fmt: skip


def _request(asked: Asked, gap: Gap) -> Request:
    now, wanted = gap_values(gap)
    enters = "" if gap.wins_today else "; it then enters the cheapest design"
    worth = f"{amount('usd_usd', gap.gain)} less in total cost{enters}"
    return Request(
        Topic.SPEC,
        gap.vendor or asked.vendor(gap.part),
        f"{words(gap.field)} of {gap.part}",
        now,
        wanted,
        worth,
        gap.gain,
    )


CHAPTER = Chapter("spec-to-win", 60, "What to ask for", _write)
