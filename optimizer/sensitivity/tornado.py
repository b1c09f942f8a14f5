"""Tornado: what each uncertain input alone does to the best cost over its range, and whether it moves the decision.

At either end the best design is found again; beside it stands what today's best design would cost there if it were kept, and
the regret of keeping it. A price above today's of a part the best design does not buy changes nothing, and is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from models.instance import Instance
from optimizer.sensitivity.effort import Effort, without_best
from optimizer.sensitivity.limits_section import amount
from optimizer.sensitivity.ranges import Range, RangeKind
from optimizer.sensitivity.uncertain import Outcome, Uncertain, outcomes
from optimizer.tables import markdown_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class End:
    """One end of a range: the input's value, the best cost [USD] there, that of keeping today's best design, which is best.

    ``best`` None: nothing legal (``proven``) or not found; ``kept`` None: today's best does not meet the demand there.
    """

    value: float
    best: float | None
    kept: float | None
    design_id: str
    systems: str
    moved: bool
    proven: bool

    @property
    def regret(self) -> float | None:
        """What keeping today's best costs beyond the best there [USD]."""
        return None if self.best is None or self.kept is None else max(0.0, self.kept - self.best)


@dataclass(frozen=True)
class Bar:
    """An input of the tornado, with both ends of its range."""

    name: str
    kind: str
    unit: str
    base: float
    low: End
    high: End
    source: str

    @property
    def swing(self) -> float:
        """Largest minus smallest best cost over both ends and today [USD], as far as there is a design."""
        known = [end.best for end in (self.low, self.high) if end.best is not None]
        return max(known) - min(known) if len(known) == 2 else 0.0

    @property
    def decides(self) -> bool:
        """True where another design is best at either end."""
        return self.low.moved or self.high.moved


@dataclass(frozen=True)
class Tornado:
    """Bars by swing, largest first; ``best`` [USD] and ``design_id`` at today's values."""

    best: float
    design_id: str
    systems: str
    bars: tuple[Bar, ...]
    proven: bool
    solves: int
    seconds: float

    def to_frame(self) -> pd.DataFrame:
        """One row per input."""
        import pandas as pd

        rows = []
        for b in self.bars:
            row: dict[str, Any] = {
                "input": b.name,
                "kind": b.kind,
                "unit": b.unit,
                "base": b.base,
                "swing_usd": b.swing,
                "decides": b.decides,
            }
            for word, end in (("low", b.low), ("high", b.high)):
                row.update(
                    {
                        word: end.value,
                        f"tco_usd_{word}": end.best,
                        f"kept_usd_{word}": end.kept,
                        f"systems_{word}": end.systems,
                    }
                )
            rows.append(row)
        return pd.DataFrame(rows)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "best": self.best,
            "design_id": self.design_id,
            "systems": self.systems,
            "inputs": [
                {**asdict(b), "swing": b.swing, "decides": b.decides,
                 "low": {**asdict(b.low), "regret": b.low.regret}, "high": {**asdict(b.high), "regret": b.high.regret}}
                for b in self.bars
            ],
            "proven": self.proven,
            "solves": self.solves,
            "seconds": self.seconds,
        }  # fmt: skip


def tornado(
    instance: Instance,
    *,
    given: Sequence[Range] = (),
    time_limit: float | None = None,
    workers: int = 1,
    backend: str = "auto",
    on_progress: Callable[[str], None] | None = None,
    uncertain: Uncertain | None = None,
    effort: Effort | None = None,
) -> Tornado:
    """What each input alone does to the least total cost over its range; ``given`` ranges go before the instance's own,
    ``effort`` before time, workers and backend. ``uncertain``: the program of these ranges where it is there.
    """
    spent = effort or Effort(time_limit, backend, workers=workers)
    asked = Uncertain(instance, given, spent) if uncertain is None else uncertain.spending(spent)
    base = asked.at({})
    if base.tco is None:
        raise without_best(instance.name, base.proven)
    questions = [{r.name: v} for r in asked.ranges.values() for v in (r.low, r.high) if not _idle(asked, base, r, v)]
    answers: dict[tuple[str, float], Outcome] = {}
    for question, outcome in zip(questions, outcomes(asked, questions), strict=True):
        ((name, value),) = question.items()
        answers[name, value] = outcome
        if on_progress is not None:
            on_progress(f"{len(answers)} of {len(questions)}: {name}")
    bars = [
        Bar(
            r.name,
            r.kind.value,
            r.unit,
            r.base,
            _end(asked, base, r, r.low, answers),
            _end(asked, base, r, r.high, answers),
            r.source,
        )
        for r in asked.ranges.values()
    ]
    bars.sort(key=lambda b: (-b.swing, b.name))
    return Tornado(
        best=round(base.tco, 2),
        design_id=base.design_id,
        systems=base.systems,
        bars=tuple(bars),
        proven=base.proven and all(e.proven for b in bars for e in (b.low, b.high)),
        solves=asked.effort.solves,
        seconds=round(asked.effort.spent, 3),
    )


