"""Chapters of the sensitivity report: one file each in ``chapters``, found by looking; what they share, and what they hand on.

A chapter runs one method and gives its section. Beside that it names what would change the answer and what could be asked of
whom, so that the summary on top of the report is made of proven figures only.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from typing import Any

from models.candidates.placement import Candidates
from models.errors import InfeasibleError
from models.instance import Instance
from models.parts.part import Part
from optimizer.design import Design
from optimizer.report import chapters as folder
from optimizer.sensitivity.alternatives import Alternatives, alternatives
from optimizer.sensitivity.effort import Effort
from optimizer.sensitivity.limit_rows import Steered, movable_candidates
from optimizer.sensitivity.tornado import Tornado, tornado
from optimizer.sensitivity.uncertain import Uncertain


@dataclass(frozen=True, slots=True)
class Turn:
    """Something that would change the answer: ``what`` from ``now`` to ``then``, with what follows; ``share`` is the relative move."""

    what: str
    now: str
    then: str
    follows: str
    share: float | None
    proven: bool = True


class Topic(StrEnum):
    """What sort of thing is asked for."""

    PRICE = "A lower price, for an order"
    SPEC = "A better part"
    LIMIT = "A limit that gives way"
    CONFIRM = "A figure to confirm"


@dataclass(frozen=True, slots=True)
class Request:
    """Something to ask: of whom, what, from ``now`` to ``wanted``, what it is ``worth`` in words, and [USD] for the order of the list."""

    topic: Topic
    whom: str
    what: str
    now: str
    wanted: str
    worth: str
    usd: float


@dataclass(frozen=True)
class Told:
    """What a chapter says. ``parts``: catalogue parts it speaks of; ``proven`` is False where time ended it early.

    ``proof``: what its figures rest on, where that is not a solver's proof.
    """

    sentence: str
    markdown: str
    data: Any
    proven: bool
    turns: tuple[Turn, ...] = ()
    requests: tuple[Request, ...] = ()
    parts: tuple[str, ...] = ()
    proof: str = ""


class Asked:
    """One report's instance, what its chapters share, and the time they may take."""

    def __init__(
        self,
        instance: Instance,
        *,
        gap: float = 0.005,
        effort: Effort | None = None,
        say: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self.instance, self.gap, self.say = instance, gap, say
        self._effort = effort or Effort()
        self.to_come = 1
        """Chapters that are still to be written, this one included: each may take an equal share of the time left."""

    def seconds(self, among: float = 1) -> float | None:
        """This chapter's share of the time left [s], divided ``among`` so many questions; None without a limit."""
        left = self._effort.left
        return None if left is None else max(1.0, left / max(self.to_come, 1) / max(among, 1))

    def effort(self, among: float = 1) -> Effort:
        """What one of ``among`` so many questions of this chapter may spend; answers of other chapters are known."""
        return self._effort.part(self.seconds(among))

    @cached_property
    def candidates(self) -> Candidates:
        """Every candidate of the instance, those a limit of a site would leave out among them."""
        return movable_candidates(self.instance)

    @cached_property
    def best(self) -> Design:
        """The design of least total cost; InfeasibleError where there is none."""
        found = Steered.of(self.instance, "tco", self.candidates).least(self._effort.part(None), {})
        if not found.found:
            raise InfeasibleError(
                f"{self.instance.name}: no design meets every limit; optimizer explain infeasible says which clash"
            )
        return found.design

    @cached_property
    def near(self) -> Alternatives:
        """Near-optimal designs and the standing of every choice."""
        # they make candidates of their own, and two sets at a time are too many
        self.__dict__.pop("candidates", None)
        return alternatives(self.instance, effort=self.effort())

    @cached_property
    def swings(self) -> Tornado:
        """What each uncertain input alone does."""
        return tornado(self.instance, uncertain=self.uncertain, effort=self.effort())

    @cached_property
    def uncertain(self) -> Uncertain:
        """The program of all uncertain inputs."""
        return Uncertain(self.instance, candidates=self.candidates)

    @cached_property
    def parts(self) -> dict[str, Part]:
        """Every catalogue part by id."""
        return {part.id: part for part in self.instance.catalogue}

    def vendor(self, part: str) -> str:
        """Whom to ask about a part: the vendors of all ids in ``part``, joined by commas as a bundle is."""
        known = [self.parts[one].vendor for one in part.split(",") if one in self.parts]
        return ", ".join(dict.fromkeys(vendor for vendor in known if vendor)) or "its vendor"

    def nearest(self, dimension: str, most: int) -> list[str]:
        """Values of a dimension, those first that the best design has, then by what insisting on them costs."""
        mine = [c for c in self.near.choices if c.dimension == dimension and c.having is not None]
        ranked = sorted(mine, key=lambda c: (not c.chosen, c.having or 0.0, c.value))
        return list(dict.fromkeys(c.value for c in ranked))[:most]


@dataclass(frozen=True)
class Chapter:
    """A section of the report: where it stands, the method behind it, and packages it ``needs``."""

    name: str
    place: int
    title: str
    write: Callable[[Asked], Told]
    needs: tuple[str, ...] = ()

    @property
    def possible(self) -> bool:
        """Whether every package it needs is installed."""
        return all(importlib.util.find_spec(package) is not None for package in self.needs)


@cache
def chapters() -> tuple[Chapter, ...]:
    """Every chapter, in the order in which they stand."""
    names = [module.name for module in pkgutil.iter_modules(folder.__path__)]
    found: Sequence[Chapter] = [importlib.import_module(f"{folder.__name__}.{name}").CHAPTER for name in names]
    return tuple(sorted(found, key=lambda c: c.place))
