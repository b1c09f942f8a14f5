"""``optimizer verify RUN``: every design recomputed from the run's inputs and the physics alone."""

from __future__ import annotations

import click

from optimizer.cli._output import json_option, print_json


@click.command(name="verify", short_help="Recompute every design of a run.")
@click.argument("run", type=click.Path())
@json_option
def command(run: str, as_json: bool) -> None:
    """Recompute every design of RUN, a run folder or a file in it, from its inputs and the physics alone.

    No solver takes part. Exit code 7 names every figure that cannot be confirmed.
    """
    from optimizer.cli._run_path import run_folder
    from optimizer.verify import verify_run

    report = verify_run(run_folder(run))
    report.require()
    if as_json:
        data = {
            "run": report.run,
            "instance": report.instance,
            "n_designs": report.designs,
            "compared": report.compared,
            "findings": [finding.as_dict() for finding in report.findings],
            "seconds": round(report.seconds, 3),
        }
        print_json("verify", data)
        return
    designs = "design" if report.designs == 1 else "designs"
    click.echo(
        f"{report.instance}: {report.designs} {designs} recomputed from {report.run}/inputs and the physics alone; "
        f"{report.compared:,} figures and rules agree ({report.seconds:.1f} s)."
    )
