"""What each uncertain input alone does to the cost and to the decision."""

from __future__ import annotations

from optimizer.report.chapter import Asked, Chapter, Told, Turn
from optimizer.sensitivity.limits_section import amount
from optimizer.sensitivity.tornado import Bar, plain_number, tornado_markdown, tornado_sentence


def _write(asked: Asked) -> Told:
    found = asked.swings
    return Told(
        tornado_sentence(found),
        tornado_markdown(found),
        found.as_dict(),
        found.proven,
        # a price that moves the decision has an exact threshold, its price to win
        turns=tuple(t for bar in found.bars if bar.kind != "price" for t in _turns(bar)),
    )


def _turns(bar: Bar) -> list[Turn]:
    found = []
    for end in (bar.low, bar.high):
        if end.moved:
            kept = (
                ""
                if end.regret is None
                else f"; keeping today's design then costs {amount('usd_usd', end.regret)} more"
            )
            share = None if not bar.base else end.value / bar.base - 1.0
            now, then = f"{plain_number(bar.base)} {bar.unit}", f"at the latest at {plain_number(end.value)} {bar.unit}"
            found.append(Turn(bar.name, now, then, f"{end.systems or 'another design'}{kept}", share, end.proven))
    return found


CHAPTER = Chapter("tornado", 40, "Tornado", _write)
