"""Verification: every design of a run recomputed from the run's inputs and the physics functions alone.

Neither the program nor a solver nor the tables of candidates take part: a design is built up again from its decisions, part by
part, and every figure, count, line of the bill of materials, limit and objective is compared with what the run reports. The
files of the run are then held against each other.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from models.errors import InstanceError, UsageError, VerificationError
from models.instance import Instance
from optimizer.design import Design
from optimizer.store import read_frontier, read_inputs, read_manifest
from optimizer.verification.designs import check_design
from optimizer.verification.files import check_list, check_manifest, check_tables
from optimizer.verification.findings import Checks, Finding
from optimizer.verification.ledger import check_ledger
from optimizer.verification.plant import Plant

MOST_SHOWN = 20


class RunMismatchError(VerificationError):
    """A run does not agree with its inputs. ``problems`` are the findings."""

    def __init__(self, run: str, problems: tuple[Finding, ...]) -> None:
        self.problems = problems
        count = len(problems)
        lines = "".join(f"\n  {problem}" for problem in problems[:MOST_SHOWN])
        more = f"\n  and {count - MOST_SHOWN} more" if count > MOST_SHOWN else ""
        super().__init__(f"{count} {'figure' if count == 1 else 'figures'} of {run} cannot be confirmed:{lines}{more}")


@dataclass(frozen=True)
class VerificationReport:
    """What was recomputed: ``designs`` of them, ``compared`` figures and rules, and the ``findings`` that disagree."""

    run: str
    instance: str
    designs: int
    compared: int
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def confirmed(self) -> bool:
        """True when nothing disagrees."""
        return not self.findings

    def require(self) -> None:
        """RunMismatchError (exit code 7) naming every disagreement, unless all is confirmed."""
        if self.findings:
            raise RunMismatchError(self.run, self.findings)


def verify_design(instance: Instance, design: Design) -> list[Finding]:
    """Everything in ``design`` that the instance and the physics do not confirm."""
    return check_design(instance, design, Plant(instance)).findings


def verify_run(path: str | Path) -> VerificationReport:
    """Recomputes every design of a run folder and holds its files against each other.

    Raises UsageError where ``path`` is no run folder or the run holds no frontier yet; damaged contents are findings.
    """
    start = time.perf_counter()
    folder = Path(path)
    manifest = read_manifest(folder)
    if manifest.get("frontier") is None:
        raise UsageError(f"{folder} holds no frontier: the run did not finish writing (continue it with --resume)")
    checks: list[Checks] = []
    designs = 0
    try:
        instance, frontier = read_inputs(folder), read_frontier(folder)
        designs = len(frontier)
        checks.append(check_manifest(instance, manifest, frontier))
        plant = Plant(instance)
        checks.extend(check_design(instance, design, plant) for design in frontier.points)
        checks.append(check_list(frontier))
        checks.extend(check_tables(folder, frontier))
        checks.append(check_ledger(folder / "ledger.jsonl", frontier, manifest))
    except (UsageError, InstanceError, LookupError, TypeError, ValueError, AttributeError) as error:
        damaged = Checks(folder.name)
        damaged.rule("run", False, str(error), "files that can be read")
        checks.append(damaged)
    return VerificationReport(
        run=str(path),
        instance=str(manifest.get("instance")),
        designs=designs,
        compared=sum(one.compared for one in checks),
        findings=tuple(finding for one in checks for finding in one.findings),
        seconds=time.perf_counter() - start,
    )
