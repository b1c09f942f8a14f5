"""``optimizer explain binding RUN DESIGN``: which limits bind, the slack of the rest, and which weak inputs carry the design."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from optimizer.cli._named import named_run
from optimizer.cli._output import json_option, print_json, print_table

if TYPE_CHECKING:
    from optimizer.explain.binding import Binding

MOST_INPUTS = 10


@click.command(name="binding", short_help="Which limits bind a design, and which weak inputs it leans on.")
@named_run()
@click.argument("design")
@json_option
def command(run: str, design: str, as_json: bool) -> None:
    """Explain what limits DESIGN of RUN, named by the start of its id."""
    from optimizer.cli._run_path import run_folder
    from optimizer.cli.show import find_design
    from optimizer.explain.binding import explain_binding
    from optimizer.store import read_frontier, read_inputs

    folder = run_folder(run)
    frontier = read_frontier(folder)
    found = explain_binding(read_inputs(folder), find_design(frontier, design))
    if as_json:
        print_json("explain-binding", found.as_dict())
    else:
        _print(found)


def _print(found: Binding) -> None:
    from optimizer.explain.binding_section import weakness

    click.echo(f"Design {found.design_id}")
    for limit in found.binding:
        click.echo(f"  binds ({limit.family}): {limit.says}  [{limit.spoken_for or 'not named'}; {limit.source}]")
    if not found.binding:
        nearest = next(iter(found.limits), None)
        near = f"; the nearest is {nearest.row}, {nearest.slack_share:.1%} away" if nearest else ""
        click.echo(f"  no limit binds exactly{near}: sizes come in steps")
    click.echo()
    print_table(
        (
            (
                x.family,
                x.row,
                f"{x.value:,.7g}",
                f"{x.limit:,.7g}",
                x.unit,
                f"{x.slack:,.7g}",
                f"{x.slack_share:.1%}",
                x.spoken_for or None,
                x.source,
            )
            for x in found.limits
            if not x.binds
        ),
        ("family", "limit", "use", "of", "unit", "slack", "left", "owner", "stated in"),
        title="Slack of the rest",
        right=("use", "of", "slack", "left"),
    )
    resting = found.resting()
    click.echo(
        f"\nResting on estimates or unverified inputs: {resting['cost']:.0%} of cost, {resting['power']:.0%} of power, "
        f"{resting['throughput']:.0%} of throughput."
    )
    shown = [x for x in found.leanings if x.weight][:MOST_INPUTS]
    if shown:
        print_table(
            (
                (
                    x.part,
                    x.layer,
                    _share(x.cost_share),
                    _share(x.power_share),
                    _share(x.throughput_share),
                    weakness(x),
                    x.where,
                )
                for x in shown
            ),
            ("part", "layer", "cost", "power", "throughput", "weak because", "row"),
            right=("cost", "power", "throughput"),
        )


def _share(value: float) -> str | None:
    return f"{value:.1%}" if value else None
