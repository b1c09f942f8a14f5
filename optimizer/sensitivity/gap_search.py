"""What one field of one part a step better does to the cheapest design; what does not change from part to part is made once.

Where a design is one pod, only candidates with the part are enumerated. A price moves no candidate at all. Plant equipment moves no
pod, so that pods are cut once to those some plant may need. Links are looked at among the systems they may matter to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from models.candidates.fabric_parts import LinkCard
from models.candidates.placement import Candidates
from models.errors import InfeasibleError
from models.instance import Instance
from models.parts.accelerator import Accelerator
from models.parts.cooling import Cooling
from models.parts.network_part import Link, Switch
from models.parts.part import Part
from models.parts.power_component import PowerComponent
from models.parts.system import System
from optimizer.sensitivity.effort import Effort, without_best
from optimizer.sensitivity.failure_field import field_of, has_failure_rate
from optimizer.sensitivity.gap import Distance, Gap
from optimizer.sensitivity.link_variants import NearSystems
from optimizer.sensitivity.part_field import PartField, find_part_field, improvable, improved
from optimizer.sensitivity.part_program import CENT, PartProgram, Requirement, with_at_least
from optimizer.sensitivity.part_variants import Variants
from optimizer.sensitivity.plant_variants import under_any_plant
from optimizer.sensitivity.pool import lone
from optimizer.sensitivity.repricing import list_price, with_part

ROUNDED = 1e-9
"""Share of a cost that cents of its parts add up to."""
LOOKED_AT = 1.1
"""Links are looked for in designs that cost up to so many times the best."""


class GapSearch:
    """One instance's parts, one after the other. ``best``: the least objective today [USD]; InfeasibleError where there is no design."""

    def __init__(
        self, instance: Instance, found: Candidates, wanted: Requirement, objective: str, effort: Effort
    ) -> None:
        self._instance, self._found, self._wanted = instance, found, wanted
        self._objective = objective
        self._pods: Candidates | None = None
        self._near: NearSystems | None = None
        self.best = self._best(effort)

    def _best(self, effort: Effort) -> float:
        name = next(s.id for s in self._instance.catalogue.of(System).values())
        program = PartProgram.of(
            self._instance, name, self._objective, tuple(self._wanted.values), (self._instance, self._found)
        )
        limits = [*self._wanted.limits(program.dear), *program.ceilings(program.list_price or 0.0)]
        answer = program.dear.least({"rest": 1.0, "paid": program.list_price or 0.0}, effort, limits)
        if answer.value is None:
            raise without_best(self._instance.name, answer.infeasible)
        return answer.value

    def prepare(self, parts: Sequence[Part], effort: Effort) -> None:
        """Makes what several of the parts need, so that it is made once for all processes."""
        if any(isinstance(p, PowerComponent | Cooling) for p in parts):
            self._pods = under_any_plant(self._instance, self._found, (self._objective, *self._wanted.values))
        if lone(self._instance) and any(isinstance(p, Link) for p in parts):
            self._near = NearSystems(self._instance, self._objective, self._wanted, effort)

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
        if isinstance(part, Link):
            return LinkCard.from_part(part) is not None
        return part.id in self._plant

    @property
    def _plant(self) -> set[str]:
        every = [o for site in self._found.options.values() for chain in site.values() for o in chain]
        return {unit.part for option in every for unit in option.units}

    def gaps(self, part: Part, layer: str, step: float, effort: Effort) -> tuple[list[Gap], bool]:
        """Every improvable field of one part; False where time ended before all were tried."""
        fields = [
            (field_of(self._instance, part, name), sign)
            for name, sign in improvable(part)
            if name != "failure_rate" or has_failure_rate(self._instance, part) or getattr(part, name, None)
        ]
        wanted = [(field, better) for field, sign in fields if (better := improved(field, sign, step)) is not None]
        if not wanted:
            return [], True
        one = _OnePart(self, part)
        out = one.out_of_reach(wanted, effort)
        if out is not None:
            return [_gap(field, better, layer, out, out) for field, better in wanted], True
        found: list[Gap] = []
        today = None
        for field, better in wanted:
            if effort.over:
                return found, False
            today = today if today is not None else one.today(effort)
            found.append(_gap(field, better, layer, today, one.after(field, better, effort)))
        return found, not effort.over

    # --- for one part -----------------------------------------------------------------------------------------------

    def variants(self, part: Part, recounted: bool = False) -> Variants:
        """Candidates of variants of a part; ``recounted``: racks may be counted anew on rings of blocks."""
        plant = isinstance(part, PowerComponent | Cooling)
        found = self._pods if plant and not recounted and self._pods is not None else self._found
        return Variants(self._instance, part, found, (self._objective, *self._wanted.values))

    def program(self, part: Part, changed: Instance, found: Candidates) -> PartProgram | None:
        """The program around a part, or the systems of an accelerator; None where nothing can be placed."""
        name = part.id
        if isinstance(part, Accelerator):
            systems = changed.catalogue.of(System).values()
            name = ",".join(s.id for s in systems if s.accelerator == part.id and s.price is not None)
        if not name:
            return None
        try:
            return PartProgram.of(changed, name, self._objective, tuple(self._wanted.values), (changed, found))
        except InfeasibleError:
            return None

    def distance(self, program: PartProgram | None, price: float | None, effort: Effort) -> Distance:
        """How much dearer than today's best the cheapest design with the part is at a price (None: its list price)."""
        if program is None or not program.possible:
            return Distance(math.inf, True)
        at = program.list_price or 0.0 if price is None else price
        limits = with_at_least([*self._wanted.limits(program.dear), *program.ceilings(at)], 1.0)
        answer = program.held.least({"rest": 1.0, "paid": at}, effort, limits)
        if answer.value is None:
            return Distance(math.inf, answer.infeasible)
        return Distance(self._beyond_best(answer.value), answer.exact)

    def of_link(self, link: str, changed: Instance, effort: Effort) -> Distance:
        """The same for a link, among the systems it may matter to."""
        assert self._near is not None
        found = self._near.least(changed, link, LOOKED_AT * self.best, effort)
        if found.value is None:
            # nothing has it up to a cost, or nothing at all, or time ended before either was known
            further = math.isfinite(found.bound) and found.bound > self.best
            return Distance(found.bound - self.best if further else math.inf, further or found.exact, beyond=further)
        return Distance(self._beyond_best(found.value), found.exact)

    def _beyond_best(self, value: float) -> float:
        """How much dearer [USD] than the best: both are money to the cent, told apart for different parts and added up in different orders."""
        dearer = round(value - self.best, 2)
        return 0.0 if abs(dearer) <= max(2 * CENT, ROUNDED * abs(self.best)) else dearer

    def by_links(self, part: Part) -> bool:
        """Whether a part is looked at among the systems it may matter to."""
        return isinstance(part, Link) and self._near is not None

    def on_rings(self, part: Part) -> bool:
        """Whether a part is in the blocks of a ring, so that its size tells how many racks one carries."""
        every = [o for site in self._found.options.values() for chain in site.values() for o in chain]
        return any(o.ring is not None and any(u.part == part.id for u in o.units) for o in every)


