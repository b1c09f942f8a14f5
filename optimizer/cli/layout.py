"""``optimizer layout RUN DESIGN``: every device at a position, every rack in the hall, every cable with its length."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from optimizer.cli._named import named_run
from optimizer.cli._output import json_option, note, print_json, print_table

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.design import Design
    from optimizer.layout.plan import Layout


@click.command(name="layout", short_help="Rack elevations, row plan and cable schedule of a design.")
@named_run()
@click.argument("design")
@click.option("--out", type=click.Path(file_okay=False), help="Folder for the files.  [default: RUN/layout/DESIGN]")
@click.option("--gap", metavar="SHARE", help="Fail (exit code 5) where less is proven, for example 25%.")
@click.option(
    "--time-limit",
    metavar="TIME",
    default="1m",
    show_default=True,
    help="For the solver, in its own steps: 10m, 2h, 90s, or seconds.",
)
@json_option
def command(run: str, design: str, out: str | None, gap: str | None, time_limit: str, as_json: bool) -> None:
    """Lay out one DESIGN of RUN, named by the start of its id: rack elevations, row plan and cable schedule.

    Writes layout.json, racks.csv, devices.csv, cables.csv and two drawings per site, elevation-SITE.svg and floor-SITE.svg. Device
    ids begin with the part ids of the bill of materials. The same design is laid out alike every time.
    """
    from pathlib import Path

    from optimizer.cli._run_path import run_folder
    from optimizer.cli._solving import parse_duration
    from optimizer.cli._subject import share
    from optimizer.cli.show import find_design
    from optimizer.layout.write import write_layout
    from optimizer.store import read_frontier, read_inputs

    seconds, asked = parse_duration(time_limit), None if gap is None else share(gap)
    folder = run_folder(run)
    found = find_design(read_frontier(folder), design)
    plan = _laid_out(read_inputs(folder), found, seconds or 0.0)
    files = write_layout(Path(out) if out else folder / "layout" / found.design_id, found, plan)
    worst = max(site.gap for site in plan.sites)
    status = "complete" if asked is None or worst <= asked else "partial"
    if as_json:
        print_json("layout", _data(plan, files), status)
    else:
        _print(plan, files)
    if status == "partial":
        note(f"The proven gap is {worst:.1%}, above the {asked:.1%} asked for.")
        raise click.exceptions.Exit(5)


def _laid_out(instance: Any, design: Design, time_limit: float) -> Layout:
    """The checked layout; the errors a user can act on."""
    from models.errors import InfeasibleError, SolverError, VerificationError
    from optimizer.layout.check import check_layout
    from optimizer.layout.contents import UndecidedLayoutError, UnplaceableError
    from optimizer.layout.planner import effort_of, lay_out

    try:
        plan = lay_out(instance, design, effort_of(time_limit))
    except UnplaceableError as error:
        raise InfeasibleError(f"design {design.design_id} has no layout (proven): {error}") from None
    except UndecidedLayoutError as error:
        raise SolverError(f"design {design.design_id}: no layout found, and none proven impossible: {error}") from None
    findings = check_layout(instance, design, plan)
    if findings:
        raise VerificationError("the layout does not hold: " + "; ".join(str(finding) for finding in findings[:5]))
    return plan


def _data(plan: Layout, files: list[Path]) -> dict[str, Any]:
    from optimizer.layout.write import cable_rows, level_rows

    data = plan.as_dict()
    for site, source in zip(data["sites"], plan.sites, strict=True):
        site["levels"] = list(level_rows(source))
        del site["cables"]
    data["cables"] = list(cable_rows(plan))
    data["files"] = [str(file) for file in files]
    return data


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _print(plan: Layout, files: list[Path]) -> None:
    from optimizer.layout.write import level_rows

    for site in plan.sites:
        rows = sorted({rack.row for rack in site.racks})
        types = len({rack.type for rack in site.racks})
        click.echo(
            f"Design {plan.design_id} at {site.site}: {_count(len(site.racks), 'rack')} of {_count(types, 'type')} in "
            f"{_count(len(rows), 'row')}, "
            f"{len(site.cables):,} links of {site.total_length / 1e3:,.2f} km in all, "
            f"at most {site.gap:.1%} above the least these racks can need (proven)."
        )
        click.echo()
        columns = ("level", "medium", "links", "mean m", "longest m", "priced m", "reach m")
        print_table(
            [
                (
                    level["level"].replace("_", " - "), level["medium"], f"{level['links']:,}", f"{level['mean_m']:.1f}",
                    f"{level['longest_m']:.1f}", f"{level['priced_m']:.1f}", f"{level['reach_m']:g}",
                )
                for level in level_rows(site)
            ],
            columns, right=columns[2:],
        )  # fmt: skip
        click.echo()
    click.echo("Written: " + ", ".join(str(file) for file in files))
