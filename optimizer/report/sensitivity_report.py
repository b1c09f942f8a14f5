"""The sensitivity report: what would change the answer, by every method, as one document a person hands to a colleague.

It begins with the answer today and what the methods say in a sentence each; every section after that holds one method's table.
Nothing in it is a dual or a rule of thumb: every figure is a re-solve, and what was not proven is marked.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from models.candidates.placement import Candidates, enumerate_candidates
from models.errors import InfeasibleError, OptimizerError
from models.instance import Instance
from models.parts.network_part import Switch
from models.parts.system import System
from optimizer.design import Design
from optimizer.explain.binding import explain_binding
from optimizer.explain.why_not import why_not
from optimizer.explain.why_not_section import sentence as why_not_sentence
from optimizer.explain.why_not_section import why_not_data, why_not_markdown
from optimizer.performance_cache import PerformanceCache
from optimizer.report.rewriting import portable, relative_paths
from optimizer.sensitivity.alternatives import Alternatives, Choice, alternatives
from optimizer.sensitivity.alternatives_section import (
    alternatives_data,
    alternatives_markdown,
    alternatives_sentence,
)
from optimizer.sensitivity.limits_section import limits_data, limits_markdown
from optimizer.sensitivity.limits_section import sentence as limits_sentence
from optimizer.sensitivity.price_section import price_data, price_markdown, price_sentence
from optimizer.sensitivity.price_to_win import PriceToWin, price_to_win
from optimizer.sensitivity.program import Effort, Program, assemble
from optimizer.sensitivity.regimes import regime_map
from optimizer.sensitivity.switch_points import switch_points
from optimizer.sensitivity.switch_section import (
    regime_data,
    regime_markdown,
    switch_data,
    switch_markdown,
    switch_sentence,
)
from optimizer.sensitivity.tornado import tornado, tornado_markdown, tornado_sentence
from optimizer.sensitivity.value_of_limits import value_of_limits

SECTIONS = ("limits", "alternatives", "tornado", "price-to-win", "why-not", "switch-points", "regimes")
RIVALS, SWITCHES, QUESTIONS = 6, 4, 2


@dataclass(frozen=True)
class Section:
    """One method: its answer in a sentence, its Markdown, its data; ``proven`` is False where time ended it early."""

    name: str
    sentence: str
    markdown: str
    data: Any
    proven: bool
    seconds: float


@dataclass(frozen=True)
class SensitivityReport:
    """The whole report; ``markdown`` and ``as_dict`` are what is written."""

    instance: str
    title: str
    fingerprint: str
    answer: Design
    sections: tuple[Section, ...]
    leading: str = field(repr=False, default="")

    @property
    def proven(self) -> bool:
        """Every section ran to its end."""
        return all(s.proven for s in self.sections)

    @property
    def markdown(self) -> str:
        """The report as one Markdown document."""
        parts = [self.leading, *(s.markdown for s in self.sections), _method(self)]
        return relative_paths("\n".join(part.rstrip() + "\n" for part in parts))

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "instance": self.instance,
            "fingerprint": self.fingerprint,
            "best": {"design_id": self.answer.design_id, "choices": dict(self.answer.choices), "figures": dict(self.answer.figures)},
            "sections": {
                s.name: {"sentence": relative_paths(s.sentence), "data": portable(s.data), "proven": s.proven, "seconds": round(s.seconds, 1)}
                for s in self.sections
            },
        }  # fmt: skip


def sensitivity_report(
    instance: Instance,
    *,
    only: Sequence[str] | None = None,
    gap: float = 0.005,
    time_limit: float | None = None,
    workers: int = 1,
    on_progress: Callable[[str], None] | None = None,
) -> SensitivityReport:
    """The report of an instance's least total cost. ``only``: names of ``SECTIONS``; ``time_limit`` [s] is shared among what is left.

    ``gap``: relative width of prices to win. Raises InfeasibleError where there is no design to report on.
    """
    return _Writing(instance, gap, time_limit, workers, on_progress or (lambda _line: None)).run(only or SECTIONS)


class _Writing:
    def __init__(
        self, instance: Instance, gap: float, time_limit: float | None, workers: int, say: Callable[[str], None]
    ) -> None:
        self._instance, self._gap, self._workers, self._say = instance, gap, workers, say
        self._ends = None if time_limit is None else time.monotonic() + time_limit
        self._candidates: Candidates = enumerate_candidates(instance, PerformanceCache())
        self._left = 1

    def _seconds(self) -> float | None:
        """An equal share of what is left for each section still to come."""
        return None if self._ends is None else max(1.0, (self._ends - time.monotonic()) / max(self._left, 1))

    def run(self, wanted: Sequence[str]) -> SensitivityReport:
        self._left = len(wanted)
        makers: dict[str, Callable[[], tuple[str, str, Any, bool]]] = {
            "limits": self._limits,
            "alternatives": self._alternatives,
            "tornado": self._tornado,
            "price-to-win": self._prices,
            "why-not": self._why_not,
            "switch-points": self._switches,
            "regimes": self._regimes,
        }
        sections = []
        for name in SECTIONS:
            if name not in wanted:
                continue
            sections.append(self._section(name, makers[name]))
            self._left -= 1
        instance = self._instance
        report = SensitivityReport(
            instance.name, instance.document.title, instance.fingerprint, self._best(), tuple(sections)
        )
        return replace(report, leading=_leading(instance, report))

    def _best(self) -> Design:
        core, goals = assemble(self._instance, self._candidates, ["tco"])
        found = Program.of(core, {}, goals).least({"tco": 1.0}, Effort())
        if not found.found:
            raise InfeasibleError(f"{self._instance.name}: no design meets every limit")
        return found.design

    @cached_property
    def _near(self) -> Alternatives:
        """Near-optimal designs, for every section that asks about what comes close."""
        return alternatives(self._instance, time_limit=self._seconds())

    def _section(self, name: str, make: Callable[[], tuple[str, str, Any, bool]]) -> Section:
        self._say(name)
        begun = time.perf_counter()
        try:
            said, markdown, data, proven = make()
        except OptimizerError as error:
            said, proven, data = f"not computed: {error}", False, None
            markdown = f"## {name.replace('-', ' ').capitalize()}\n\nNot computed: {error}\n"
        return Section(name, said, markdown, data, proven, time.perf_counter() - begun)

    def _alternatives(self) -> tuple[str, str, Any, bool]:
        found = self._near
        return alternatives_sentence(found), alternatives_markdown(found), alternatives_data(found), found.proven

    def _limits(self) -> tuple[str, str, Any, bool]:
        found = value_of_limits(self._instance, time_limit=self._seconds())
        return limits_sentence(found), limits_markdown(found), limits_data(found), found.proven

    def _tornado(self) -> tuple[str, str, Any, bool]:
        found = tornado(self._instance, time_limit=self._seconds(), workers=self._workers)
        return tornado_sentence(found), tornado_markdown(found), found.as_dict(), found.proven

    def _prices(self) -> tuple[str, str, Any, bool]:
        parts = [*_nearest(self._near, "system", RIVALS), *_nearest(self._near, "switch", SWITCHES)]
        results: list[PriceToWin] = []
        seconds = self._seconds()
        for number, part in enumerate(parts):
            self._say(f"price to win of {part}")
            share = None if seconds is None else max(1.0, seconds / (len(parts) - number))
            begun = time.monotonic()
            shared = (self._instance, self._candidates) if isinstance(self._part(part), System | Switch) else None
            results.append(price_to_win(self._instance, part, gap=self._gap, time_limit=share, candidates=shared))
            seconds = None if seconds is None else seconds - (time.monotonic() - begun)
        said = " ".join(price_sentence(r) for r in results[:2]) if results else "no part to ask about"
        return said, price_markdown(results), [price_data(r) for r in results], all(r.proven for r in results)

    def _part(self, name: str) -> object:
        return next(part for part in self._instance.catalogue if part.id == name)

    def _why_not(self) -> tuple[str, str, Any, bool]:
        targets = _rejected(self._near)[:QUESTIONS]
        seconds = self._seconds()
        share = None if seconds is None else seconds / max(len(targets), 1)
        found = [why_not(self._instance, t, time_limit=share) for t in targets]
        said = (
            " ".join(f"{why_not_sentence(r)}" for r in found[:1])
            if found
            else "every system on offer is in a near-optimal design."
        )
        return (
            said,
            "\n".join(why_not_markdown(r) for r in found),
            [why_not_data(r) for r in found],
            all(r.proven for r in found),
        )

    def _switches(self) -> tuple[str, str, Any, bool]:
        site = next(iter(self._instance.sites))
        found = switch_points(self._instance, f"sites.{site}.electricity_price", time_limit=self._seconds())
        said = switch_sentence(found) if found.proven else f"{found.field.name}: not settled in time."
        return said, switch_markdown(found), switch_data(found), found.proven

    def _regimes(self) -> tuple[str, str, Any, bool]:
        site = next(iter(self._instance.sites))
        found = regime_map(
            self._instance,
            f"sites.{site}.utility",
            f"sites.{site}.electricity_price",
            steps=8,
            time_limit=self._seconds(),
        )
        names = found.architectures
        wins = "one architecture wins everywhere" if len(names) == 1 else f"{len(names)} architectures win somewhere"
        over = "over the power cap and the price of electricity"
        said = f"{wins} {over}." if found.proven else f"not settled in time {over}."
        return said, regime_markdown(found), regime_data(found), found.proven


def _nearest(near: Alternatives, dimension: str, most: int) -> list[str]:
    """Values of a dimension, those first that the best design has, then by what insisting on them costs."""
    mine = [c for c in near.choices if c.dimension == dimension]
    ranked = sorted(mine, key=lambda c: (not c.chosen, c.having is None, c.having or 0.0, c.value))
    return list(dict.fromkeys(c.value for c in ranked if c.having is not None))[:most]


def _rejected(near: Alternatives) -> list[str]:
    """The system of each vendor that comes closest without being in a near-optimal design, the nearest vendor first."""
    systems: list[Choice] = sorted(
        (c for c in near.choices if c.dimension == "system" and c.standing == "avoidable" and c.having is not None),
        key=lambda c: c.having or 0.0,
    )
    return [c.value for c in systems]


def _leading(instance: Instance, report: SensitivityReport) -> str:
    """Title, today's answer, and what every method says in a sentence."""
    design = report.answer
    lines = [f"# What would change the answer: {report.instance}", "", report.title, "", "## Today's answer", ""]
    for cluster in instance.workloads:
        c = {k.partition(".")[2]: v for k, v in design.choices.items() if k.startswith(f"{cluster}.")}
        lines.append(
            f"- **{cluster}**: {c['accelerators']:,} accelerators in {c['system']} ({c['vendor']}), {c['racks']} racks, {c['cooling']} cooling, "
            f"{c['fabric']}, oversubscription {c['oversubscription']}, at {c['site']}."
        )
    lines += [
        f"- {_money(design)}",
        f"- {_leans(instance, design)}",
        "",
        "## In short",
        "",
    ]
    lines += [
        f"- **{s.name.replace('-', ' ').capitalize()}**{'' if s.proven else ' (not all proven)'}: {s.sentence}"
        for s in report.sections
    ]
    return "\n".join(lines) + "\n"


