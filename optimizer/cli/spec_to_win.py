"""``optimizer spec-to-win``: from which value of a field a part is in the cheapest design; what to ask each vendor for."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli._named import named_subject
from optimizer.cli._output import json_option, print_json, print_table
from optimizer.cli._subject import search_options


@click.command(name="spec-to-win", short_help="Which spec lets a part win, and what to ask each vendor for.")
@named_subject()
@click.argument("part", required=False)
@click.argument("field", required=False)
@click.option("--range", "span", metavar="LOW..HIGH", help="Values to look at.  [default: half to double]")
@click.option("--like", metavar="PART", help="PART is hypothetical: a copy of this one.")
@click.option("--set", "changes", multiple=True, metavar="FIELD=VALUE", help="A changed field of a hypothetical part.")
@click.option("--along", multiple=True, metavar="OBJECTIVE=VALUE", help="Hold an objective at a value.")
@click.option(
    "--objective", default="tco", show_default=True, type=click.Choice(["tco", "capex"]), help="What is least."
)
@click.option(
    "--layer",
    "layers",
    multiple=True,
    type=click.Choice(["silicon", "systems", "network", "optics", "power", "cooling"]),
    help="Only these layers of the gap list.",
)
@click.option("--step", default="10%", show_default=True, help="One step of the gap list, as a share of a value.")
@search_options
@json_option
def command(subject: str, part: str | None, field: str | None, **options: Any) -> None:
    """Find the value of FIELD from which PART is in the cheapest design of SUBJECT, a run folder or an instance.

    FIELD is a column of the part's catalogue file or one of power, radix, bandwidth, price, lead time. Without FIELD, every improvable
    field of PART is tried one step better; without PART, of all parts: the list of what to ask vendors for, by value.
    """
    from models.errors import UsageError
    from optimizer.cli._subject import effort, share, stop_unless
    from optimizer.cli._subject import subject as read
    from optimizer.sensitivity.part_program import Requirement, read_requirement
    from optimizer.sensitivity.spec_to_win import hypothetical

    instance = read(subject, options["scenario"]).instance
    wanted = Requirement(dict(read_requirement(text) for text in options["along"]))
    if options["like"]:
        if part is None:
            raise UsageError("--like needs PART, the name of the hypothetical part")
        instance = hypothetical(instance, part, options["like"], options["changes"])
    elif options["changes"]:
        raise UsageError("--set needs --like, the part the hypothetical one is a copy of")
    gap, spent = share(options["gap"]), effort("spec-to-win", options, instance)
    if part is not None and field is not None:
        done = _one(instance, part, field, wanted, gap, spent, options)
    else:
        done = _all(instance, part, wanted, spent, options)
    stop_unless(done)


def _one(instance: Any, part: str, field: str, wanted: Any, gap: float, spent: Any, options: dict[str, Any]) -> bool:
    from optimizer.cli._subject import read_span
    from optimizer.sensitivity.failure_field import field_of
    from optimizer.sensitivity.part_field import part_of
    from optimizer.sensitivity.spec_section import SPEC_HEADINGS, spec_data, spec_rows, spec_sentence
    from optimizer.sensitivity.spec_to_win import DEFAULT_GAP, spec_to_win

    low, high = read_span(field_of(instance, part_of(instance, part), field), options["span"])
    result = spec_to_win(
        instance, part, field, low=low, high=high, requirement=wanted, objective=options["objective"],
        gap=gap or DEFAULT_GAP, effort=spent,
    )  # fmt: skip
    if options["as_json"]:
        print_json("spec-to-win", spec_data(result), "complete" if result.proven else "partial")
    else:
        click.echo(f"{spec_sentence(result)}\n")
        print_table(spec_rows(result), SPEC_HEADINGS, right=("value", "price to win", "least cost", "units"))
        if result.reason:
            click.echo(f"\nWhere there is no price: {result.reason}.")
        click.echo(f"\n{result.solves} solves, {result.seconds:.1f} s.")
    return result.proven


def _all(instance: Any, part: str | None, wanted: Any, spent: Any, options: dict[str, Any]) -> bool:
    from optimizer.cli._subject import share
    from optimizer.sensitivity.gap_list import gap_list
    from optimizer.sensitivity.part_field import part_of
    from optimizer.sensitivity.spec_section import GAP_HEADINGS, MOST_GAPS, gap_data, gap_rows

    result = gap_list(
        instance, parts=None if part is None else [part_of(instance, part).id], layers=options["layers"] or None,
        step=share(options["step"], "--step"), requirement=wanted, objective=options["objective"],
        effort=spent,
    )  # fmt: skip
    if options["as_json"]:
        print_json("spec-to-win", gap_data(result), "complete" if result.proven else "partial")
    else:
        click.echo(
            f"{instance.name}: least {result.objective} {result.best / 1e6:,.3f} MUSD; what one step of {result.step:.0%} would be worth\n"
        )
        print_table(gap_rows(result), GAP_HEADINGS, right=("now", "then", "gain", "still dearer by"))
        if len(result.gaps) > MOST_GAPS:
            click.echo(f"({MOST_GAPS} of {len(result.gaps)}; all of them with --json)")
        click.echo(f"\n{result.solves} solves, {result.seconds:.1f} s.")
    return result.proven
