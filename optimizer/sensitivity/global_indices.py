"""Global sensitivity over all ranges at once: Sobol's variance shares or Morris' elementary effects, on cost and on the decision.

Samples are drawn by a seed; each is a re-solve and is appended to a file as soon as it is known, so that a run that was stopped goes
on where it was, and gives what an uninterrupted one gives. Indices of a stopped run are those of its whole blocks.

Sobol (Saltelli's design, N (D + 2) solves): S1 the share of variance an input explains alone, ST with all its interactions.
Morris (R (D + 1) solves): mu* the mean size of an elementary effect over the range, sigma its spread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models.errors import MissingExtraError, UsageError
from models.instance import Instance
from optimizer.sensitivity.effort import Effort, without_best
from optimizer.sensitivity.ranges import Range
from optimizer.sensitivity.uncertain import Outcome, Uncertain, outcomes

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
METHODS = ("sobol", "morris")
SCHEMA = "refarch.samples/1"


@dataclass(frozen=True)
class Index:
    """Indices of one input for one output. Sobol: ``first`` S1, ``total`` ST; Morris: ``first`` mu*, ``total`` sigma.

    ``*_error``: half-width of the 95 % interval by bootstrap (None where the method gives none).
    """

    output: str
    name: str
    first: float
    first_error: float | None
    total: float
    total_error: float | None


@dataclass(frozen=True)
class GlobalIndices:
    """Indices by output and size. ``outputs``: mean and spread of each; ``decisions``: share of samples each set of systems wins."""

    method: str
    inputs: tuple[Range, ...]
    indices: tuple[Index, ...]
    outputs: Mapping[str, tuple[float, float]]
    decisions: Mapping[str, float]
    samples: int
    wanted: int
    resumed: int
    proven: bool
    seed: int
    solves: int
    seconds: float

    @property
    def complete(self) -> bool:
        """Every sample was solved."""
        return self.samples == self.wanted

    def to_frame(self) -> pd.DataFrame:
        """One row per output and input."""
        import pandas as pd

        names = {"sobol": ("S1", "ST"), "morris": ("mu_star", "sigma")}[self.method]
        table = pd.DataFrame([asdict(i) for i in self.indices])
        pairs = {
            "first": names[0],
            "first_error": f"{names[0]}_conf",
            "total": names[1],
            "total_error": f"{names[1]}_conf",
        }
        return table.rename(columns=pairs)

    def as_dict(self) -> dict[str, Any]:
        """Plain fields, for JSON."""
        return {
            "method": self.method,
            "inputs": [{**asdict(r), "kind": r.kind.value} for r in self.inputs],
            "indices": [asdict(i) for i in self.indices],
            "outputs": {k: {"mean": m, "standard_deviation": s} for k, (m, s) in self.outputs.items()},
            "decisions": dict(self.decisions),
            "samples": self.samples,
            "wanted": self.wanted,
            "resumed": self.resumed,
            "proven": self.proven,
            "seed": self.seed,
            "solves": self.solves,
            "seconds": self.seconds,
        }


def global_indices(
    instance: Instance,
    method: str = "sobol",
    *,
    size: int = 64,
    inputs: Sequence[str] | None = None,
    given: Sequence[Range] = (),
    seed: int = 0,
    samples: str | Path | None = None,
    resume: bool = False,
    time_limit: float | None = None,
    workers: int = 1,
    backend: str = "auto",
    stop: Callable[[], bool] | None = None,
    on_progress: Callable[[str], None] | None = None,
    uncertain: Uncertain | None = None,
    effort: Effort | None = None,
) -> GlobalIndices:
    """Global sensitivity of the least total cost, its power, throughput and capex, and of the decision.

    ``size``: base samples (sobol, a power of two) or trajectories (morris). ``inputs``: only these ranges. ``samples``: file to append
    to; with ``resume`` what it holds is not solved again. ``uncertain``: the program of these ranges
    where it is there. ``effort`` goes before time, workers and backend. Raises UsageError where the file is of another question.
    """
    _require_salib()
    spent = effort or Effort(time_limit, backend, workers=workers)
    asked = Uncertain(instance, given, spent) if uncertain is None else uncertain.spending(spent)
    chosen = _chosen(asked, inputs)
    base = asked.at({})
    if base.tco is None:
        raise without_best(instance.name, base.proven)
    problem: dict[str, Any] = {
        "num_vars": len(chosen),
        "names": [r.name for r in chosen],
        "bounds": [[r.low, r.high] for r in chosen],
    }
    matrix = _matrix(method, problem, size, seed)
    header = {
        "schema": SCHEMA, "method": method, "size": size, "seed": seed, "fingerprint": instance.fingerprint,
        "inputs": [[r.name, r.low, r.high] for r in chosen],
    }  # fmt: skip
    record = _Record(None if samples is None else Path(samples), header, resume)
    resumed = len(record.rows)
    questions = [dict(zip(problem["names"], row.tolist(), strict=True)) for row in matrix[resumed:]]
    for outcome in outcomes(asked, questions):
        if asked.effort.over or (not outcome.proven and outcome.tco is None) or (stop is not None and stop()):
            break
        record.append(_row(outcome, base))
        if on_progress is not None:
            on_progress(f"{len(record.rows)} of {len(matrix)} samples")
    return _analysed(method, problem, chosen, matrix, record.rows, resumed, seed, asked.effort)


def _require_salib() -> None:
    import importlib.util

    if importlib.util.find_spec("SALib") is None:
        raise MissingExtraError("SALib", "study", "a global index")


def _chosen(asked: Uncertain, inputs: Sequence[str] | None) -> list[Range]:
    from models.errors import nearest

    if inputs is None:
        return list(asked.ranges.values())
    for name in inputs:
        if name not in asked.ranges:
            raise UsageError(f"no input {name!r} with a range: {nearest(name, list(asked.ranges))}")
    return [asked.ranges[name] for name in dict.fromkeys(inputs)]


def _matrix(method: str, problem: Mapping[str, Any], size: int, seed: int) -> Floats:
    if method == "sobol":
        from SALib.sample import sobol

        if size < 2 or size & (size - 1):
            raise UsageError(f"sobol takes a power of two of base samples, not {size}")
        return np.asarray(sobol.sample(dict(problem), size, calc_second_order=False, seed=seed), dtype=np.float64)
    if method == "morris":
        from SALib.sample import morris

        return np.asarray(morris.sample(dict(problem), size, num_levels=4, seed=seed), dtype=np.float64)
    raise UsageError(f"no method {method!r}: {' or '.join(METHODS)}")


def _row(outcome: Outcome, base: Outcome) -> dict[str, Any]:
    """What a sample gives: numbers for the outputs, and what won."""
    found: dict[str, Any] = {"tco_usd": outcome.tco, **outcome.others}
    found["decision_moved"] = None if outcome.tco is None else float(outcome.design_id != base.design_id)
    found["systems_moved"] = None if outcome.tco is None else float(outcome.systems != base.systems)
    return {"outputs": found, "design_id": outcome.design_id, "systems": outcome.systems, "proven": outcome.proven}


class _Record:
    """Samples in order, one JSON line each below a header that says which question they answer."""

    def __init__(self, path: Path | None, header: Mapping[str, Any], resume: bool) -> None:
        self._path = path
        self.rows: list[dict[str, Any]] = []
        if path is None:
            if resume:
                raise UsageError("--resume needs --samples, the file to continue")
            return
        if path.exists() and path.stat().st_size:
            if not resume:
                raise UsageError(f"{path} exists: choose another --samples, or continue it with --resume")
            self.rows = _read(path, header)
            text = "".join(json.dumps(row) + "\n" for row in [dict(header), *self.rows])
            path.write_text(text, encoding="utf-8")
        else:
            path.write_text(json.dumps(dict(header)) + "\n", encoding="utf-8")

    def append(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(row) + "\n")


def _read(path: Path, header: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The samples of a file of the same question; a last line that was cut short is left out."""
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        told = json.loads(lines[0])
    except ValueError:
        raise UsageError(f"{path} is no file of samples") from None
    for key, value in header.items():
        if not isinstance(told, dict) or told.get(key) != value:
            raise UsageError(f"{path} holds samples of another question: {key} is not the same")
    rows = []
    for number, line in enumerate(lines[1:], 2):
        try:
            rows.append(json.loads(line))
        except ValueError:
            if number < len(lines):
                raise UsageError(f"{path}:{number} is damaged") from None
    return rows


