"""The certificate of a run: its ledger checked against the program built again from the run's inputs.

Recomputation of designs (``verify``) shows that what is listed is true; the certificate shows that nothing is missing.
"""

from __future__ import annotations

from pathlib import Path

from models.formulation.build import build
from models.instance import Instance
from models.workload import BarredPod
from optimizer.compile import compile_formulation
from optimizer.pareto.certificate import Certificate, Claim, verify
from optimizer.pareto.result import FrontierStatus
from optimizer.store import read_frontier, read_inputs
from optimizer.verification.findings import Finding
from optimizer.verify import RunMismatchError


def _unproven(instance: Instance) -> list[tuple[str, BarredPod]]:
    """Pods that are barred for want of a layout without a proof of it."""
    if not any(workload.design_space.without_layout for workload in instance.workloads.values()):
        return []
    from optimizer.layout.close import unproven_bars

    return unproven_bars(instance)


def certify_run(path: str | Path, sample: int | None = 20, backend: str | None = None) -> Certificate:
    """Checks that listed points and closed zones cover objective space, and proves ``sample`` closed zones (None: all) again.

    ``backend`` None takes another solver than the run's. Raises UsageError where the ledger is of another program, and
    RunMismatchError (exit code 7) where something is wrong, or a run called complete is not.
    """
    folder = Path(path)
    frontier = read_frontier(folder)
    instance = read_inputs(folder)
    formulation = build(instance, [objective.name for objective in frontier.objectives])
    model = compile_formulation(formulation)
    certificate = verify(model, Claim.read(model, folder / "ledger.jsonl"), sample=sample, backend=backend)
    findings = [Finding("ledger.jsonl", "certificate", fault, "no fault") for fault in certificate.faults]
    if frontier.status is FrontierStatus.COMPLETE and not certificate.complete:
        count = len(certificate.uncovered)
        findings.append(Finding("ledger.jsonl", "certificate", "complete", f"{count} zones nobody closed"))
    findings += [
        Finding("inputs", f"without_layout.{cluster}.{entry.site}", entry.pod, "a proof that it has no layout")
        for cluster, entry in _unproven(instance)
    ]
    if certificate.points != len(frontier):
        findings.append(Finding("ledger.jsonl", "certificate", len(frontier), certificate.points, "designs"))
    if findings:
        raise RunMismatchError(str(path), tuple(findings))
    return certificate
