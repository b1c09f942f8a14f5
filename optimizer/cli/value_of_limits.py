"""``optimizer value-of-limits``: what the best design gains from one more useful step of each limit."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli._named import named_subject
from optimizer.cli._output import json_option, print_json, print_table
from optimizer.cli._subject import search_options


@click.command(name="value-of-limits", short_help="What one more useful step of each limit gains.")
@named_subject()
@click.option("--objective", default="tco", show_default=True, help="What is best.")
@click.option(
    "--limit", "limits", multiple=True, metavar="FIELD", help="Only this limit, by its field or row; may be repeated."
)
@click.option("--pairs/--no-pairs", default=True, show_default=True, help="Lift limits two by two as well.")
@search_options
@json_option
def command(subject: str, **options: Any) -> None:
    """Find what each limit of SUBJECT, a run folder or an instance, costs its best design.

    A useful step is the next value of the limit at which the best design changes, looser and tighter.
    """
    from optimizer.cli._subject import effort, share, stop_unless
    from optimizer.cli._subject import subject as read
    from optimizer.sensitivity.limits_section import HEADINGS, limit_rows, limits_data, pair_lines, sentence
    from optimizer.sensitivity.value_of_limits import value_of_limits

    about = read(subject, options["scenario"])
    share(options["gap"])
    result = value_of_limits(
        about.instance,
        options["objective"],
        only=options["limits"] or None,
        pairs=options["pairs"],
        effort=effort("value-of-limits", options, about.instance),
    )
    if options["as_json"]:
        print_json("value-of-limits", limits_data(result), "complete" if result.proven else "partial")
    else:
        click.echo(f"{about.instance.name}: {sentence(result)}\n")
        print_table(
            limit_rows(result),
            HEADINGS,
            right=("used", "next looser", "gains", "next tighter", "gains or costs", "without it"),
        )
        for line in pair_lines(result):
            click.echo(line)
        click.echo(f"\n{result.solves} solves, {result.seconds:.1f} s.")
    stop_unless(result.proven)
