"""A why-not answer as plain data, as sentences, and as Markdown for a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from optimizer.explain.levers import Lever
from optimizer.explain.why_not import Verdict, WhyNot
from optimizer.tables import markdown_table


def why_not_data(result: WhyNot) -> dict[str, Any]:
    """``data`` of ``explain why-not --json``; money in USD."""
    return {
        "target": result.target,
        "kind": result.kind,
        "verdict": result.verdict.value,
        "objective": result.objective,
        "price": result.price,
        "bridge": [{"line": line.label, "usd": line.usd} for line in result.bridge],
        "best": _design(result.best),
        "insisted": _design(result.insisted),
        "conflict": [asdict(clash) for clash in result.clashes],
        "levers": [{**asdict(lever), "change": lever.change} for lever in result.levers],
        "turned_down": list(result.turned_down),
        "proven": result.proven,
        "solves": result.solves,
        "seconds": result.seconds,
    }


def _design(design: Any) -> dict[str, Any] | None:
    if design is None:
        return None
    return {
        "design_id": design.design_id,
        "tco_usd": round(design.figures["tco_usd"], 2),
        "power_kw": round(design.figures["power_kw"], 3),
        "throughput_tokens_per_s": round(design.figures["throughput_tokens_per_s"], 3),
        "choices": dict(design.choices),
    }


def sentence(result: WhyNot) -> str:
    """The answer in one sentence."""
    what = f"{result.kind} {result.target}"
    if result.verdict is Verdict.CHOSEN:
        return f"{what} is in the design of least total cost."
    if result.verdict is Verdict.NO_CANDIDATE:
        why = result.turned_down[0] if result.turned_down else "the design space holds no rack, fabric or option of it"
        return f"{what} is in no candidate, whatever the limits: {why}."
    if result.verdict is Verdict.CLASHES:
        sources = " and ".join(clash.source for clash in result.clashes)
        proof = "" if result.proven else " (not all proven)"
        return f"{what} cannot be had: no design of it meets {sources}{proof}."
    if result.verdict is Verdict.UNDECIDED:
        return f"{what}: stopped before the answer was found."
    biggest = max(result.bridge, key=lambda line: abs(line.cents), default=None)
    most = f", most of it {biggest.label}" if biggest is not None else ""
    return f"insisting on {what} costs {(result.price or 0.0) / 1e6:,.3f} MUSD more{most}."


def lever_text(lever: Lever) -> str:
    """A lever in words."""
    proof = "" if lever.proven else " (not proven to be the smallest)"
    now = "none" if lever.value is None else f"{lever.value:,.10g}"
    if lever.to is None:
        if lever.searched is not None:
            return f"{lever.source}: no {lever.lever} value as far as {lever.searched:,.10g} {lever.unit} makes it win"
        return f"{lever.source}: no {lever.lever} value makes it win"
    change = "" if lever.change is None else f", {lever.change:+.1%}"
    return f"{lever.source}: from {now} to {lever.to:,.10g} {lever.unit}{change}{proof}"


def why_not_lines(result: WhyNot) -> Iterator[str]:
    """The answer as a person reads it."""
    yield sentence(result)[0].upper() + sentence(result)[1:]
    if result.bridge and result.best is not None and result.insisted is not None:
        yield ""
        yield f"{'least total cost':<20} {result.best.figures['tco_usd']:>18,.2f} USD  design {result.best.design_id}"
        for line in result.bridge:
            yield f"  {line.label:<18} {line.usd:>+18,.2f} USD"
        yield f"{'with it':<20} {result.insisted.figures['tco_usd']:>18,.2f} USD  design {result.insisted.design_id}"
    for clash in result.clashes:
        reach = "no value alone lets it in" if clash.reach is None else f"it needs {clash.reach:,.10g}"
        yield f"  {clash.source} ({clash.origin}): {clash.value:,.10g} {clash.unit}; {reach}"
    if result.levers:
        yield ""
        yield "Smallest change that makes it win, each lever alone:"
        for lever in result.levers:
            yield f"  {lever_text(lever)}"
    if result.turned_down:
        yield ""
        yield "What became of its candidates:"
        for reason in result.turned_down:
            yield f"  {reason}"


def why_not_markdown(result: WhyNot) -> str:
    """A section of a sensitivity report."""
    said = sentence(result)
    lines = [
        f"## Why not {result.kind} {result.target}",
        "",
        "What a design that must have it costs beyond the best, line by line, and the smallest change of one thing that makes it win.",
        "",
        said[0].upper() + said[1:],
        "",
    ]
    if result.bridge and result.best is not None and result.insisted is not None:
        ends = [f"{design.figures['tco_usd']:,.2f}" for design in (result.best, result.insisted)]
        steps = [(line.label, f"{line.usd:+,.2f}") for line in result.bridge]
        rows = [("least total cost", ends[0]), *steps, ("with it", ends[1])]
        lines += [*markdown_table(("line", "USD"), rows, ("USD",)), ""]
    for caption, items in (
        ("Limits that shut it out together:", [f"{c.source}: {c.value:,.10g} {c.unit}" for c in result.clashes]),
        ("Smallest change that makes it win, each alone:", [lever_text(lever) for lever in result.levers]),
        ("What became of its candidates:", result.turned_down),
    ):
        if items:
            lines += [caption, "", *(f"- {item}" for item in items), ""]
    return "\n".join(lines).rstrip() + "\n"
