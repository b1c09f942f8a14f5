"""``optimizer tornado``: what each uncertain input alone does to the best cost, and to the decision."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli._named import named_subject
from optimizer.cli._output import json_option, note, print_json, print_table
from optimizer.cli._subject import search_options


@click.command(name="tornado", short_help="What each uncertain input alone does to the best cost and the decision.")
@named_subject()
@click.option(
    "--range", "ranges", multiple=True, metavar="FIELD=LOW..HIGH", help="A range of your own; may be repeated."
)
@click.option("--most", default=20, show_default=True, type=click.IntRange(min=1), help="Most inputs to list.")
@search_options
@json_option
def command(subject: str, **options: Any) -> None:
    """Swing every input of SUBJECT, a run folder or an instance, from one end of its range to the other.

    Ranges are the catalogue's own (prices, finance) and the models' (the band of throughput), and those given by --range.
    """
    from optimizer.cli._subject import effort, share, stop_unless
    from optimizer.cli._subject import subject as read
    from optimizer.sensitivity.ranges import read_range
    from optimizer.sensitivity.tornado import HEADINGS, tornado, tornado_rows, tornado_sentence

    about = read(subject, options["scenario"])
    share(options["gap"])
    result = tornado(
        about.instance,
        given=[read_range(about.instance, text) for text in options["ranges"]],
        effort=effort("tornado", options, about.instance),
        on_progress=lambda line: note(f"  {line}"),
    )
    if options["as_json"]:
        print_json("tornado", result.as_dict(), "complete" if result.proven else "partial")
    else:
        click.echo(f"{about.instance.name}: {tornado_sentence(result)}\n")
        print_table(tornado_rows(result, options["most"]), HEADINGS, right=HEADINGS[1:-1])
        click.echo(f"\n{result.solves} solves, {result.seconds:.1f} s.")
    stop_unless(result.proven)
