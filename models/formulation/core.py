"""The shared decisions and the only ways to add a row.

    use[c,s]      binary per placement: training cluster c is this pod under these plant options at site s; one in all
    pods[c,s]     integer per placement: how many of these pods serve cluster c at site s
    option[s,h]   binary per plant option of chain h at site s; at most one per chain
    units[s,h]    integer per plant option and part: units bought, in pairs for 2n, in groups, or ring by ring of blocks

Coefficients are data: each is rounded once to whole quanta (1 kUSD, 1 kW, 1 token/s), resources upwards, deliveries
downwards and money to the nearest, so that the program never promises more than the exact figures give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.candidates.placement import Candidates, Placements
from models.candidates.plant import PlantOption, PlantUnit
from models.formulation.linear import Block, Floats, Kind, Linear, Numbered
from models.instance import Instance
from models.site import Chain
from models.units import Unlimited
from models.workload import Serving

CORE_EXPRESSIONS = ("use", "option", "units")

MONEY_QUANTUM = 1e3
POWER_QUANTUM = 1e3
TOKEN_QUANTUM = 1.0
CARBON_QUANTUM = 1e3
GOODPUT_QUANTUM = 1e-6
AVAILABILITY_QUANTUM = 1e-6


@dataclass(frozen=True)
class Row:
    """``lower <= expression <= upper``, named ``family.what[index]``; ``source`` is the instance field of the limit."""

    family: str
    what: str
    index: tuple[str, ...]
    expression: Linear
    lower: float | None
    upper: float | None
    unit: str
    source: str

    @property
    def name(self) -> str:
        """``family.what[index]``."""
        return f"{self.family}.{self.what}[{','.join(self.index)}]"

    @property
    def place(self) -> tuple[str, ...]:
        """The index, ``all`` where there is none."""
        return self.index or ("all",)

    @property
    def holds_empty(self) -> bool:
        """True where zero lies within the bounds: a row without columns then asks for nothing."""
        return (self.lower is None or self.lower <= 0.0) and (self.upper is None or self.upper >= 0.0)


class Core:
    """Blocks, rows and named expressions of one instance while it is being formulated."""

    def __init__(self, instance: Instance, candidates: Candidates) -> None:
        self.instance = instance
        self.candidates = candidates
        self.blocks: dict[str, Block] = {}
        self.rows: list[Row] = []
        self.expressions: dict[str, Linear] = {}
        self._family = "core"
        self._shared_decisions()

    # --- shared decisions -------------------------------------------------------------------------------------------

    def _shared_decisions(self) -> None:
        for placements in self.candidates.placements:
            serving = isinstance(self.instance.workloads[placements.cluster], Serving)
            kind = Kind.INTEGER if serving else Kind.BINARY
            upper = float(self.instance.workloads[placements.cluster].most_at_a_site)
            self.add_block(Block(block_name(placements), _keys(placements), kind, upper, prunable=True))
        for site, chains in self.candidates.options.items():
            for chain, options in chains.items():
                if options:
                    self.add_block(Block(f"option[{site},{chain.value}]", tuple(o.id for o in options), Kind.BINARY))
                    keys = tuple(f"{o.id}.{u.part}" for o in options for u in o.units)
                    self.add_block(Block(f"units[{site},{chain.value}]", keys, Kind.INTEGER, None))
        self._choices()

    def _choices(self) -> None:
        """Exactly one placement per training cluster; one option per chain at most, chosen where a placement needs it."""
        for cluster, workload in self.instance.workloads.items():
            chosen = Linear.total([self.each(p) for p in self.candidates.of(cluster)])
            source = f"workloads.{cluster}"
            if isinstance(workload, Serving):
                self.at_most("pods", (cluster,), chosen, workload.pods_at_most, "pods", f"{source}.pods_at_most")
            elif workload.one_pod:
                self.equals("use", (cluster,), chosen, 1, "", source)
        for site, chains in self.candidates.options.items():
            for chain, options in chains.items():
                for option in options:
                    self._link(site, chain, option)
                if options:
                    some = Linear({f"option[{site},{chain.value}]": np.ones(len(options))})
                    self.at_most("one_option", (site, chain.value), some, 1, "", f"sites.{site}.{chain.value}")

    def _link(self, site: str, chain: Chain, option: PlantOption) -> None:
        opened = self.option_is(option)
        for placements in self.candidates.placements:
            if placements.site != site:
                continue
            using = placements.uses(option)
            if not using.any():
                continue
            most = float(self.instance.workloads[placements.cluster].most_at_a_site)
            used = self.each(placements, using.astype(np.float64))
            self.at_most(
                "needs_option",
                (placements.cluster, site, chain.value, option.id),
                used - opened * most,
                0,
                "",
                f"sites.{site}.{chain.value}.{option.id}",
            )

    # --- building blocks for families and objectives -------------------------------------------------------------

    def add_block(self, block: Block) -> Block:
        """Adds a decision; a name is used once."""
        if block.name in self.blocks:
            raise RuntimeError(f"block {block.name} is declared twice")
        self.blocks[block.name] = block
        return block

    def each(self, placements: Placements, values: npt.ArrayLike = 1.0) -> Linear:
        """Sum over the placements of a cluster at a site, each with its coefficient."""
        coefficients = np.broadcast_to(np.asarray(values, dtype=np.float64), (len(placements),))
        return Linear({block_name(placements): coefficients})

    def everywhere(
        self, value: Callable[[Placements], npt.ArrayLike], site: str | None = None, cluster: str | None = None
    ) -> Linear:
        """Sum of ``value`` over all placements, of one site or cluster where named."""
        return Linear.total(
            [
                self.each(p, value(p))
                for p in self.candidates.placements
                if (site is None or p.site == site) and (cluster is None or p.cluster == cluster)
            ]
        )

    def option_is(self, option: PlantOption) -> Linear:
        """One where the site takes ``option``."""
        block = self.blocks[f"option[{option.site},{option.chain.value}]"]
        return Linear({block.name: _unit(len(block), block.keys.index(option.id))})

    def units_of(self, option: PlantOption, unit: PlantUnit) -> Linear:
        """Units of a part bought for ``option``."""
        block = self.blocks[f"units[{option.site},{option.chain.value}]"]
        one = _unit(len(block), block.keys.index(f"{option.id}.{unit.part}"))
        return Linear({block.name: one * float(units_per_column(unit))})

    def plant(self, value: Callable[[PlantOption, PlantUnit], float]) -> Linear:
        """Sum over all plant units of all sites, each with its coefficient."""
        return Linear.total(
            [
                self.units_of(option, unit) * value(option, unit)
                for chains in self.candidates.options.values()
                for options in chains.values()
                for option in options
                for unit in option.units
            ]
        )

    def express(self, name: str, expression: Linear) -> Linear:
        """Names an expression for other families to read."""
        if name in self.expressions:
            raise RuntimeError(f"expression {name} is added twice")
        self.expressions[name] = expression
        return expression

    def read(self, name: str) -> Linear:
        """An expression an earlier family has added."""
        return self.expressions[name]

    # --- rows ----------------------------------------------------------------------------------------------------

    def at_most(
        self, what: str, index: tuple[str, ...], left: Linear, right: float | Unlimited, unit: str, source: str
    ) -> None:
        """``left <= right``; nothing is added where ``right`` is unlimited."""
        if not isinstance(right, Unlimited):
            self._add(what, index, left, None, float(right), unit, source)

    def at_least(self, what: str, index: tuple[str, ...], left: Linear, right: float, unit: str, source: str) -> None:
        """``left >= right``."""
        self._add(what, index, left, float(right), None, unit, source)

    def equals(self, what: str, index: tuple[str, ...], left: Linear, right: float, unit: str, source: str) -> None:
        """``left = right``."""
        self._add(what, index, left, float(right), float(right), unit, source)

    def _add(
        self,
        what: str,
        index: tuple[str, ...],
        left: Linear,
        lower: float | None,
        upper: float | None,
        unit: str,
        source: str,
    ) -> None:
        shift = left.constant
        row = Row(
            self._family,
            what,
            index,
            Linear(left.terms),
            None if lower is None else lower - shift,
            None if upper is None else upper - shift,
            unit,
            source,
        )
        if any(known.name == row.name for known in self.rows):
            raise RuntimeError(f"row {row.name} is added twice")
        self.rows.append(row)

    def within(self, family: str) -> str:
        """Rows added from here on belong to ``family``; the one they belonged to so far."""
        before, self._family = self._family, family
        return before

    @contextmanager
    def on_behalf_of(self, family: str) -> Iterator[None]:
        """Rows added inside belong to ``family``, whichever one is being formulated."""
        before, self._family = self._family, family
        try:
            yield
        finally:
            self._family = before


def _keys(placements: Placements) -> Sequence[str]:
    """Keys of placements, the same whether or not only some of those enumerated were gone on with."""
    if placements.number is None:
        return Numbered(len(placements))
    return tuple(f"p{number}" for number in placements.number.tolist())


def block_name(placements: Placements) -> str:
    """Name of the decision block of a cluster at a site."""
    return f"use[{placements.cluster},{placements.site}]"


def units_per_column(unit: PlantUnit) -> int:
    """Units one step of a ``units`` column buys: a pair where the redundancy is 2n, a group, a part's share of a ring."""
    return unit.step


def up(values: npt.ArrayLike, quantum: float) -> Floats:
    """Resources in whole quanta, rounded up."""
    counted = np.asarray(np.asarray(values, dtype=np.float64) / quantum)
    counted -= 1e-9
    return np.ceil(counted, out=counted)


def down(values: npt.ArrayLike, quantum: float) -> Floats:
    """Deliveries in whole quanta, rounded down."""
    return np.asarray(np.floor(np.asarray(values, dtype=np.float64) / quantum + 1e-9), dtype=np.float64)


def nearest(values: npt.ArrayLike, quantum: float) -> Floats:
    """Money in whole quanta, rounded to the nearest."""
    return np.asarray(np.rint(np.asarray(values, dtype=np.float64) / quantum), dtype=np.float64)


def _unit(size: int, position: int) -> Floats:
    vector = np.zeros(size)
    vector[position] = 1.0
    return vector
