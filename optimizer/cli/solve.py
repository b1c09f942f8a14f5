"""``optimizer solve``: the certified Pareto frontier of an instance."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli._named import named_instance
from optimizer.cli._output import json_option


@click.command(name="solve")
@named_instance()
@click.option("--objectives", help="Objectives, separated by commas.  [default: tco,throughput,power]")
@click.option(
    "--resolution", default="1%", show_default=True, help="A share of each range, 'exact', or tco=5 MUSD,power=100 kW."
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME=VALUE",
    help="Bounds an objective, or sets a limit of the instance.",
)
@click.option("--scenario", help="Named overrides of the instance.")
@click.option("--backend", default="auto", show_default=True, type=click.Choice(["auto", "highs", "cpsat", "scip"]))
@click.option(
    "--workers",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Processes; results do not depend on it.",
)
@click.option("--time-limit", metavar="TIME", help="Stop after this time: 10m, 2h, 90s, or seconds.")
@click.option("--cross-check", is_flag=True, help="Prove every closed zone again with a second solver.")
@click.option("--layout", is_flag=True, help="Lay out every design; bar what provably has no layout and solve again.")
@click.option("--out", metavar="DIR", help="Run folder.  [default: results/<instance>-<time>-<hash>]")
@click.option("--resume", is_flag=True, help="Continue the run in --out.")
@click.option("--dry-run", is_flag=True, help="Print what would be solved, and solve nothing.")
@json_option
def command(instance: str, **options: Any) -> None:
    """Compute the Pareto-optimal architectures of INSTANCE, a file or the name of a shipped instance."""
    from optimizer.cli._solving import solve_command

    solve_command(instance, options)
