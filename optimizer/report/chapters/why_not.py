"""Why the nearest systems that are in no near-optimal design are not chosen: what insisting costs, and what would let them win."""

from __future__ import annotations

from optimizer.explain.why_not import why_not
from optimizer.explain.why_not_section import sentence, why_not_data, why_not_markdown
from optimizer.report.chapter import Asked, Chapter, Told
from optimizer.sensitivity.alternatives import Alternatives

QUESTIONS = 2
NOTHING = "every system on offer is in a near-optimal design, or in no legal one."


def _write(asked: Asked) -> Told:
    targets = _rejected(asked.near)[:QUESTIONS]
    found = []
    for number, target in enumerate(targets):
        asked.say(f"why not {target}")
        found.append(
            why_not(asked.instance, target, candidates=asked.candidates, effort=asked.effort(len(targets) - number))
        )
    if not found:
        return Told(NOTHING, f"## Why not\n\n{NOTHING[0].upper()}{NOTHING[1:]}\n", [], asked.near.proven)
    return Told(
        sentence(found[0]),
        "\n".join(why_not_markdown(r) for r in found),
        [why_not_data(r) for r in found],
        all(r.proven for r in found),
        parts=tuple(targets),
    )


def _rejected(near: Alternatives) -> list[str]:
    """Systems in no near-optimal design, the nearest first."""
    systems = sorted(
        (c for c in near.choices if c.dimension == "system" and c.standing == "avoidable" and c.having is not None),
        key=lambda c: (c.having or 0.0, c.value),
    )
    return list(dict.fromkeys(c.value for c in systems))


CHAPTER = Chapter("why-not", 70, "Why not", _write)
