"""``optimizer morris``: global sensitivity over all ranges at once."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli._global_indices import run, sampling_options


@click.command(name="morris", short_help="Elementary effects of every uncertain input.")
@click.option(
    "--size",
    default=10,
    show_default=True,
    type=click.IntRange(min=2),
    help="Trajectories; size x (inputs + 1) solves.",
)
@sampling_options
def command(size: int, **options: Any) -> None:
    """Morris' elementary effects of SUBJECT, a run folder or an instance, on its least total cost and on the decision."""
    run("morris", size, options)
