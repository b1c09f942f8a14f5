"""What ``optimizer sobol`` and ``optimizer morris`` share."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from optimizer.cli._named import named_subject
from optimizer.cli._output import json_option, note, print_json, print_table
from optimizer.cli._subject import search_options


def sampling_options(function: Any) -> Any:
    """Options of both methods."""
    for option in (
        json_option,
        search_options,
        click.option(
            "--samples", type=click.Path(dir_okay=False), help="File samples are appended to as they are solved."
        ),
        click.option(
            "--seed", default=0, show_default=True, type=click.IntRange(min=0), help="The same seed, the same samples."
        ),
        click.option(
            "--range", "ranges", multiple=True, metavar="FIELD=LOW..HIGH", help="A range of your own; may be repeated."
        ),
        click.option("--input", "inputs", multiple=True, metavar="NAME", help="Only this input; may be repeated."),
        named_subject(),
    ):
        function = option(function)
    return function


def run(method: str, size: int, options: Mapping[str, Any]) -> None:
    """Runs a method and prints its answer."""
    from optimizer.cli._solving import EXIT_INTERRUPTED, EXIT_STOPPED, Interrupt
    from optimizer.cli._subject import effort, share
    from optimizer.cli._subject import subject as read
    from optimizer.sensitivity.global_indices import global_indices
    from optimizer.sensitivity.global_section import global_headings, global_rows, global_sentence
    from optimizer.sensitivity.ranges import read_range

    about = read(options["subject"], options["scenario"])
    share(options["gap"])
    spent = effort(method, options, about.instance)
    with Interrupt() as interrupt:
        result = global_indices(
            about.instance,
            method,
            size=size,
            inputs=options["inputs"] or None,
            given=[read_range(about.instance, text) for text in options["ranges"]],
            seed=options["seed"],
            samples=options["samples"],
            resume=options["resume"] and options["samples"] is not None,
            effort=spent,
            stop=lambda: interrupt.asked,
            on_progress=lambda line: note(f"  {line}"),
        )
    if options["as_json"]:
        print_json(method, result.as_dict(), "complete" if result.proven else "partial")
    else:
        click.echo(f"{about.instance.name}: {global_sentence(result)}\n")
        print_table(global_rows(result), global_headings(result), right=global_headings(result)[2:])
        click.echo(f"\n{result.samples} of {result.wanted} samples ({result.resumed} resumed), {result.seconds:.1f} s.")
    if not result.proven:
        if options["samples"]:
            note(f"continue with: optimizer {method} {options['subject']} --samples {options['samples']} --resume")
        sys.exit(EXIT_INTERRUPTED if interrupt.asked else EXIT_STOPPED)
