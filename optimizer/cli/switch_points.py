"""``optimizer switch-points``: over which range of a field the best design stays the same, and where it changes."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli._named import named_subject
from optimizer.cli._output import json_option, print_json, print_table
from optimizer.cli._subject import search_options


@click.command(name="switch-points", short_help="Where the best design changes as a field of the instance moves.")
@named_subject()
@click.argument("field")
@click.option("--field2", help="A second field: a map of the best architecture over both.")
@click.option("--range", "span", metavar="LOW..HIGH", help="Values to look at.  [default: half to double]")
@click.option("--range2", "span2", metavar="LOW..HIGH", help="Values of the second field.")
@click.option("--steps", default=7, show_default=True, type=click.IntRange(2, 60), help="Values per axis of a map.")
@click.option("--objective", default="tco", show_default=True, help="What is best.")
@search_options
@json_option
def command(subject: str, field: str, **options: Any) -> None:
    """Find where the best design of SUBJECT, a run folder or an instance, changes as FIELD moves.

    FIELD is any number of the instance by its dotted path, such as north.utility, electricity_price, train.demand or
    assumptions.maintenance_per_year.
    """
    from optimizer.cli._subject import effort, read_span, share, stop_unless
    from optimizer.cli._subject import subject as read
    from optimizer.sensitivity import switch_section as section
    from optimizer.sensitivity.instance_field import find_field
    from optimizer.sensitivity.regimes import regime_map
    from optimizer.sensitivity.switch_points import DEFAULT_GAP, switch_points

    instance = read(subject, options["scenario"]).instance
    spent, objective, gap = effort("switch-points", options, instance), options["objective"], share(options["gap"])
    low, high = read_span(find_field(instance, field), options["span"])
    if options["field2"]:
        second = read_span(find_field(instance, options["field2"]), options["span2"])
        found = regime_map(
            instance, field, options["field2"], x_range=(low, high), y_range=second,
            objective=objective, steps=options["steps"], effort=spent,
        )  # fmt: skip
        done = found.proven
        if options["as_json"]:
            print_json("switch-points", section.regime_data(found), "complete" if done else "partial")
        else:
            for line in section.regime_lines(found):
                click.echo(line)
            click.echo(f"\n{found.solves} solves, {found.seconds:.1f} s.")
    else:
        result = switch_points(
            instance, field, low=low, high=high, objective=objective, gap=gap or DEFAULT_GAP, effort=spent
        )
        done = result.proven
        if options["as_json"]:
            print_json("switch-points", section.switch_data(result), "complete" if done else "partial")
        else:
            click.echo(f"{section.switch_sentence(result)}\n")
            print_table(section.switch_rows(result), section.SWITCH_HEADINGS, right=("from", "to"))
            click.echo(f"\n{result.solves} solves, {result.seconds:.1f} s.")
    stop_unless(done)
