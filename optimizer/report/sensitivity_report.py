"""The sensitivity report: what would change the answer, by every method, as one document a person hands to a colleague.

It begins with the decision, what would change it and what to ask of whom; every section after that holds one method's table.
Nothing in it is a dual or a rule of thumb: every figure is a re-solve, and what was not proven is marked.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.errors import OptimizerError
from models.instance import Instance
from optimizer.design import Design
from optimizer.report.chapter import Asked, Chapter, Told, chapters
from optimizer.report.rewriting import portable, relative_paths
from optimizer.report.summary import leading
from optimizer.sensitivity.effort import Effort
from optimizer.tables import markdown_table

SOURCE_HEADINGS = ("part", "vendor", "confidence", "source", "row")


def section_names() -> tuple[str, ...]:
    """Names of every section, in order."""
    return tuple(chapter.name for chapter in chapters())


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
    """The whole report; ``markdown`` and ``as_dict`` are what is written. ``summary`` is its first part, ``closing`` its last."""

    instance: str
    fingerprint: str
    answer: Design
    sections: tuple[Section, ...]
    turns: tuple[Mapping[str, Any], ...]
    requests: tuple[Mapping[str, Any], ...]
    summary: str = field(repr=False)
    closing: str = field(repr=False)

    @property
    def proven(self) -> bool:
        """Every section ran to its end."""
        return all(s.proven for s in self.sections)

    @property
    def markdown(self) -> str:
        """The report as one Markdown document."""
        parts = [self.summary, *(s.markdown for s in self.sections), self.closing]
        return relative_paths("\n".join(part.rstrip() + "\n" for part in parts))

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "instance": self.instance,
            "fingerprint": self.fingerprint,
            "best": {"design_id": self.answer.design_id, "choices": dict(self.answer.choices), "figures": dict(self.answer.figures)},
            "changes": portable([dict(turn) for turn in self.turns]),
            "requests": portable([dict(request) for request in self.requests]),
            "sections": {
                s.name: {"sentence": s.sentence, "data": portable(s.data), "proven": s.proven, "seconds": round(s.seconds, 1)}
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
    effort: Effort | None = None,
) -> SensitivityReport:
    """The report of an instance's least total cost.

    ``only``: names of ``section_names()`` (None: all whose packages are installed); ``time_limit`` [s] is shared among what is left;
    ``gap``: relative width of prices to win. ``effort`` goes before time and workers. Raises InfeasibleError where there is no design to report on.
    """
    say = on_progress or (lambda _line: None)
    asked = Asked(instance, gap=gap, effort=effort or Effort(time_limit, workers=workers), say=say)
    written = [c for c in chapters() if (c.possible if only is None else c.name in only)]
    best = asked.best
    told: dict[str, Told] = {}
    sections = []
    for number, chapter in enumerate(written):
        say(chapter.name)
        asked.to_come = len(written) - number
        begun = time.perf_counter()
        one = told[chapter.name] = _told(chapter, asked)
        seconds = time.perf_counter() - begun
        markdown = relative_paths(f"{_under(chapter.title, one.markdown.rstrip())}\n\n{_proof(one)}\n")
        sections.append(Section(chapter.name, relative_paths(one.sentence), markdown, one.data, one.proven, seconds))
    return SensitivityReport(
        instance=instance.name,
        fingerprint=instance.fingerprint,
        answer=best,
        sections=tuple(sections),
        turns=tuple(_plain(turn) for one in told.values() for turn in one.turns),
        requests=tuple(_plain(request) for one in told.values() for request in one.requests),
        summary=leading(asked, told, written),
        closing=_closing(asked, told),
    )


def _told(chapter: Chapter, asked: Asked) -> Told:
    try:
        return chapter.write(asked)
    except OptimizerError as error:
        said = f"not computed: {error}"
        return Told(said, f"## {chapter.title}\n\nNot computed: {error}\n", None, False)


def _plain(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__dataclass_fields__}


def _under(title: str, markdown: str) -> str:
    """A method's Markdown below the title of its chapter, headings of its own one level down."""
    head = f"## {title}"
    if markdown.startswith(f"{head}\n"):
        first, rest = markdown[: len(head)], markdown[len(head) :]
        return first + re.sub(r"^## ", "### ", rest, flags=re.MULTILINE)
    return f"{head}\n\n" + re.sub(r"^## ", "### ", markdown, flags=re.MULTILINE)


def _proof(told: Told) -> str:
    if told.proof:
        return f"*Proof: {told.proof}.*"
    if told.proven:
        return "*Proof: every figure of this section is proven.*"
    return "*Proof: stopped early; only what is not marked otherwise is proven.*"


def _closing(asked: Asked, told: Mapping[str, Told]) -> str:
    parts = dict.fromkeys([*(line.part for line in asked.best.bom), *(p for one in told.values() for p in one.parts)])
    lines = ["## Where the figures come from", ""]
    lines += markdown_table(SOURCE_HEADINGS, [_source(asked, part) for part in parts if part in asked.parts])
    instance = asked.instance
    open_ones = [name for name, one in told.items() if not one.proven]
    proof = (
        "Every figure is proven." if not open_ones else f"Stopped before everything was proven: {', '.join(open_ones)}."
    )
    lines += [
        "",
        "## How to read this",
        "",
        (
            "Every figure comes from solving again with something changed, never from duals. Money is total cost of ownership over the horizon "
            "of the instance, in dollars of 10^6 (MUSD) unless it says otherwise, counted in whole kUSD where limits and choices move and in cents "
            "where prices do, so that totals of two sections may differ by some kUSD; prices are estimates wherever the catalogue's are, at the basis "
            f"the instance states ({instance.money.price_basis.value}). {proof} Instance fingerprint `{instance.fingerprint[:16]}`; the same "
            f"document as data is in the JSON file beside this one. Made by `optimizer report sensitivity {instance.name}`."
        ),
    ]
    return "\n".join(lines) + "\n"


def _source(asked: Asked, name: str) -> tuple[str, ...]:
    part = asked.parts[name]
    row = asked.instance.catalogue.origins.get((part.file, part.id, "id"), part.file)
    return (name, part.vendor, part.confidence.value, part.source, row)
