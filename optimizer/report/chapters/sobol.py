"""Shares of the variance of cost and decision that the leading inputs explain, alone and with their interactions."""

from __future__ import annotations

from optimizer.report.chapter import Asked, Chapter, Told
from optimizer.report.chapters.morris import leading_inputs
from optimizer.sensitivity.global_indices import global_indices
from optimizer.sensitivity.global_section import global_markdown, global_sentence

SAMPLES, INPUTS = 16, 8


def _write(asked: Asked) -> Told:
    found = global_indices(
        asked.instance, "sobol", size=SAMPLES, inputs=leading_inputs(asked, INPUTS) or None, uncertain=asked.uncertain, effort=asked.effort(),
    )  # fmt: skip
    return Told(global_sentence(found), global_markdown(found), found.as_dict(), found.proven)


CHAPTER = Chapter("sobol", 110, "Global sensitivity (Sobol)", _write, needs=("SALib",))
