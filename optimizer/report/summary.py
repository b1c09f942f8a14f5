"""The top of the sensitivity report: the decision, what would change it, and what to ask of whom."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from optimizer.design import Design
from optimizer.report.chapter import Asked, Chapter, Request, Told, Topic, Turn
from optimizer.sensitivity.alternatives import Alternatives
from optimizer.tables import markdown_table

MOST_TURNS, MOST_REQUESTS, MOST_RIVALS = 10, 5, 3
TURN_HEADINGS = ("what", "today", "then", "change", "what follows", "proof")
REQUEST_HEADINGS = ("ask", "for", "today", "wanted", "worth")


def leading(asked: Asked, told: Mapping[str, Told], titles: Sequence[Chapter]) -> str:
    """Title, decision, what would change it, what to ask of whom, and what every method says in a sentence."""
    instance = asked.instance
    lines = [f"# What would change the answer: {instance.name}", "", instance.document.title, "", "## The decision", ""]
    lines += _decision(asked, told)
    turns = nearest_turns([turn for one in told.values() for turn in one.turns])
    if turns:
        lines += ["", "## What would change it", "", _turn_sentence(turns), ""]
        lines += markdown_table(TURN_HEADINGS, [_turn_row(turn) for turn in turns], ("change",))
    lines += _requests([request for one in told.values() for request in one.requests])
    lines += ["", "## In short", ""]
    for chapter in titles:
        one = told[chapter.name]
        link = f"[{chapter.title}](#{anchor(chapter.title)})"
        lines.append(f"- **{link}**{'' if one.proven else ' (not all proven)'}: {one.sentence}")
    return "\n".join(lines) + "\n"


def anchor(title: str) -> str:
    """The name under which a heading can be linked to."""
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


def _requests(requests: Sequence[Request]) -> list[str]:
    """One table for each sort of request, the largest amounts first."""
    lines: list[str] = []
    for topic in Topic:
        mine = sorted((r for r in requests if r.topic is topic), key=lambda r: (-r.usd, r.whom, r.what))
        if mine:
            lines += ["", f"### {topic.value}", ""]
            rows = [(r.whom, r.what, r.now, r.wanted, r.worth) for r in mine[:MOST_REQUESTS]]
            lines += markdown_table(REQUEST_HEADINGS, rows)
    said = "The largest amounts first within each; every figure is derived in the section of its method."
    return ["", "## What to ask, and of whom", "", said, *lines] if lines else []


def nearest_turns(turns: Sequence[Turn], most: int = MOST_TURNS) -> list[Turn]:
    """The turns that take the smallest relative change first, each thing once in each direction."""
    ranked = sorted(turns, key=lambda t: (t.share is None, abs(t.share or 0.0), t.what, t.then))
    first: dict[tuple[str, bool], Turn] = {}
    for turn in ranked:
        first.setdefault((turn.what, (turn.share or 0.0) > 0), turn)
    return list(first.values())[:most]


def _turn_sentence(turns: Sequence[Turn]) -> str:
    first = turns[0]
    moved = "" if first.share is None else f" ({first.share:+.1%})"
    return f"The smallest change that does is {first.what}, from {first.now} to {first.then}{moved}. Each row moves one thing alone."


def _turn_row(turn: Turn) -> tuple[str, ...]:
    change = "-" if turn.share is None else f"{turn.share:+.1%}"
    return (turn.what, turn.now, turn.then, change, turn.follows, "proven" if turn.proven else "not proven")


def _decision(asked: Asked, told: Mapping[str, Told]) -> list[str]:
    design = asked.best
    lines = []
    for cluster in asked.instance.workloads:
        c = {k.partition(".")[2]: v for k, v in design.choices.items() if k.startswith(f"{cluster}.")}
        lines.append(
            f"- **{cluster}**: {c['accelerators']:,} accelerators in {c['system']} ({c['vendor']}), {c['racks']} racks, {c['cooling']} "
            f"cooling, {c['fabric']}, oversubscription {c['oversubscription']}, at {c['site']}."
        )
    lines.append(f"- {_money(design)}")
    if "alternatives" in told:
        lines.append(f"- {_rivals(asked.near)}")
    return lines


def _money(design: Design) -> str:
    f = design.figures
    tco, low, high, capex = (
        f"{f[name] / 1e6:,.1f}" for name in ("tco_usd", "tco_usd_low", "tco_usd_high", "capex_usd")
    )
    return (
        f"Total cost of ownership **{tco} MUSD** ({low} to {high} over the price ranges), capex {capex} MUSD; "
        f"{f['power_kw'] / 1e3:,.2f} MW; {f['throughput_tokens_per_s'] / 1e6:,.3f} Mtoken/s of goodput. Design `{design.design_id}`."
    )


def _rivals(near: Alternatives) -> str:
    others = sorted((*near.near, *near.beyond), key=lambda a: a.beyond_best)
    told: dict[str, str] = {}
    for a in others:
        system = str(a.design.choices.get(f"{a.cluster}.system", ""))
        told.setdefault(system, f"{system} ({a.kind['vendor']}) at {a.beyond_best:+.1%}")
    best = {str(v) for k, v in near.design.choices.items() if k.endswith(".system")}
    rivals = [text for system, text in told.items() if system not in best][:MOST_RIVALS]
    return f"Next come {', '.join(rivals)}." if rivals else "No design of another system is legal."
