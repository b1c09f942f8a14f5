"""The best design under other values of uncertain inputs: one program, asked again for every set of values.

    tco = (equipment + sum_p dprice_p units_p) * (1 + maintenance * annuity) + shell * watts + energy price * seconds * annuity * drawn

equipment, units, watts and drawn power are measures of a design; everything else is a weight. Throughput moves within its band by
a row of its own, demand by its bound. Cables, modules, rack power, doors and frames stay those that were picked at the
instance's own prices.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import ceil
from typing import Any

import numpy as np

from models.candidates.economics import SECONDS_PER_YEAR as YEAR
from models.candidates.economics import economics_of, energy_growth, growing
from models.candidates.part_counts import FabricUnits, units_of_parts
from models.candidates.placement import Candidates, enumerate_candidates
from models.formulation import totals
from models.formulation.build import Formulation
from models.formulation.core import Core, block_name
from models.formulation.family import Direction
from models.formulation.linear import Linear
from models.formulation.pace import may_split, way_block
from models.instance import Instance
from models.policy import PowerFigure
from models.workload import Training
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.pool import STRETCH, worthwhile
from optimizer.sensitivity.program import Answer, Effort, Limit, Program, assemble
from optimizer.sensitivity.ranges import Range, RangeKind, merged, ranges_of

REPORTED = ("capex", "power")
KILO = 1e3
FINANCE = ("assumptions.discount_rate", "assumptions.maintenance_per_year", "money.horizon")
"""Fields that move the weights of all money together."""


@dataclass(frozen=True)
class Outcome:
    """The best design at some values: its cost [USD], other objectives in column units, identity and readable choices.

    ``tco`` None: nothing is legal, or nothing was found (``proven`` tells).
    """

    tco: float | None
    others: Mapping[str, float]
    design_id: str
    choices: Mapping[str, Any]
    proven: bool
    answer: Answer | None = field(default=None, repr=False, compare=False)

    @property
    def systems(self) -> str:
        """The systems of all clusters."""
        return ", ".join(str(v) for k, v in self.choices.items() if k.endswith(".system"))


class Uncertain:
    """An instance whose inputs may take other values; ``ranges`` are those it states itself, ``given`` go before them."""

    def __init__(
        self, instance: Instance, given: Sequence[Range] = (), effort: Effort | None = None,
        candidates: Candidates | None = None,
    ) -> None:  # fmt: skip
        self.instance = instance
        self.effort = effort or Effort()
        found = candidates if candidates is not None else enumerate_candidates(instance, PerformanceCache())
        self.ranges = {r.name: r for r in merged(ranges_of(instance, found), given)}
        self._money = {site: economics_of(instance, site) for site in instance.sites}
        self._fabrics: FabricUnits = {}
        self._program = self._made(worthwhile(instance, found, self._judge, STRETCH // 2, together=False))
        self._fabrics = {}
        self._goals = self._program.formulation.goals

    def spending(self, effort: Effort) -> Uncertain:
        """The same program, with other means."""
        other = copy.copy(self)
        other.effort = effort
        return other

    # --- the program ------------------------------------------------------------------------------------------------

    def _made(self, found: Candidates) -> Program:
        core, goals = assemble(self.instance, found, ("tco", *REPORTED, "throughput"))
        measures = self._measures(core)
        tco = next(g for g in goals if g.name == "tco").expression * KILO
        measures["rest"] = tco - self._total(measures, self._weights({}))
        return Program.of(core, measures, goals)

    def _judge(self, part: Candidates, relaxable: bool) -> tuple[Formulation]:
        """What some values in the ranges may need.

        Cost with every price and rate at its lowest, and whatever a higher one multiplies: who is no worse in each is no dearer at any
        values. Deliveries at both ends of their band, which say nothing more of who meets any demand in any case.
        """
        program = self._made(part)
        m, low = program.measures, self._least_weights()
        spread = [name for name in low if name.startswith(("shell:", "drawn:"))] + [f"units:{p}" for p in self._parts()]
        equipment = m["equipment"] + self._total(m, {name: w for name, w in low.items() if name.startswith("units:")})
        cheapest = self._total(m, {n: w for n, w in low.items() if not n.startswith(("units:", "equipment"))})
        criteria = [(cheapest + equipment * low["equipment"], Direction.MINIMISE), (equipment, Direction.MINIMISE)]
        criteria += [(m[name], Direction.MINIMISE) for name in spread]
        rows, limits = [], []
        for cluster, (slopes, least, most) in self._demanded().items():
            rows.append(f"performance.demand[{cluster}]")
            rate, band = m[f"rate:{cluster}"], m[f"band:{cluster}"]
            limits.append(
                Limit(f"demand.{cluster}", {f"rate:{cluster}": 1.0, f"band:{cluster}": slopes[1]}, least - 2.0)
            )
            ends = [rate + band * slope for slope in slopes]
            if self.instance.workloads[cluster].one_pod:
                ends = [_enough(end, ends[0], most + 1.0) for end in ends]
            criteria += [(end, Direction.MAXIMISE) for end in ends]
        return (program.limited(limits, rows).narrowed(criteria, relaxable).formulation,)

    def _least_weights(self) -> dict[str, float]:
        """The least weight of every measure anywhere in the ranges; of units before upkeep, as a share of equipment."""
        finance = [r for r in self.ranges.values() if r.name in FINANCE]
        lowest = {r.name: min(r.low, r.base) for r in self.ranges.values() if r.kind is RangeKind.MONEY}
        found: dict[str, float] = {}
        for values in product(*((r.low, r.base, r.high) for r in finance)):
            here = self._weights({**lowest, **dict(zip((r.name for r in finance), values, strict=True))})
            for name, weight in here.items():
                found[name] = min(weight, found.get(name, weight))
        charges = next(iter(self._money.values())).charges
        for part in self._parts():
            known = self.ranges[f"catalogue.{part}.price"]
            found[f"units:{part}"] = (min(known.low, known.base) - known.base) * charges
        return found

    def _demanded(self) -> dict[str, tuple[tuple[float, float], float, float]]:
        """Clusters whose demand may move: ends of the shift of throughput, least and most tokens per second asked."""
        found = {}
        for cluster, workload in self.instance.workloads.items():
            here, asked = f"workloads.{cluster}", [float(workload.demand)]
            band = self.ranges.get(f"{here}.throughput")
            for name in ("deadline", "rate"):
                known = self.ranges.get(f"{here}.{name}")
                values = () if known is None else (known.low, known.high)
                asked += [workload.tokens / v if isinstance(workload, Training) else v for v in values]
            slopes = (0.0, 0.0) if band is None else (min(band.low, 0.0), max(band.high, 0.0))
            if len(asked) > 1 or band is not None:
                found[cluster] = (slopes, min(asked), max(asked))
        return found

    def _measures(self, core: Core) -> dict[str, Linear]:
        found: dict[str, Linear] = {}
        for site in self.instance.sites:
            found[f"shell:{site}"] = core.everywhere(
                lambda p: p.of_pods(p.pods.load(p.pods.it, PowerFigure.DESIGN)), site=site
            )
            found[f"drawn:{site}"] = core.everywhere(lambda p: p.facility_power(PowerFigure.IN_USE), site=site)
        shell = Linear.total([found[f"shell:{s}"] * m.shell for s, m in self._money.items()])
        found["equipment"] = totals.capex(core) * KILO - shell
        parts = self._parts()
        bought = {block_name(p): units_of_parts(p.pods, parts, self._fabrics) for p in core.candidates.placements}
        for name in parts:
            placed = [core.each(p, p.of_pods(bought[block_name(p)][name])) for p in core.candidates.placements]
            plant = core.plant(lambda _, unit, part=name: float(unit.part == part))  # type: ignore[misc]
            found[f"units:{name}"] = Linear.total([*placed, plant])
        found["links"] = Linear(
            {way_block(c): np.array([way.price for way in ways]) for c, ways in core.candidates.ways.items()}
        )
        for cluster in self.instance.workloads:
            if may_split(core, cluster):
                reached = totals.delivered(core, cluster)
                bands = [float(p.pods.band.max(initial=0.0)) for p in core.candidates.of(cluster)]
                found[f"rate:{cluster}"], found[f"band:{cluster}"] = reached, reached * max(bands)
                continue
            found[f"rate:{cluster}"] = core.everywhere(lambda p: p.of_pods(p.pods.rate), cluster=cluster)
            found[f"band:{cluster}"] = core.everywhere(lambda p: p.of_pods(p.pods.rate * p.pods.band), cluster=cluster)
        return found

    def _parts(self) -> list[str]:
        return [
            r.name.removeprefix("catalogue.").removesuffix(".price")
            for r in self.ranges.values()
            if r.kind is RangeKind.PRICE
        ]

    @staticmethod
    def _total(measures: Mapping[str, Linear], weights: Mapping[str, float]) -> Linear:
        return Linear.total([measures[n] * w for n, w in weights.items() if w and n in measures])

    def _weights(self, values: Mapping[str, float]) -> dict[str, float]:
        """Weight of every measure in total cost [USD] at some values; names that are left out keep their base."""
        given = self.instance.assumptions
        horizon = values.get("money.horizon", self.instance.money.horizon)
        rate, years = values.get("assumptions.discount_rate", given.discount_rate.value), horizon / YEAR
        upkeep = values.get("assumptions.maintenance_per_year", given.maintenance_per_year.value)
        own = 1.0 + upkeep * growing(rate, self.instance.money.maintenance_growth.value, years)
        weights = {"equipment": own, "rest": 1.0, "links": YEAR * growing(rate, 0.0, years)}
        charges = next(iter(self._money.values())).charges
        for part in self._parts():
            known = self.ranges[f"catalogue.{part}.price"]
            moved = values.get(known.name, known.base) - known.base
            if moved:
                weights[f"units:{part}"] = moved * charges * own
        for site, money in self._money.items():
            weights[f"shell:{site}"] = values.get(f"sites.{site}.shell_cost", money.shell)
            price = values.get(f"sites.{site}.electricity_price", money.energy_price)
            weights[f"drawn:{site}"] = price * YEAR * growing(rate, energy_growth(self.instance, site), years)
        return weights

    # --- questions --------------------------------------------------------------------------------------------------

    def at(self, values: Mapping[str, float], effort: Effort | None = None) -> Outcome:
        """The best design at these values, other inputs at their base; one solve."""
        program, limits = self._demand(values)
        answer = program.least(self._weights(values), effort or self.effort, limits)
        if answer.value is None:
            return Outcome(None, {}, "", {}, answer.infeasible)
        design = answer.design
        others = {
            g.column: float(f"{g.objective.column_value(answer.measures[g.name]):.12g}")
            for g in self._goals
            if g.name != "tco"
        }
        return Outcome(answer.value, others, design.design_id, design.choices, answer.exact, answer)

    def kept(self, base: Outcome, values: Mapping[str, float]) -> float | None:
        """Cost [USD] of a design that is kept at other values; None where it does not meet the demand there."""
        assert base.answer is not None
        measured = base.answer.measures
        for cluster, (slope, least) in self._demands(values).items():
            reached = measured[f"rate:{cluster}"] + slope * measured[f"band:{cluster}"]
            if reached < least - 1.0:
                return None
        return float(sum(w * measured[n] for n, w in self._weights(values).items()))

    def _demands(self, values: Mapping[str, float]) -> dict[str, tuple[float, float]]:
        """Clusters whose demand row moves: shift of throughput in half-widths of its band, and tokens per second asked."""
        moved: dict[str, tuple[float, float]] = {}
        for cluster, workload in self.instance.workloads.items():
            here = f"workloads.{cluster}"
            slope, least = values.get(f"{here}.throughput", 0.0), float(workload.demand)
            if isinstance(workload, Training) and f"{here}.deadline" in values:
                least = workload.tokens / values[f"{here}.deadline"]
            least = values.get(f"{here}.rate", least)
            if slope or least != workload.demand:
                moved[cluster] = (slope, float(ceil(least - 1e-9)))
        return moved

    def _demand(self, values: Mapping[str, float]) -> tuple[Program, list[Limit]]:
        moved = self._demands(values)
        rows = [f"performance.demand[{cluster}]" for cluster in moved]
        limits = [
            Limit(f"demand.{c}", {f"rate:{c}": 1.0, f"band:{c}": slope}, lower=least - 1.0)
            for c, (slope, least) in moved.items()
        ]
        return (self._program.limited([], rows) if rows else self._program), limits


# --- many questions -------------------------------------------------------------------------------------------------


def outcomes(asked: Uncertain, questions: Sequence[Mapping[str, float]]) -> Iterator[Outcome]:
    """Outcomes in order, without the answers behind them. What time left out is not proven."""
    return asked.effort.each(_outcome, asked, questions)


def _outcome(asked: Uncertain, values: Mapping[str, float], effort: Effort) -> Outcome:
    if effort.over:
        return Outcome(None, {}, "", {}, False)
    found = asked.at(values, effort)
    return Outcome(found.tco, found.others, found.design_id, dict(found.choices), found.proven)


def _enough(rate: Linear, least: Linear, need: float) -> Linear:
    """A rate, the same for all whose least rate meets the need: no more of it is worth anything."""
    top = max((float(v.max(initial=0.0)) for v in rate.terms.values()), default=0.0) + need
    return Linear({name: np.where(least.terms[name] >= need, top, values) for name, values in rate.terms.items()})