def _analysed(
    method: str, problem: Mapping[str, Any], chosen: Sequence[Range], matrix: Floats, rows: Sequence[Mapping[str, Any]],
    resumed: int, seed: int, effort: Effort,
) -> GlobalIndices:  # fmt: skip
    block = len(chosen) + (2 if method == "sobol" else 1)
    # from one block alone nothing has a spread
    whole = len(rows) // block * block if len(rows) >= 2 * block else 0
    names = list(rows[0]["outputs"]) if rows else []
    indices: list[Index] = []
    outputs: dict[str, tuple[float, float]] = {}
    for output in names:
        values = np.array([np.nan if r["outputs"][output] is None else r["outputs"][output] for r in rows[:whole]])
        known = values[np.isfinite(values)]
        if not known.size:
            continue
        outputs[output] = (float(known.mean()), float(known.std()))
        # where nothing is legal the mean stands in, so that the design of the samples stays whole
        filled = np.where(np.isfinite(values), values, known.mean())
        indices.extend(_indices(method, problem, output, matrix[:whole], filled, seed))
    indices.sort(key=lambda i: (names.index(i.output), -(i.total if method == "sobol" else i.first), i.name))
    winners: dict[str, int] = {}
    for row in rows:
        winners[row["systems"] or "nothing legal"] = winners.get(row["systems"] or "nothing legal", 0) + 1
    return GlobalIndices(
        method=method,
        inputs=tuple(chosen),
        indices=tuple(indices),
        outputs=outputs,
        decisions={k: n / len(rows) for k, n in sorted(winners.items(), key=lambda w: (-w[1], w[0]))},
        samples=len(rows),
        wanted=len(matrix),
        resumed=resumed,
        proven=len(rows) == len(matrix) and all(row["proven"] for row in rows),
        seed=seed,
        solves=effort.solves,
        seconds=round(effort.spent, 3),
    )


def _indices(
    method: str, problem: Mapping[str, Any], output: str, matrix: Floats, values: Floats, seed: int
) -> list[Index]:
    names = problem["names"]
    if not len(values) or np.ptp(values) == 0:
        return [Index(output, name, 0.0, None, 0.0, None) for name in names]
    if method == "sobol":
        from SALib.analyze import sobol

        # SALib takes a seed of zero for none, and its intervals would differ from run to run
        found = sobol.analyze(dict(problem), values, calc_second_order=False, seed=seed + 1, print_to_console=False)
        keys = ("S1", "S1_conf", "ST", "ST_conf")
        return [Index(output, n, *(_number(found[k][i]) for k in keys)) for i, n in enumerate(names)]
    from SALib.analyze import morris

    found = morris.analyze(dict(problem), matrix, values, num_levels=4, seed=seed, print_to_console=False)
    return [
        Index(
            output, n, _number(found["mu_star"][i]), _number(found["mu_star_conf"][i]), _number(found["sigma"][i]), None
        )
        for i, n in enumerate(names)
    ]


def _number(value: Any) -> float:
    """A finite number; an index of something without any variance is zero."""
    return float(value) if np.isfinite(value) else 0.0
