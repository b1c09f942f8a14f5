"""``optimizer sobol``: global sensitivity over all ranges at once."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli._global_indices import run, sampling_options


@click.command(name="sobol", short_help="Variance shares of every uncertain input, alone and with interactions.")
@click.option(
    "--size",
    default=64,
    show_default=True,
    type=click.IntRange(min=2),
    help="Base samples, a power of two; size x (inputs + 2) solves.",
)
@sampling_options
def command(size: int, **options: Any) -> None:
    """Sobol indices of SUBJECT, a run folder or an instance, on its least total cost and on the decision."""
    run("sobol", size, options)
