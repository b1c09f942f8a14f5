"""``optimizer explain why-not``: why something is not in the best design, and what would put it there."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli._named import named_subject
from optimizer.cli._output import json_option, print_json
from optimizer.cli._subject import search_options


@click.command(name="why-not", short_help="Why a part, vendor, cooling or topology is not in the best design.")
@named_subject()
@click.argument("target")
@click.option(
    "--levers/--no-levers", default=True, show_default=True, help="Look for the smallest change of each lever."
)
@search_options
@json_option
def command(subject: str, target: str, **options: Any) -> None:
    """Explain why TARGET is not in the design of least total cost of SUBJECT, a run folder or an instance.

    TARGET is a part, a vendor, a seller or quote, an accelerator, a cooling method (air, rear_door, liquid), a topology (2-tier), a protocol, a plant
    option or a site; kind:NAME where a name means several things.
    """
    from optimizer.cli._subject import effort, share, stop_unless
    from optimizer.cli._subject import subject as read
    from optimizer.explain.why_not import why_not
    from optimizer.explain.why_not_section import why_not_data, why_not_lines

    about = read(subject, options["scenario"])
    share(options["gap"])
    spent = effort("why-not", options, about.instance)
    result = why_not(about.instance, target, levers=options["levers"], effort=spent)
    if options["as_json"]:
        print_json("explain-why-not", why_not_data(result), "complete" if result.proven else "partial")
    else:
        for line in why_not_lines(result):
            click.echo(line)
        click.echo(f"\n{result.solves} solves, {result.seconds:.1f} s.")
    stop_unless(result.proven)
