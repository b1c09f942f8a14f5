"""Run folders: never overwritten, written file by file as a whole, resumable, and honest about being unfinished.

A run's manifest says ``running`` until everything else is on disk; a reader treats any other state than a finished one as
partial. Files appear under their name only when complete (written beside and renamed).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from models.errors import UsageError, why_unreadable
from models.instance import Instance
from models.loading import load_resolved
from models.physics.performance.constants import FILE_NAME
from optimizer.design import Design
from optimizer.frontier import Frontier, ObjectiveColumn, Proof
from optimizer.pareto.result import FrontierStatus
from optimizer.whole_file import write_bytes, write_json, write_text

SCHEMA = "optimizer.run/1"
RUNNING = "running"

# inputs of a run, which are written before its manifest
_BEFORE_MANIFEST = re.compile(
    r"manifest\.json|inputs/((instance|origins|catalogue_origins)\.json|catalogue/[\w-]+\.(csv|json))"
)


def default_folder(instance: Instance, root: Path | None = None, now: dt.datetime | None = None) -> Path:
    """``results/<instance>-<time>-<hash>`` under ``root`` (the working folder)."""
    name = re.sub(r"[^\w.-]+", "-", instance.name).strip(".-")[:80] or "run"
    moment = (now or dt.datetime.now(dt.UTC)).strftime("%Y%m%dT%H%M%SZ")
    return (root or Path.cwd()) / "results" / f"{name}-{moment}-{instance.fingerprint[:8]}"


class RunFolder:
    """A folder that one run writes, held by a lock while it does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = FileLock(str(path) + ".lock", timeout=0)

    @property
    def ledger(self) -> Path:
        """The engine's ledger."""
        return self.path / "ledger.jsonl"

    def open(self, instance: Instance, manifest: Mapping[str, Any], resume: bool) -> None:
        """Creates the folder with manifest and inputs, or reopens it with ``resume``.

        What a run leaves that ended before its manifest is written anew, with ``resume`` or without.
        Raises UsageError where the folder is not empty and ``resume`` is not set, where there is nothing to resume, where
        the inputs or options have changed, and where another process is writing it.
        """
        self.require_free(resume)
        self.path.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout:
            raise UsageError(f"another process is writing {self.path}") from None
        try:
            self.require_free(resume)  # another process may have filled it in between
            if resume and not _only_begun(self.path):
                _require_same(read_manifest(self.path), manifest)
            else:
                shutil.rmtree(self.path / "inputs", ignore_errors=True)
                write_inputs(self.path / "inputs", instance)
            write_json(self.path / "manifest.json", {**manifest, "status": RUNNING})
        except BaseException:
            self.close()
            raise

    def require_free(self, resume: bool) -> None:
        """UsageError where the folder holds something and is not to be resumed, or holds nothing to resume."""
        occupied = self.path.is_dir() and any(self.path.iterdir())
        if self.path.exists() and not self.path.is_dir():
            raise UsageError(f"{self.path} is a file, not a run folder")
        if occupied and not resume and not _only_begun(self.path):
            raise UsageError(
                f"{self.path} exists and is not empty: choose another --out, or continue that run with --resume"
            )
        if resume and not occupied:
            raise UsageError(f"nothing to resume in {self.path}")

    def close(self) -> None:
        """Lets go of the lock."""
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)

    def log(self, line: str) -> None:
        """Appends a line to ``log.txt``."""
        stamp = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with (self.path / "log.txt").open("a", encoding="utf-8") as stream:
            stream.write(f"{stamp} {line}\n")

    def finish(self, frontier: Frontier, manifest: Mapping[str, Any]) -> None:
        """Writes the results, the manifest last."""
        rows = frontier.rows()
        write_text(self.path / "frontier.csv", table_text(rows))
        if rows and _has_pyarrow():
            _write_parquet(self.path / "frontier.parquet", frontier)
        write_text(self.path / "designs.jsonl", "".join(f"{design.to_json()}\n" for design in frontier.points))
        lines = [{"design_id": d.design_id, **asdict(line)} for d in frontier.points for line in d.bom]
        write_text(self.path / "bom.csv", table_text(lines))
        spent = [line.row(d.design_id) for d in frontier.points for line in d.spend]
        write_text(self.path / "spend.csv", table_text(spent))
        write_json(
            self.path / "manifest.json",
            {**manifest, "status": frontier.status.value, "frontier": _frontier_record(frontier)},
        )


def _only_begun(path: Path) -> bool:
    """Whether a folder holds nothing but what a run writes before its manifest: such a run has no result to lose.

    The instance is the first of these; a catalogue without it is somebody's own.
    """
    names = {file.relative_to(path).as_posix() for file in path.rglob("*") if not file.is_dir()}
    written = {re.sub(r"(^|/)\.([^/]+)\.part$", r"\1\2", name) for name in names}
    first = "inputs/instance.json"
    return names <= {first, f"inputs/.{Path(first).name}.part"} or (
        first in names and all(_BEFORE_MANIFEST.fullmatch(name) for name in written) and "manifest.json" not in names
    )


