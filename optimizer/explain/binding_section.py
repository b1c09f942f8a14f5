"""What binds a design and what it leans on, as one sentence and as Markdown for a report."""

from __future__ import annotations

from optimizer.explain.binding import Binding, Leaning
from optimizer.tables import markdown_table

MOST_LIMITS, MOST_INPUTS = 12, 10
LIMIT_HEADINGS = ("limit", "in use", "of", "unit", "left", "stated in")
INPUT_HEADINGS = ("part", "of the cost", "of the power", "of the throughput", "weak because", "row")


def weakness(leaning: Leaning, brief: bool = False) -> str:
    """Why a catalogue row is weak, in words; ``brief``: without the names of columns."""
    said = [leaning.confidence] if leaning.confidence in ("analyst-estimate", "stated", "unverified") else []
    if leaning.weak_cost and not said:
        said.append("price is an estimate")
    if leaning.unverified and brief:
        said.append("not in its source")
    elif leaning.unverified:
        said.append(f"not in its source: {leaning.unverified.replace(';', ', ')}")
    return "; ".join(said)


def binding_sentence(found: Binding) -> str:
    """The answer in one sentence."""
    binds = [limit.says for limit in found.binding]
    free = [limit for limit in found.limits if not limit.binds]
    nearest = free[0] if free else None
    if binds:
        first = "; ".join(binds)
    elif nearest is not None:
        first = (
            f"no limit binds exactly; the nearest is {nearest.source or nearest.row}, {nearest.slack_share:.1%} away"
        )
    else:
        first = "no limit is stated"
    resting = found.resting()
    return (
        f"{first}. {resting['cost']:.0%} of the cost, {resting['power']:.0%} of the power and "
        f"{resting['throughput']:.0%} of the throughput rest on estimates or unverified inputs."
    )


def binding_markdown(found: Binding) -> str:
    """A section of a sensitivity report."""
    said = binding_sentence(found)
    lines = [
        "## What binds, and what it rests on",
        "",
        "How far today's design is from each limit, and how much of it passes through catalogue rows that nobody has confirmed.",
        "",
        said[:1].upper() + said[1:],
        "",
    ]
    rows = [
        (
            _named(x.row),
            f"{x.value:,.7g}",
            f"{x.limit:,.7g}",
            x.unit,
            "binds" if x.binds else f"{x.slack_share:.1%}",
            x.source,
        )
        for x in found.limits[:MOST_LIMITS]
    ]
    if rows:
        lines += markdown_table(LIMIT_HEADINGS, rows, ("in use", "of", "left"))
    weak = [x for x in found.leanings if x.weight][:MOST_INPUTS]
    if weak:
        shares = ("of the cost", "of the power", "of the throughput")
        lines += ["", "Weak inputs by how much passes through them:", ""]
        lines += markdown_table(INPUT_HEADINGS, [_row(x) for x in weak], shares)
    return "\n".join(lines) + "\n"


def _named(row: str) -> str:
    """A row in words: ``power.power_units[north,ups]`` is power units: north, ups."""
    name, _, index = row.partition("[")
    what = name.rpartition(".")[2].replace("_", " ")
    return f"{what}: {index.rstrip(']').replace(',', ', ')}" if index.rstrip("]") else what


def _row(x: Leaning) -> tuple[str, ...]:
    shares = [f"{share:.1%}" if share else "-" for share in (x.cost_share, x.power_share, x.throughput_share)]
    return (x.part, *shares, weakness(x), x.where)
