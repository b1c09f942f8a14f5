"""What binds today's design, and the inputs with low confidence it leans on most."""

from __future__ import annotations

from optimizer.explain.binding import Leaning, explain_binding
from optimizer.explain.binding_section import binding_markdown, binding_sentence, weakness
from optimizer.report.chapter import Asked, Chapter, Request, Told, Topic

MOST_CHECKED = 5
LEAST_WEIGHT = 0.02


def _write(asked: Asked) -> Told:
    found = explain_binding(asked.instance, asked.best)
    weak = [x for x in found.leanings if x.weight > LEAST_WEIGHT][:MOST_CHECKED]
    return Told(
        binding_sentence(found),
        binding_markdown(found),
        found.as_dict(),
        True,
        proof="recomputed from the design and its catalogue rows",
        requests=tuple(_request(asked, x) for x in weak),
        parts=tuple(x.part for x in weak),
    )


def _request(asked: Asked, leaning: Leaning) -> Request:
    shares = {"cost": leaning.cost_share * leaning.weak_cost, "power": leaning.power_share * leaning.weak_power,
              "throughput": leaning.throughput_share * leaning.weak_throughput}  # fmt: skip
    resting = ", ".join(f"{share:.0%} of the {name}" for name, share in shares.items() if share > 0.005)
    figures = " and ".join(
        word for word, name in (("price", "cost"), ("power", "power"), ("speed", "throughput")) if shares[name] > 0.005
    )
    usd = leaning.weight * asked.best.figures["capex_usd"]
    return Request(
        Topic.CONFIRM, asked.vendor(leaning.part), f"{figures} of {leaning.part}", weakness(leaning, brief=True),
        "in writing", f"{resting} rests on it", usd,
    )  # fmt: skip


CHAPTER = Chapter("binding", 20, "What binds, and what it rests on", _write)
