"""The ledger file: one JSON line per question answered and per zone settled, appended as it happens.

A run is resumed by asking the same questions again: those the ledger answers with a proof are not solved a second time, and since an
answer depends on its question alone the outcome equals that of an uninterrupted run. A truncated last line is ignored.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from models.errors import UsageError, why_unreadable
from optimizer.compiled_model import Floats
from optimizer.pareto.between import corners_between
from optimizer.pareto.query import LOOSE, SPENT, Outcome, Point, Query
from optimizer.pareto.reply import Counts, Reply
from optimizer.pareto.result import Closure
from optimizer.pareto.space import Settled

FORMAT = 3


class Ledger:
    """Append-only record of a run in ``path`` (None: kept nowhere). ``header`` identifies the run; resuming with another one is refused."""

    def __init__(
        self, path: str | Path | None, header: Mapping[str, Any], n_columns: int, *, resume: bool = False
    ) -> None:
        self._path = None if path is None else Path(path)
        self._n = n_columns
        self._old: dict[str, dict[str, Any]] = {}
        self._stream: IO[str] | None = None
        self._staged = False
        if self._path is None:
            return
        head = {"kind": "run", "format": FORMAT, **header}
        if resume and self._path.exists() and self._path.stat().st_size:
            self._old = _answers(self._path, head)
            self._staged = True
            self._stream = self._staging().open("w", encoding="utf-8")
        else:
            self._stream = self._path.open("w", encoding="utf-8")
        self._write(head)

    def recall(self, query: Query) -> Reply | None:
        """The proven answer of an earlier run to ``query``, or None."""
        found = self._old.pop(_key(query), None)
        return None if found is None else _reply(found, self._n)

    def record(self, number: int, query: Query, reply: Reply) -> None:
        """Append the answer to a question; ``number`` is the count of solves so far."""
        if self._stream is not None:
            self._write(_line(number, query, reply))

    def give(self, point: Point, x: Floats) -> None:
        """Append a point (scaled) with its columns that is known without a question."""
        if self._stream is not None:
            known = Reply(Outcome.OPTIMAL, point, x, -math.inf, True, Counts())
            self._write(_line(0, None, known))

    def list_point(self, point: Point) -> None:
        """Append a listed point (scaled)."""
        self._write({"kind": "point", "point": _numbers(point)})

    def plan(self, delta: Floats, unit: Floats) -> None:
        """Append the delta (k, scaled) of the zones that follow and the unit (k) all scaled values are counted in."""
        self._write({"kind": "delta", "delta": _numbers(tuple(delta.tolist())), "unit": unit.tolist()})

    def settle(self, record: Settled) -> None:
        """Append a settled zone."""
        if self._stream is None:
            return
        line: dict[str, Any] = {"kind": "zone", "upper": _numbers(record.upper), "closed": record.closed.value}
        line["solve"] = record.solve
        if record.direction is not None:
            line["direction"], line["bound"] = record.direction, _number(record.bound)
        self._write(line)

    def settle_between(self, points: Sequence[Point], k: int) -> None:
        """Append every zone that ``points`` (scaled, ``k`` values each), all there are, leave: closed by the list of them."""
        if self._stream is not None:
            for corner in corners_between(points, k).tolist():
                self.settle(Settled(tuple(corner), Closure.LISTED, None))

    def live(self) -> None:
        """The answers of the earlier run are used up, or not asked for: put the rewritten ledger in its place and go on appending."""
        if not self._staged or self._stream is None or self._path is None:
            return
        for line in self._old.values():
            self._write(line)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        os.replace(self._staging(), self._path)
        self._staged = False

    def close(self) -> None:
        """Finish the file."""
        self.live()
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _staging(self) -> Path:
        assert self._path is not None
        return self._path.with_name(self._path.name + ".part")

    def _write(self, line: Mapping[str, Any]) -> None:
        if self._stream is None:
            return
        self._stream.write(json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n")
        if not self._staged:
            self._stream.flush()


def read_lines(path: str | Path) -> list[dict[str, Any]]:
    """Every complete line of a ledger. UsageError when a line other than the last is damaged or the file cannot be read."""
    try:
        lines = Path(path).read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the ledger {path} cannot be read: {why_unreadable(error)}") from None
    found = []
    for number, text in enumerate(lines, start=1):
        if not text:
            continue
        try:
            line = json.loads(text)
        except json.JSONDecodeError as error:
            if number >= len(lines) - 1:
                break
            raise UsageError(f"{path}:{number}: the ledger is damaged") from error
        if not isinstance(line, dict):
            raise UsageError(f"{path}:{number}: the ledger is damaged")
        found.append(line)
    return found


def recorded_algorithm(path: str | Path | None) -> str:
    """The algorithm of the run recorded in ``path``, ``auto`` where there is none. UsageError as ``read_lines``."""
    if path is None or not Path(path).exists():
        return "auto"
    return str(next(iter(read_lines(path)), {}).get("algorithm", "auto"))


def _answers(path: Path, head: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    lines = read_lines(path)
    if not lines:
        return {}
    wanted = json.loads(json.dumps(head))
    different = sorted(key for key in wanted.keys() | lines[0].keys() if wanted.get(key) != lines[0].get(key))
    if different:
        raise UsageError(f"{path} is the ledger of another run: it differs in {', '.join(different)}")
    return {json.dumps(line["query"]): line for line in lines[1:] if line.get("kind") == "answer" and _holds(line)}


def _holds(line: Mapping[str, Any]) -> bool:
    """Whether more time would lead to the same answer."""
    ended = line["outcome"] in (Outcome.OPTIMAL.value, Outcome.INFEASIBLE.value)
    if line["outcome"] == Outcome.LIMIT.value and line.get("message") == SPENT:
        return True
    return line["query"] is not None and ended and (line["proven"] or line.get("message") == LOOSE)


def _number(value: float | None) -> float | int | None:
    if value is None or not math.isfinite(value):
        return None
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def _numbers(point: Point | None) -> list[float | int | None] | None:
    return None if point is None else [_number(v) for v in point]


def _query(query: Query) -> dict[str, Any]:
    return {
        "boxes": [_numbers(b) for b in query.boxes],
        "direction": query.direction,
        "known": _numbers(query.known),
        "weights": _numbers(query.weights),
    }


def _key(query: Query) -> str:
    return json.dumps(_query(query))


def _line(number: int, query: Query | None, reply: Reply) -> dict[str, Any]:
    """The line of an answer; ``query`` None: a point that was known before the first question."""
    asked = None if query is None else _query(query)
    line: dict[str, Any] = {"kind": "answer", "solve": number, "query": asked, "outcome": reply.outcome.value}
    line["point"] = _numbers(reply.point)
    line["bound"] = _number(reply.bound)
    line["proven"] = reply.proven
    line["effort"] = list(dataclasses.astuple(reply.counts))
    if reply.x is not None:
        used = np.flatnonzero(reply.x)
        line["x"] = [used.tolist(), [_number(v) for v in reply.x[used].tolist()]]
    if reply.message:
        line["message"] = reply.message
    return line


def _reply(line: Mapping[str, Any], n_columns: int) -> Reply:
    x: Floats | None = None
    if "x" in line:
        x = np.zeros(n_columns)
        x[line["x"][0]] = line["x"][1]
    outcome = Outcome(line["outcome"])
    missing = math.inf if outcome is Outcome.INFEASIBLE else -math.inf
    return Reply(
        outcome,
        None if line["point"] is None else tuple(float(v) for v in line["point"]),
        x,
        missing if line["bound"] is None else float(line["bound"]),
        bool(line["proven"]),
        Counts(*line["effort"]),
        line.get("message", ""),
    )