class _OnePart:
    """Questions about one part; its program of today answers those about its price."""

    def __init__(self, search: GapSearch, part: Part) -> None:
        self._search, self._part = search, part
        self._variants = search.variants(part)
        self._program: PartProgram | None = None

    def out_of_reach(self, wanted: Sequence[tuple[PartField, float]], effort: Effort) -> Distance | None:
        """How far a link at least is that lights nothing even with all fields better at once: then it does not with one; else None."""
        if not self._search.by_links(self._part):
            return None
        changed = self._variants.base
        for field, better in wanted:
            link = changed.catalogue.get(Link, self._part.id)
            changed = with_part(changed, find_part_field(link, field.name).variant(better))
        found = self._search.of_link(self._part.id, changed, effort)
        return found if found.beyond or found == Distance(math.inf, True) else None

    def today(self, effort: Effort) -> Distance:
        base = self._variants.base
        if self._search.by_links(self._part):
            return self._search.of_link(self._part.id, base, effort)
        self._program = self._search.program(self._part, base, self._variants.having(base))
        return self._search.distance(self._program, None, effort)

    def after(self, field: PartField, better: float, effort: Effort) -> Distance:
        changed = field.within(self._variants.base, better)
        if self._search.by_links(self._part):
            return self._search.of_link(self._part.id, changed, effort)
        if field.name == "price" and not isinstance(self._part, Link):
            listed = None if self._program is None else self._program.list_price
            return self._search.distance(self._program, (listed or 0.0) * better / (field.value or 1.0), effort)
        recounted = field.name == "rated" and self._search.on_rings(self._part)
        variants = self._search.variants(self._part, recounted=True) if recounted else self._variants
        program = self._search.program(self._part, changed, variants.having(changed))
        return self._search.distance(program, None, effort)


def _gap(field: PartField, better: float, layer: str, today: Distance, after: Distance) -> Gap:
    dearer = after.dearer
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
        distance=None if math.isinf(today.dearer) or today.beyond else max(0.0, today.dearer),
        left=None if math.isinf(dearer) else max(0.0, dearer),
        proven=after.exact,
        beyond=after.beyond,
    )


def gaps_of(search: GapSearch, one: tuple[Part, str, float], effort: Effort) -> tuple[list[Gap], bool]:
    """The gaps of one part of ``one``: part, layer, step."""
    return search.gaps(*one, effort)
