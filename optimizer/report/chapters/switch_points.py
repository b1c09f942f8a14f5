"""Over which prices of electricity, and over which demands, today's design stays the best."""

from __future__ import annotations

from optimizer.report.chapter import Asked, Chapter, Told, Turn
from optimizer.sensitivity.instance_field import find_field
from optimizer.sensitivity.switch_points import SwitchPoints, switch_points
from optimizer.sensitivity.switch_section import switch_data, switch_markdown, switch_sentence

AROUND = 0.05
"""How far around its value a demand is followed: every step of it is a solve."""


def _write(asked: Asked) -> Told:
    fields = [f"sites.{site}.electricity_price" for site in asked.instance.sites]
    fields += [f"workloads.{cluster}.demand" for cluster in asked.instance.workloads]
    found = []
    for number, name in enumerate(fields):
        asked.say(f"switch points of {name}")
        value = find_field(asked.instance, name).value
        followed = name.endswith(".demand") and value is not None
        low, high = (value * (1 - AROUND), value * (1 + AROUND)) if followed and value else (None, None)
        share = asked.effort(len(fields) - number)
        found.append(switch_points(asked.instance, name, low=low, high=high, candidates=asked.candidates, effort=share))
    return Told(
        " ".join(switch_sentence(r) if r.proven else f"{r.field.name}: not settled in time." for r in found),
        "\n".join(switch_markdown(r) for r in found),
        [switch_data(r) for r in found],
        all(r.proven for r in found),
        turns=tuple(t for r in found for t in _turns(r)),
    )


def _turns(result: SwitchPoints) -> list[Turn]:
    """The nearest switch point on either side of today's value that changes the architecture."""
    field, value = result.field, result.field.value
    if value is None or field.name.endswith(".demand"):
        return []  # a demand is a limit, and stands there
    found = []
    above = [p for p in result.points if p.high >= value and p.changes_architecture][:1]
    below = [p for p in result.points if p.low <= value and p.changes_architecture][-1:]
    names = {r.design_id: r.architecture for r in result.ranges}
    for side, there, other in [
        *(("above", p.high, p.after) for p in above),
        *(("below", p.low, p.before) for p in below),
    ]:
        share = there / value - 1.0 if value else None
        found.append(Turn(field.name, field.shown(value), f"{side} {field.shown(there)}", names.get(other, "nothing is legal"), share, result.proven))  # fmt: skip
    return found


CHAPTER = Chapter("switch-points", 80, "Switch points", _write)
