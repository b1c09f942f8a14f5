"""Elementary effects of all uncertain inputs over their ranges at once: which matter at all."""

from __future__ import annotations

from optimizer.report.chapter import Asked, Chapter, Told
from optimizer.sensitivity.global_indices import global_indices
from optimizer.sensitivity.global_section import global_markdown, global_sentence

PATHS, INPUTS = 4, 16


def leading_inputs(asked: Asked, most: int) -> list[str]:
    """The inputs that move the decision alone, then those that swing the cost most."""
    bars = sorted(asked.swings.bars, key=lambda b: (not b.decides, -b.swing, b.name))
    return [b.name for b in bars if b.swing or b.decides][:most]


def _write(asked: Asked) -> Told:
    found = global_indices(
        asked.instance, "morris", size=PATHS, inputs=leading_inputs(asked, INPUTS) or None, uncertain=asked.uncertain, effort=asked.effort(),
    )  # fmt: skip
    return Told(global_sentence(found), global_markdown(found), found.as_dict(), found.proven)


CHAPTER = Chapter("morris", 100, "Global sensitivity (Morris)", _write, needs=("SALib",))