def _require_same(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    if old.get("fingerprint") != new.get("fingerprint"):
        raise UsageError("the instance or its catalogue has changed since this run was started: start a new run")
    for name in ("objectives", "resolution", "backend", "price_basis"):
        before, after = old["options"].get(name, {}).get("value"), new["options"].get(name, {}).get("value")
        if before != after:
            raise UsageError(
                f"option {name} was {before!r} when this run was started and is {after!r} now: start a new run"
            )


def _frontier_record(frontier: Frontier) -> dict[str, Any]:
    return {
        "objectives": [asdict(o) for o in frontier.objectives],
        "proof": {**asdict(frontier.proof), "status": frontier.proof.status.value},
        "solves": frontier.solves,
        "seconds": round(frontier.seconds, 3),
        "price_basis": frontier.price_basis,
        "estimated_prices": frontier.estimated_prices,
    }


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a run folder; UsageError where there is none or it cannot be read."""
    file = path / "manifest.json"
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} is no run folder: {file.name} cannot be read ({error.strerror})") from None
    except ValueError:
        raise UsageError(f"{file} is damaged: not JSON") from None
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise UsageError(f"{file} is no manifest of this program")
    return manifest


def read_frontier(path: Path) -> Frontier:
    """The frontier of a finished or stopped run."""
    manifest = read_manifest(path)
    record = manifest.get("frontier")
    if record is None:
        raise UsageError(f"{path} holds no frontier: the run did not finish writing (continue it with --resume)")
    try:
        designs = tuple(
            Design.from_json(line) for line in (path / "designs.jsonl").read_text(encoding="utf-8").splitlines() if line
        )
    except OSError as error:
        raise UsageError(f"{path / 'designs.jsonl'} cannot be read: {why_unreadable(error)}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise UsageError(f"{path / 'designs.jsonl'} is damaged: {error}") from None
    try:
        return _frontier_of(manifest, record, designs, str(path))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        said = f"{type(error).__name__}: {error}"
        raise UsageError(f"{path / 'manifest.json'} was edited, or written by another version ({said})") from None


def _frontier_of(
    manifest: Mapping[str, Any], record: Mapping[str, Any], designs: tuple[Design, ...], run: str
) -> Frontier:
    proof = dict(record["proof"])
    proof["status"] = FrontierStatus(proof["status"])
    return Frontier(
        instance=manifest["instance"],
        fingerprint=manifest["fingerprint"],
        objectives=tuple(ObjectiveColumn(**o) for o in record["objectives"]),
        points=designs,
        proof=Proof(**proof),
        solves=record["solves"],
        seconds=record["seconds"],
        run=run,
        price_basis=record["price_basis"],
        estimated_prices=record["estimated_prices"],
    )


def read_inputs(path: Path) -> Instance:
    """The instance a run was computed from."""
    folder = path / "inputs"
    try:
        raw = json.loads((folder / "instance.json").read_text(encoding="utf-8"))
        origins = json.loads((folder / "origins.json").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the inputs of {path} cannot be read: {why_unreadable(error)}") from None
    except ValueError:
        raise UsageError(f"the inputs of {path} are damaged: not JSON") from None
    return load_resolved(raw, [folder / "catalogue"], origins)


def write_inputs(folder: Path, instance: Instance) -> None:
    """The resolved instance, its lines, every catalogue row with the file and line of its cells, and the models' constants."""
    (folder / "catalogue").mkdir(parents=True, exist_ok=True)
    # in the author's order: it decides the order of columns, and so the ledger's program
    write_json(folder / "instance.json", instance.raw, in_order=True)
    write_json(folder / "origins.json", dict(instance.origins))
    for name, table in instance.catalogue.rows.items():
        columns = list(dict.fromkeys(key for row in table.values() for key in row))
        write_text(
            folder / "catalogue" / name, _csv(columns, [[row.get(c, "") for c in columns] for row in table.values()])
        )
    write_json(folder / "catalogue" / FILE_NAME, dict(instance.catalogue.constants), in_order=True)
    cells = {f"{file}|{part}|{column}": where for (file, part, column), where in instance.catalogue.origins.items()}
    write_json(folder / "catalogue_origins.json", cells)


def table_text(rows: list[dict[str, Any]]) -> str:
    """Rows as CSV with every text cell safe for spreadsheets."""
    from optimizer.tables import safe_cell

    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [["" if row.get(c) is None else safe_cell(row[c]) for c in columns] for row in rows]
    return _csv([safe_cell(c) for c in columns], cells)


def _csv(columns: list[str], rows: list[list[Any]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue()


def _has_pyarrow() -> bool:
    import importlib.util

    return importlib.util.find_spec("pyarrow") is not None


def _write_parquet(path: Path, frontier: Frontier) -> None:
    stream = io.BytesIO()
    frontier.designs.to_parquet(stream, index=False)
    write_bytes(path, stream.getvalue())
