"""Which architecture wins where, over what is demanded and the price of electricity."""

from __future__ import annotations

from optimizer.report.chapter import Asked, Chapter, Told
from optimizer.sensitivity.regimes import regime_map
from optimizer.sensitivity.switch_section import regime_data, regime_markdown, regime_sentence

STEPS = 8


def _write(asked: Asked) -> Told:
    site, cluster = next(iter(asked.instance.sites)), next(iter(asked.instance.workloads))
    found = regime_map(
        asked.instance, f"workloads.{cluster}.demand", f"sites.{site}.electricity_price", steps=STEPS,
        candidates=asked.candidates,
        effort=asked.effort(),
    )  # fmt: skip
    return Told(regime_sentence(found), regime_markdown(found), regime_data(found), found.proven)


CHAPTER = Chapter("regimes", 90, "Regimes", _write)
