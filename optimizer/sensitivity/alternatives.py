"""Near-optimal designs that differ in kind, and which choices a near-optimal design must have, may have, or cannot have.

*Kinds*: for every vendor, topology and cooling on offer the cheapest design of that kind, each a solve of its own; those within
the slack are near-optimal, and the list begins with those that differ most from one another.
*Choices*: each is forbidden where the best design has it and insisted on where it has not. A choice is a must-have when
forbidding it costs more than the slack (or leaves nothing), avoidable when insisting on it does, and optional when neither.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from models.candidates.placement import Candidates
from models.errors import InfeasibleError
from models.formulation.build import Formulation, parse_objectives
from models.formulation.family import Direction
from models.formulation.linear import Linear
from models.instance import Instance
from optimizer.design import Design
from optimizer.explain.widening import replaced
from optimizer.performance_cache import PerformanceCache
from optimizer.sensitivity.effort import without_best
from optimizer.sensitivity.kinds import DIMENSIONS, indicators, kind_numbers
from optimizer.sensitivity.part_program import Requirement
from optimizer.sensitivity.pool import enumerated
from optimizer.sensitivity.program import Answer, Effort, Limit, Program, assemble

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_SLACK = 0.05


class Standing(StrEnum):
    """What a choice is to near-optimal designs."""

    MUST_HAVE = "must-have"
    OPTIONAL = "optional"
    AVOIDABLE = "avoidable"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Choice:
    """A choice of a cluster. ``without`` and ``having``: the objective's best with it forbidden and insisted on (column unit).

    None where nothing is legal then. ``chosen``: the best design has it.
    """

    cluster: str
    dimension: str
    value: str
    standing: Standing
    chosen: bool
    without: float | None
    having: float | None
    proven: bool


@dataclass(frozen=True)
class Alternative:
    """The best design of a kind: its objective, what it costs beyond the best (share), and in how many respects it differs."""

    cluster: str
    kind: Mapping[str, str]
    value: float
    beyond_best: float
    differs_in: tuple[str, ...]
    design: Design = field(repr=False)
    proven: bool = True


@dataclass(frozen=True)
class Alternatives:
    """Near-optimal designs of different kinds, most different first, and the standing of every choice."""

    objective: str
    column: str
    slack: float
    best: float
    design: Design
    near: tuple[Alternative, ...]
    beyond: tuple[Alternative, ...]
    choices: tuple[Choice, ...]
    proven: bool
    solves: int
    seconds: float

    def to_frame(self) -> pd.DataFrame:
        """One row per alternative: kind, value, what it costs beyond the best, design."""
        import pandas as pd

        return pd.DataFrame(
            [{"cluster": a.cluster, **a.kind, self.column: a.value, "beyond_best": a.beyond_best, "near": a in self.near,
              "design_id": a.design.design_id} for a in (*self.near, *self.beyond)]
        )  # fmt: skip

    def choices_frame(self) -> pd.DataFrame:
        """One row per choice."""
        import pandas as pd

        return pd.DataFrame([asdict(c) for c in self.choices])


def alternatives(
    instance: Instance,
    objective: str = "tco",
    slack: float = DEFAULT_SLACK,
    *,
    along: Mapping[str, float] | None = None,
    most: int = 8,
    time_limit: float | None = None,
    backend: str = "auto",
    on_progress: Callable[[str], None] | None = None,
    effort: Effort | None = None,
) -> Alternatives:
    """Near-optimal designs that differ in kind, with the standing of every choice.

    ``slack``: share of the best value that counts as near. ``along``: values other objectives must reach, in column units.
    ``effort`` goes before time and backend.
    Raises InfeasibleError where there is no design at all.
    """
    held = dict(along or {})
    # with several clusters throughput means the worst delivered share, and is named so in the program
    named = [name for name, _, _ in parse_objectives(instance, list(held))] if held else []
    requirement = Requirement(dict(zip(named, held.values(), strict=True)))
    return _Search(instance, objective, slack, requirement, effort or Effort(time_limit, backend),
                   on_progress or (lambda _line: None)).run(most)  # fmt: skip


Key = tuple[str, str, str]


@dataclass(frozen=True)
class _Asked:
    """A program with an indicator for every choice, and what is best in it."""

    program: Program
    keys: tuple[Key, ...]
    weights: Mapping[str, float]
    requirement: Requirement


@dataclass(frozen=True)
class _Reply:
    """The best under some limits: its value (None: none found), what is proven of it, and the design."""

    value: float | None
    bound: float
    exact: bool
    design: Design | None


def _ask(asked: _Asked, limits: Sequence[Limit], effort: Effort) -> _Reply:
    if effort.over:
        return _Reply(None, float("-inf"), False, None)
    found = asked.program.least(asked.weights, effort, [*asked.requirement.limits(asked.program), *limits])
    return _Reply(found.value, found.bound, found.exact, found.design if found.found else None)


class _Search:
    def __init__(
        self, instance: Instance, objective: str, slack: float, requirement: Requirement, effort: Effort,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._instance, self._slack, self._requirement, self._effort = instance, slack, requirement, effort
        self._names = tuple(dict.fromkeys((objective, *requirement.values)))
        self._say = say
        self._memo = PerformanceCache()
        self._tiered: dict[tuple[str, tuple[int, ...]], _Asked | None] = {}
        self._all = self._assembled(instance)
        goal = self._all.program.formulation.goals[0]
        self._goal = goal
        self._weights = self._all.weights

    def _assembled(self, instance: Instance) -> _Asked:
        keys: dict[Key, None] = {}

        def judge(part: Candidates, relaxable: bool) -> tuple[Formulation]:
            keys.update(dict.fromkeys(indicators(instance, part)))
            core, goals = assemble(instance, part, self._names)
            kind = core.everywhere(lambda p: kind_numbers(instance, p))
            # of one kind the best is enough
            same = Program.of(core, {"kind": kind}, goals).limited([Limit("kind", {"kind": 1.0}, 0.0, 0.0)])
            best = [(g.expression, g.objective.direction) for g in goals]
            return (same.narrowed(best, relaxable).formulation,)

        candidates = enumerated(instance, judge, self._memo)
        core, goals = assemble(instance, candidates, self._names)
        has = indicators(instance, candidates)
        measures = {_measure(key): has.get(key, Linear()) for key in sorted(keys)}
        everyone = {c: Linear.total([v for k, v in has.items() if k[:2] == (c, "vendor")]) for c in instance.workloads}
        measures.update({f"pods:{cluster}": expression for cluster, expression in everyone.items()})
        weights = {goals[0].name: 1.0 if goals[0].objective.direction is Direction.MINIMISE else -1.0}
        return _Asked(Program.of(core, measures, goals), tuple(sorted(keys)), weights, self._requirement)

    def _column(self, quanta: float) -> float:
        value = float(self._goal.objective.column_value(quanta * self._weights[self._goal.name]))
        return float(f"{value:.12g}")

    def run(self, most: int) -> Alternatives:
        best = self._all.program.least(self._weights, self._effort, self._requirement.limits(self._all.program))
        if not best.found:
            raise without_best(self._instance.name, best.infeasible)
        assert best.value is not None
        room = best.value + self._slack * abs(best.value) + 1e-9 * max(1.0, abs(best.value))
        choices = self._choices(best, room)
        choices += self._topologies(best, room)
        kinds = self._kinds(best)
        near = [a for a in kinds if a[0] <= room]
        beyond = sorted((a for a in kinds if a not in near), key=lambda a: a[1].beyond_best)
        ordered = _most_different(best.design, [a for _, a in near], most)
        return Alternatives(
            objective=self._goal.name,
            column=self._goal.column,
            slack=self._slack,
            best=self._column(best.value),
            design=best.design,
            near=tuple(ordered),
            beyond=tuple(a for _, a in beyond[:most]),
            choices=tuple(sorted(choices, key=_rank)),
            proven=best.exact and not self._effort.over and all(c.proven for c in choices),
            solves=self._effort.solves,
            seconds=round(self._effort.spent, 3),
        )

    # --- choices ----------------------------------------------------------------------------------------------------

    def _choices(self, best: Answer, room: float) -> list[Choice]:
        chosen = {key: best.measures[_measure(key)] > 0.5 for key in self._all.keys}
        limits = [
            [Limit("without", {_measure(k): 1.0}, upper=0.0) if has else Limit("with", {_measure(k): 1.0}, lower=1.0)]
            for k, has in chosen.items()
        ]
        found = []
        for (key, has), reply in zip(chosen.items(), self._effort.each(_ask, self._all, limits), strict=True):
            self._say(f"{'without' if has else 'with'} {key[2]}")
            found.append(self._judged(key, has, best, reply, room))
        return found

    def _judged(self, key: Key, chosen: bool, best: Answer, other: _Reply, room: float) -> Choice:
        assert best.value is not None
        outside = other.bound > room
        inside = other.value is not None and other.value <= room
        if inside:
            standing = Standing.OPTIONAL
        elif outside:
            standing = Standing.MUST_HAVE if chosen else Standing.AVOIDABLE
        else:
            standing = Standing.UNDECIDED
        here, there = self._column(best.value), None if other.value is None else self._column(other.value)
        return Choice(*key, standing, chosen, there if chosen else here, here if chosen else there, inside or outside)

    def _topologies(self, best: Answer, room: float) -> list[Choice]:
        """Numbers of tiers: a fabric that another of the same switches beats is no candidate, so each set is enumerated apart."""
        found = []
        for cluster in self._instance.workloads:
            tiers = self._tiers(cluster)
            used = {int(p.fabric["tiers"]) for p in best.design.pods if p.cluster == cluster}
            for tier in tiers if len(tiers) > 1 else ():
                chosen = tier in used
                kept = tuple(t for t in tiers if t != tier) if chosen else (tier,)
                asked = self._with_tiers(cluster, kept)
                reply = _NOTHING if asked is None else _ask(asked, [], self._effort)
                found.append(self._judged((cluster, "topology", f"{tier}-tier"), chosen, best, reply, room))
        return found

    def _tiers(self, cluster: str) -> tuple[int, ...]:
        return tuple(sorted(self._instance.workloads[cluster].design_space.fabric.tiers))

    def _with_tiers(self, cluster: str, tiers: tuple[int, ...]) -> _Asked | None:
        if tiers == self._tiers(cluster):
            return self._all
        if (cluster, tiers) not in self._tiered:
            changed = replaced(self._instance, f"workloads.{cluster}.design_space.fabric.tiers", tiers)
            try:
                self._tiered[cluster, tiers] = self._assembled(changed)
            except InfeasibleError:
                self._tiered[cluster, tiers] = None
        return self._tiered[cluster, tiers]

    # --- kinds ------------------------------------------------------------------------------------------------------

    def _kinds(self, best: Answer) -> list[tuple[float, Alternative]]:
        """The best design of each kind, by what it costs."""
        found: dict[tuple[str, str], tuple[float, Alternative]] = {}
        for cluster in self._instance.workloads:
            for tier in self._tiers(cluster):
                asked = None if self._effort.over else self._with_tiers(cluster, (tier,))
                if asked is None:
                    continue
                offered = {d: [k[2] for k in asked.keys if k[:2] == (cluster, d)] for d in DIMENSIONS}
                kinds = [
                    {"vendor": vendor, "topology": f"{tier}-tier", "cooling": cooling}
                    for vendor in offered["vendor"]
                    for cooling in offered["cooling"]
                ]
                limits = [_only(cluster, kind) for kind in kinds]
                for kind, reply in zip(kinds, self._effort.each(_ask, asked, limits), strict=True):
                    made = self._kind(cluster, kind, best, reply)
                    if made is not None:
                        found.setdefault((cluster, made[1].design.design_id), made)
        return list(found.values())

    def _kind(
        self, cluster: str, kind: Mapping[str, str], best: Answer, reply: _Reply
    ) -> tuple[float, Alternative] | None:
        if reply.value is None or reply.design is None or best.value is None:
            return None
        self._say(f"best of kind {', '.join(kind.values())}: {self._column(reply.value):,.6g}")
        told = Alternative(
            cluster,
            dict(kind),
            self._column(reply.value),
            (reply.value - best.value) / max(abs(best.value), 1e-9),
            _differences(best.design, reply.design),
            reply.design,
            reply.exact,
        )
        return reply.value, told


_NOTHING = _Reply(None, float("inf"), True, None)


def _only(cluster: str, kind: Mapping[str, str]) -> list[Limit]:
    """Every pod of a cluster is of one kind."""
    return [
        Limit(f"only.{d}", {f"pods:{cluster}": 1.0, _measure((cluster, d, kind[d])): -1.0}, upper=0.0)
        for d in ("vendor", "cooling")
    ]


def _measure(key: Key) -> str:
    return "has:" + ":".join(key)


_ORDER = (Standing.MUST_HAVE, Standing.OPTIONAL, Standing.AVOIDABLE, Standing.UNDECIDED)


def _rank(choice: Choice) -> tuple[Any, ...]:
    other = choice.without if choice.chosen else choice.having
    return (choice.cluster, _ORDER.index(choice.standing), not choice.chosen, other is None, other or 0.0, choice.value)


_COMPARED = (
    "system",
    "vendor",
    "cooling",
    "fabric",
    "oversubscription",
    "rack",
    "site",
    "air",
    "liquid",
    "rear_door",
    "power",
)


def _respects(design: Design) -> dict[str, Any]:
    return {k: v for k, v in design.choices.items() if k.rpartition(".")[2] in _COMPARED}


def _differences(first: Design, second: Design) -> tuple[str, ...]:
    mine, theirs = _respects(first), _respects(second)
    return tuple(k for k in dict.fromkeys((*mine, *theirs)) if mine.get(k) != theirs.get(k))


def _most_different(best: Design, near: Sequence[Alternative], most: int) -> list[Alternative]:
    """Greedy: next is whatever differs from all before it in most respects, the cheaper among equals."""
    listed: list[Design] = [best]
    left = [a for a in near if a.design.design_id != best.design_id]
    chosen: list[Alternative] = []
    while left and len(chosen) < most:
        following = max(left, key=lambda a: (min(len(_differences(d, a.design)) for d in listed), -a.beyond_best))
        left.remove(following)
        chosen.append(following)
        listed.append(following.design)
    return chosen
