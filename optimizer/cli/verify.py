"""``optimizer verify RUN``: every design recomputed from the run's inputs and the physics alone."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli._named import named_run
from optimizer.cli._output import json_option, print_json


@click.command(name="verify", short_help="Recompute every design of a run.")
@named_run()
@click.option("--certificate", is_flag=True, help="Also check that nothing is missing; this starts a solver.")
@click.option(
    "--sample", default=20, show_default=True, type=click.IntRange(min=0), help="Closed zones to prove empty again."
)
@click.option("--all", "every", is_flag=True, help="Prove every closed zone again.")
@click.option("--backend", type=click.Choice(["highs", "cpsat", "scip"]), help="Solver for that.  [default: another]")
@json_option
def command(run: str, certificate: bool, sample: int, every: bool, backend: str | None, as_json: bool) -> None:
    """Recompute every design of RUN, a run folder or a file in it, from its inputs and the physics alone.

    No solver takes part, unless --certificate asks whether the list is complete. Exit code 7 names every figure that cannot
    be confirmed.
    """
    from optimizer.cli._run_path import run_folder
    from optimizer.verify import verify_run

    folder = run_folder(run)
    report = verify_run(folder)
    report.require()
    checked = _certificate(folder, None if every else sample, backend) if certificate or every else None
    if as_json:
        data = {
            "run": report.run,
            "instance": report.instance,
            "n_designs": report.designs,
            "compared": report.compared,
            "findings": [finding.as_dict() for finding in report.findings],
            "seconds": round(report.seconds, 3),
            "certificate": checked,
        }
        print_json("verify", data)
        return
    designs = "design" if report.designs == 1 else "designs"
    click.echo(
        f"{report.instance}: {report.designs} {designs} recomputed from {report.run}/inputs and the physics alone; "
        f"{report.compared:,} figures and rules agree ({report.seconds:.1f} s)."
    )
    if checked is not None:
        covered = "cover objective space" if checked["complete"] else "leave parts of objective space open"
        undecided = f", {checked['undecided']} undecided" if checked["undecided"] else ""
        click.echo(
            f"Certificate: the designs and {checked['zones']} closed zones {covered}; "
            f"{checked['reproved']} zones proven empty again by {checked['backend']}{undecided}."
        )


def _certificate(folder: Any, sample: int | None, backend: str | None) -> dict[str, Any]:
    from optimizer.certify import certify_run

    found = certify_run(folder, sample, backend)
    return {
        "complete": found.complete,
        "points": found.points,
        "zones": found.zones,
        "reproved": found.reproved,
        "undecided": found.undecided,
        "backend": found.backend,
    }
