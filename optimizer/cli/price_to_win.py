"""``optimizer price-to-win``: at which unit price a part enters the cheapest design, and how many are bought at which price."""

from __future__ import annotations

from typing import Any

import click

from optimizer.cli._named import named_subject
from optimizer.cli._output import json_option, print_json, print_table
from optimizer.cli._subject import search_options


@click.command(name="price-to-win", short_help="At which price a part enters the cheapest design.")
@named_subject()
@click.argument("part")
@click.option("--volume", type=click.IntRange(min=1), help="Units to sell.  [default: any]")
@click.option("--design", help="Hold the other objectives at those of this design of a run.")
@click.option(
    "--along",
    multiple=True,
    metavar="OBJECTIVE=VALUE",
    help="Hold an objective at a value; the same one again asks at another level.",
)
@click.option(
    "--objective", default="tco", show_default=True, type=click.Choice(["tco", "capex"]), help="What is least."
)
@search_options
@json_option
def command(subject: str, part: str, **options: Any) -> None:
    """Find the unit price at which PART enters the cheapest design of SUBJECT, a run folder or an instance.

    PART is also the name of a quote, or several of either joined by commas: the price is then a factor on all their prices. The
    result is an interval that holds the truth, and a staircase of the units bought at each price.
    """
    from models.errors import InfeasibleError
    from optimizer.cli._subject import effort, share, stop_unless
    from optimizer.cli._subject import subject as read
    from optimizer.sensitivity.part_program import PartProgram
    from optimizer.sensitivity.price_section import price_data
    from optimizer.sensitivity.price_to_win import NO_DESIGN, prices_in

    about = read(subject, options["scenario"])
    levels = _levels(about, options)
    names = tuple(dict.fromkeys(name for level in levels for name in level.values))
    gap, spent = share(options["gap"]), effort("price-to-win", options, about.instance)
    program = PartProgram.of(about.instance, part, options["objective"], names, volume=float(options["volume"] or 1))
    found = prices_in(program, levels, options["volume"], options["objective"], gap, spent)
    if all(r.reason == NO_DESIGN for r in found):
        raise InfeasibleError(f"{about.instance.name}: {NO_DESIGN} ({levels[0]})")
    done = all(r.proven for r in found)
    if options["as_json"]:
        data = price_data(found[0])
        if len(found) > 1:
            data["levels"] = [price_data(r) for r in found]
        print_json("price-to-win", data, "complete" if done else "partial")
    else:
        for result in found:
            _print(result)
    stop_unless(done)


def _levels(about: Any, options: dict[str, Any]) -> list[Any]:
    """One requirement per level: different objectives hold together, values of one objective are levels of their own."""
    from itertools import product

    from models.errors import UsageError
    from optimizer.sensitivity.part_program import Requirement, read_requirement

    fixed: dict[str, float] = {}
    if options["design"]:
        if about.frontier is None:
            raise UsageError("--design needs a run: give the folder that solve has written")
        from optimizer.cli.show import find_design

        design = find_design(about.frontier, options["design"])
        columns = [
            o
            for o in about.frontier.objectives
            if o.name.partition(":")[0] not in (options["objective"], "tco", "capex")
        ]
        fixed = {o.name: design.objectives[o.column] for o in columns}
    values: dict[str, list[float]] = {}
    for text in options["along"]:
        name, value = read_requirement(text)
        if name == options["objective"]:
            raise UsageError(f"--along {text}: {name} is what is minimised, so that it cannot be held")
        values.setdefault(name, []).append(value)
    if not values:
        return [Requirement(fixed)]
    return [Requirement({**fixed, **dict(zip(values, chosen, strict=True))}) for chosen in product(*values.values())]


def _print(result: Any) -> None:
    from optimizer.sensitivity.price_section import price_sentence, step_rows

    click.echo(price_sentence(result))
    if result.requirement:
        click.echo("Held: " + ", ".join(f"{name} {value:,.10g}" for name, value in result.requirement.items()) + ".")
    if result.staircase:
        rows = step_rows(result)
        click.echo()
        print_table(rows, ["from", "to", "units", "design"], right=("from", "to", "units"))
    if result.displaces:
        gone = [(d.part, d.layer, d.vendor, f"{d.units_without:,}", f"{d.units_with:,}") for d in result.displaces]
        click.echo("\nDisplaces, just below that price:")
        print_table(gone, ["part", "layer", "vendor", "without", "with"], right=("without", "with"))
    click.echo(f"{result.solves} solves, {result.seconds:.1f} s.")
