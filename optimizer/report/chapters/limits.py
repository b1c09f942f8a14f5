"""Value of limits: what the next useful step of each is worth, in both directions."""

from __future__ import annotations

from models.instance import Instance
from models.workload import Training
from optimizer.report.chapter import Asked, Chapter, Request, Told, Topic, Turn
from optimizer.sensitivity.limits_section import amount, limits_data, limits_markdown, ranked, sentence
from optimizer.sensitivity.value_of_limits import LimitValue, LimitValues, value_of_limits


def _write(asked: Asked) -> Told:
    found = value_of_limits(asked.instance, candidates=asked.candidates, effort=asked.effort())
    return Told(
        sentence(found),
        limits_markdown(found),
        limits_data(found),
        found.proven,
        turns=tuple(t for v in ranked(found) if (t := _turn(asked.instance, found, v)) is not None),
        requests=tuple(r for v in ranked(found) if (r := _request(asked.instance, found, v)) is not None),
    )


def _turn(instance: Instance, found: LimitValues, v: LimitValue) -> Turn | None:
    """The nearer of the next looser and the next tighter value that change the design."""
    moves = [(m.value, m.gain, m.proven) for m in (v.looser, v.tighter) if m.value and m.gain]
    if not moves or not v.value:
        return None
    value, gain, proven = min(moves, key=lambda m: abs(m[0] / v.value - 1.0))
    now, then = (_stated(instance, v, x) for x in (v.value, value))
    share = v.value / value - 1.0 if now.endswith("days") else value / v.value - 1.0
    word = "saves" if gain > 0 else "costs"
    return Turn(v.source, now, then, f"another design, which {word} {amount(found.column, abs(gain))}", share, proven)


def _request(instance: Instance, found: LimitValues, v: LimitValue) -> Request | None:
    if v.looser.value is None or not v.looser.gain or v.looser.gain <= 0:
        return None
    owner = _owner(instance, v.source) or "whoever set it"
    now, wanted = _stated(instance, v, v.value), _stated(instance, v, v.looser.value)
    worth = f"{amount(found.column, v.looser.gain)} less in total cost"
    return Request(Topic.LIMIT, owner, v.source, now, wanted, worth, v.looser.gain)


def _owner(instance: Instance, source: str) -> str:
    from optimizer.explain.groups import owner_of

    return owner_of(instance, source)[0]


def _stated(instance: Instance, v: LimitValue, value: float) -> str:
    """A value in the unit of its row; a deadline as its days."""
    steps = v.source.split(".")
    workload = instance.workloads.get(steps[1]) if len(steps) == 3 and steps[2] == "deadline" else None
    if isinstance(workload, Training) and value > 0:
        return f"{workload.tokens / value / 86400:,.2f} days"
    return f"{value:,.10g} {v.unit}"


CHAPTER = Chapter("limits", 10, "Value of limits", _write)