def _idle(asked: Uncertain, base: Outcome, known: Range, value: float) -> bool:
    """Whether the answer is known without asking: a price no lower than today's of a part that is not bought."""
    if known.kind is not RangeKind.PRICE or base.answer is None:
        return False
    part = known.name.removeprefix("catalogue.").removesuffix(".price")
    return value >= known.base and base.answer.measures[f"units:{part}"] < 0.5


def _end(asked: Uncertain, base: Outcome, known: Range, value: float, answers: dict[tuple[str, float], Outcome]) -> End:
    found = answers.get((known.name, value), base)
    kept = asked.kept(base, {known.name: value})
    best = None if found.tco is None else found.tco
    moved = bool(found.design_id) and found.design_id != base.design_id
    # of designs that cost the same, the one kept is as good
    if moved and best is not None and kept is not None and kept - best <= 1.0:
        moved = False
    systems = found.systems if moved else base.systems
    return End(value, None if best is None else round(best, 2), None if kept is None else round(kept, 2),
               found.design_id if moved else base.design_id, systems, moved, found.proven)  # fmt: skip


HEADINGS = ("input", "from", "today", "to", "best at low", "best at high", "swing", "decision")


def tornado_rows(result: Tornado, most: int = 20) -> list[tuple[str, ...]]:
    """Cells of a table: the inputs with the largest swing, and any that moves the decision."""
    shown = [b for n, b in enumerate(result.bars) if b.swing and (n < most or b.decides)]
    rows: list[tuple[str, ...]] = []
    for b in shown:
        ends = [_cost(e) for e in (b.low, b.high)]
        rows.append(
            (
                f"{b.name} [{b.unit}]",
                *(plain_number(v) for v in (b.low.value, b.base, b.high.value)),
                *ends,
                amount("usd_usd", b.swing),
                _decision(b, result.systems),
            )
        )
    return rows


def _cost(end: End) -> str:
    if end.best is None:
        return "nothing legal" if end.proven else "not known"
    return amount("usd_usd", end.best)


def plain_number(value: float) -> str:
    """Six figures, with neither exponent nor needless decimals."""
    return f"{value:,.0f}" if abs(value) >= 1e5 else f"{value:,.6g}"


def _decision(bar: Bar, today: str) -> str:
    told = []
    for word, end in (("low", bar.low), ("high", bar.high)):
        if end.moved:
            what = end.systems if end.systems != today else f"another design of {today}"
            kept = "" if end.regret is None else f" (keeping costs {amount('usd_usd', end.regret)} more)"
            told.append(f"{word}: {what}{kept}")
    return "; ".join(told) or "stands"


def tornado_sentence(result: Tornado) -> str:
    """The answer in one sentence."""
    best = f"best tco {amount('usd_usd', result.best)} ({result.systems})"
    unknown = sum(1 for b in result.bars if not (b.low.proven and b.high.proven))
    early = f"; {unknown} of {len(result.bars)} inputs were not settled in time" if unknown else ""
    if not result.bars or not result.bars[0].swing:
        return f"{best}{early}." if unknown else f"{best}; no input with a range changes it."
    first = result.bars[0]
    deciding = [b.name for b in result.bars if b.decides]
    count = f"{len(deciding)} of {len(result.bars)} inputs can move the decision alone"
    told = f"{count}: {', '.join(deciding[:6])}" if deciding else "none moves the decision alone"
    return f"{best}; {first.name} swings it most, by {amount('usd_usd', first.swing)}; {told}{early}."


def tornado_markdown(result: Tornado) -> str:
    """A section of a sensitivity report."""
    said = tornado_sentence(result)
    lines = [
        "## Tornado",
        "",
        "Each uncertain input alone at either end of its range, with the best design found again there.",
        "",
        said[0].upper() + said[1:],
        "",
    ]
    lines += markdown_table(HEADINGS, tornado_rows(result), HEADINGS[1:-1])
    return "\n".join(lines) + "\n"