def _money(design: Design) -> str:
    f = design.figures
    tco, low, high, capex = (
        f"{f[name] / 1e6:,.1f}" for name in ("tco_usd", "tco_usd_low", "tco_usd_high", "capex_usd")
    )
    return (
        f"Total cost of ownership **{tco} MUSD** ({low} to {high} over the price ranges), capex {capex} MUSD; "
        f"{f['power_kw'] / 1e3:,.2f} MW; {f['throughput_tokens_per_s'] / 1e6:,.3f} Mtoken/s of goodput. Design `{design.design_id}`."
    )


def _leans(instance: Instance, design: Design) -> str:
    found = explain_binding(instance, design)
    resting = found.resting()
    worst = ", ".join(x.part for x in found.leanings if x.weight > 0.02)
    binds = (
        "; ".join(limit.says for limit in found.binding if not limit.row.startswith(("power.power_units", "thermal.")))
        or "no stated limit binds exactly"
    )
    return (
        f"{_capital(binds)}. {resting['cost']:.0%} of its cost, {resting['power']:.0%} of its power and {resting['throughput']:.0%} of its throughput rest on "
        f"estimates or unverified inputs; verify first: {worst or 'nothing in particular'}."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _method(report: SensitivityReport) -> str:
    open_ones = [s.name for s in report.sections if not s.proven]
    proof = (
        "Every figure is proven." if not open_ones else f"Stopped before everything was proven: {', '.join(open_ones)}."
    )
    return (
        "## How to read this\n\n"
        "Every figure comes from solving again with something changed, never from duals. Prices are estimates wherever the catalogue's are, at the basis the "
        f"instance states. {proof} Instance fingerprint `{report.fingerprint[:16]}`; the same document as data is in the JSON file beside this one. "
        f"Made by `optimizer report sensitivity {report.instance}`.\n"
    )
