"""What to ask each vendor for: every improvable field of every part, one step better, ranked by what the cheapest design gains.

A gap is worth  gain = V - V(one step better).  Where one step is not enough,  left  says how much dearer the cheapest design with the
improved part still is, and  closes  how much of today's distance the step takes away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.candidates.placement import Candidates, enumerate_candidates
from models.errors import InfeasibleError
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.cooling import Cooling
from models.parts.network_part import Switch
from models.parts.part import Part
from models.parts.power_component import PowerComponent
from models.parts.system import System
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.part_field import PartField, find_part_field, improvable, improved
from optimizer.sensitivity.part_program import PartProgram, Requirement, with_at_least
from optimizer.sensitivity.part_variants import Variants
from optimizer.sensitivity.program import Effort
from optimizer.sensitivity.repricing import list_price

if TYPE_CHECKING:
    import pandas as pd

LAYERS: Mapping[str, type[Part]] = {
    "silicon": Accelerator,
    "systems": System,
    "network": Switch,
    "power": PowerComponent,
    "cooling": Cooling,
}
STEP = 0.1


@dataclass(frozen=True, slots=True)
class Gap:
    """One field of one part a step better: ``gain`` [USD] of the cheapest design, ``enters`` whether the part is then in it,
    ``distance`` by how much the cheapest design with the part is dearer than the best today, ``left`` the same after the step.
    """

    part: str
    vendor: str
    layer: str
    field: str
    unit: str
    value: float
    improved: float
    gain: float
    enters: bool
    distance: float | None
    left: float | None
    proven: bool

    @property
    def wins_today(self) -> bool:
        """Whether the part is in a cheapest design as it is."""
        return self.distance == 0.0

    @property
    def closes(self) -> float | None:
        """How much of the distance the step takes away [USD]."""
        if self.left is None:
            return None
        return None if self.distance is None else self.distance - self.left


@dataclass(frozen=True)
class GapList:
    """Gaps by rank: parts one step lets in, parts that are in already, what is nearest to entering; each by what it is worth."""

    objective: str
    best: float
    step: float
    gaps: tuple[Gap, ...]
    proven: bool
    solves: int
    seconds: float

    def to_frame(self) -> pd.DataFrame:
        """One row per gap, by rank."""
        import pandas as pd

        columns = [
            "part",
            "vendor",
            "layer",
            "field",
            "unit",
            "value",
            "improved",
            "gain",
            "enters",
            "distance",
            "left",
            "closes",
        ]
        return pd.DataFrame([[getattr(g, c) for c in columns] for g in self.gaps], columns=columns)


def gap_list(
    instance: Instance,
    *,
    layers: Sequence[str] | None = None,
    parts: Sequence[str] | None = None,
    step: float = STEP,
    requirement: Requirement | None = None,
    objective: str = "tco",
    time_limit: float | None = None,
    backend: str = "auto",
    candidates: Candidates | None = None,
    effort: Effort | None = None,
) -> GapList:
    """Every improvable field of the parts the design spaces allow, ranked by what one step of it is worth.

    ``layers`` of ``LAYERS`` (None: all), ``parts`` by id (None: all). ``effort`` goes before time and backend. Raises InfeasibleError where no design is legal today.
    """
    effort = effort or Effort(time_limit, backend)
    wanted = requirement or Requirement()
    found = candidates if candidates is not None else enumerate_candidates(instance, PerformanceCache())
    search = _Search(instance, found, wanted, objective, effort)
    chosen = [
        (part, layer, step)
        for layer, kind in LAYERS.items()
        if layers is None or layer in layers
        for part in instance.catalogue.of(kind).values()
        if (parts is None or part.id in parts) and search.matters(part)
    ]
    looked = list(effort.each(_gaps, search, chosen))
    gaps = [gap for listed, _ in looked for gap in listed]
    complete = all(done for _, done in looked)
    gaps.sort(key=_rank)
    return GapList(
        objective,
        search.best,
        step,
        tuple(gaps),
        complete and all(g.proven for g in gaps),
        effort.solves,
        round(effort.spent, 3),
    )


def _rank(gap: Gap) -> tuple[object, ...]:
    """Parts that one step lets in come first, then parts that are in already, each by gain; then what is nearest to entering."""
    order = 0 if gap.enters and gap.gain > 0 and not gap.wins_today else (1 if gap.gain > 0 else 2)
    return order, -round(gap.gain, 2), gap.left is None, round(gap.left or 0.0, 2), gap.part, gap.field


class _Search:
    """One instance's parts, one after the other."""

    def __init__(
        self, instance: Instance, found: Candidates, wanted: Requirement, objective: str, effort: Effort
    ) -> None:
        self._instance, self._found, self._wanted = instance, found, wanted
        self._objective = objective
        self.best = self._best(effort)

    def _best(self, effort: Effort) -> float:
        name = next(s.id for s in self._instance.catalogue.of(System).values())
        program = PartProgram.of(
            self._instance, name, self._objective, tuple(self._wanted.values), (self._instance, self._found)
        )
        limits = [*self._wanted.limits(program.dear), *program.ceilings(program.list_price or 0.0)]
        answer = program.dear.least({"rest": 1.0, "paid": program.list_price or 0.0}, effort, limits)
        if answer.value is None:
            raise InfeasibleError(f"{self._instance.name}: no design meets every limit")
        return answer.value

    def matters(self, part: Part) -> bool:
        """Whether a design space or a site could take the part at all, and every figure it needs is there."""
        spaces = [w.design_space for w in self._instance.workloads.values()]
        if isinstance(part, Accelerator):
            return any(
                self.matters(s) for s in self._instance.catalogue.of(System).values() if s.accelerator == part.id
            )
        if isinstance(part, System):
            priced = list_price(part, self._instance.money.price_basis) is not None
            return priced and any(
                (s.systems is None or part.id in s.systems) and (s.preliminary_parts or not part.preliminary)
                for s in spaces
            )
        if isinstance(part, Switch):
            return any(s.fabric.switches is None or part.id in s.fabric.switches for s in spaces)
        used = {
            u.part for site in self._found.options.values() for chain in site.values() for o in chain for u in o.units
        }
        return part.id in used

    def gaps(self, part: Part, layer: str, step: float, effort: Effort) -> tuple[list[Gap], bool]:
        """Every improvable field of one part; False where time ended before all were tried."""
        fields = [(find_part_field(part, name), sign) for name, sign in improvable(part)]
        variants = Variants(self._instance, part, self._found, (self._objective, *self._wanted.values))
        today = self._distance(variants, part, effort) if fields and not effort.over else None
        found: list[Gap] = []
        for field, sign in fields:
            better = improved(field, sign, step)
            if better is None:
                continue
            if effort.over:
                return found, False
            gap = self._gap(variants, field, better, layer, today, effort)
            if gap is not None:
                found.append(gap)
        return found, not (fields and effort.over)

    def _gap(
        self,
        variants: Variants,
        field: PartField,
        better: float,
        layer: str,
        today: tuple[float, bool] | None,
        effort: Effort,
    ) -> Gap | None:
        after = self._distance(variants, field.variant(better), effort)
        if after is None:
            return None
        dearer, exact = after
        possible = dearer != float("inf")
        return Gap(
            part=field.part.id,
            vendor=field.part.vendor,
            layer=layer,
            field=field.name,
            unit=field.unit.symbol,
            value=field.value or 0.0,
            improved=better,
            gain=max(0.0, -dearer),
            enters=dearer <= 0.0,
            distance=None if today is None or today[0] == float("inf") else max(0.0, today[0]),
            left=max(0.0, dearer) if possible else None,
            proven=exact,
        )

    def _distance(self, variants: Variants, part: Part, effort: Effort) -> tuple[float, bool] | None:
        """How much dearer than today's best the cheapest design with a variant is (inf: there is none), and whether that is proven."""
        changed, found = variants.at(part)
        name = part.id
        if isinstance(part, Accelerator):
            systems = changed.catalogue.of(System).values()
            name = ",".join(s.id for s in systems if s.accelerator == part.id and s.price is not None)
        if not name:
            return None
        try:
            program = PartProgram.of(changed, name, self._objective, tuple(self._wanted.values), (changed, found))
        except InfeasibleError:
            return float("inf"), True
        if not program.possible:
            return float("inf"), True
        price = program.list_price or 0.0
        limits = with_at_least([*self._wanted.limits(program.dear), *program.ceilings(price)], 1.0)
        answer = program.gift.least({"rest": 1.0, "paid": price}, effort, limits)
        if answer.value is None:
            return float("inf"), answer.infeasible
        # both are money to the cent, added up in different orders
        return round(answer.value - self.best, 2), answer.exact


def _gaps(search: _Search, one: tuple[Part, str, float], effort: Effort) -> tuple[list[Gap], bool]:
    return search.gaps(*one, effort)
