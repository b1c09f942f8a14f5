"""``optimizer alternatives``: near-optimal designs of other kinds, and which choices are must-haves."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli._named import named_subject
from optimizer.cli._output import json_option, note, print_json, print_table
from optimizer.cli._subject import search_options


@click.command(
    name="alternatives", short_help="Near-optimal designs that differ in kind; must-have and avoidable choices."
)
@named_subject()
@click.option("--objective", default="tco", show_default=True, help="What is best.")
@click.option("--slack", default="5%", show_default=True, help="How far from the best still counts as near.")
@click.option(
    "--along", multiple=True, metavar="NAME=VALUE", help="A value another objective must reach; may be repeated."
)
@click.option("--most", default=8, show_default=True, type=click.IntRange(1, 50), help="Most alternatives to list.")
@search_options
@json_option
def command(subject: str, **options: Any) -> None:
    """Find designs of SUBJECT, a run folder or an instance, that cost little more than the best and differ most from it in kind."""
    from optimizer.cli._subject import effort, share, stop_unless
    from optimizer.cli._subject import subject as read
    from optimizer.sensitivity.alternatives import alternatives
    from optimizer.sensitivity.alternatives_section import (
        CHOICE_HEADINGS,
        KIND_HEADINGS,
        alternatives_data,
        alternatives_sentence,
        choice_rows,
        kind_rows,
    )
    from optimizer.sensitivity.part_program import read_requirement

    about = read(subject, options["scenario"])
    share(options["gap"])
    result = alternatives(
        about.instance,
        options["objective"],
        share(options["slack"], "--slack"),
        along=dict(read_requirement(text) for text in options["along"]),
        most=options["most"],
        effort=effort("alternatives", options, about.instance),
        on_progress=lambda line: note(f"  {line}"),
    )
    if options["as_json"]:
        print_json("alternatives", alternatives_data(result), "complete" if result.proven else "partial")
    else:
        click.echo(f"{about.instance.name}: {alternatives_sentence(result)}\n")
        print_table(kind_rows(result), KIND_HEADINGS, right=("value", "beyond best", "differs in"))
        click.echo("")
        print_table(choice_rows(result), CHOICE_HEADINGS, right=("best without it", "best with it"))
        click.echo(f"\n{result.solves} solves, {result.seconds:.1f} s.")
    stop_unless(result.proven)
