"""``optimizer show RUN [DESIGN]``: a frontier, or one design with its bill of materials, margins and sources."""

from __future__ import annotations

import dataclasses
import difflib
from typing import TYPE_CHECKING

import click

from optimizer.cli._named import named_run
from optimizer.cli._output import json_option, print_json

if TYPE_CHECKING:
    from pathlib import Path

    from optimizer.design import Design
    from optimizer.frontier import Frontier


@click.command(name="show", short_help="Show a frontier, or one design of it.")
@named_run()
@click.argument("design", required=False)
@click.option("--graphml", type=click.Path(dir_okay=False), help="Write the networks of DESIGN as GraphML.")
@click.option("--cables", type=click.Path(dir_okay=False), help="Write the cable schedule of DESIGN as CSV.")
@json_option
def command(run: str, design: str | None, graphml: str | None, cables: str | None, as_json: bool) -> None:
    """Show the frontier of RUN (a run folder or a file in it), or one DESIGN of it, named by the start of its id.

    ``--graphml`` and ``--cables`` write all networks of the design beside, link by link; an existing file is refused.
    """
    from models.errors import UsageError
    from optimizer.cli._answer import frontier_data, json_status
    from optimizer.cli._run_path import run_folder
    from optimizer.store import read_frontier, read_inputs

    folder = run_folder(run)
    frontier = read_frontier(folder)
    status = json_status(frontier.status)
    if design is None:
        if graphml or cables:
            raise UsageError("--graphml and --cables write one design: name it after the run")
        if as_json:
            print_json("show", frontier_data(frontier), status)
        else:
            _print_frontier(frontier)
        return
    found = find_design(frontier, design)
    _write_topology(folder, found, graphml, cables)
    if as_json:
        print_json("show", {"run": frontier.run, "design": dataclasses.asdict(found)}, status)
        return
    from optimizer.cli._design_page import page

    for line in page(frontier, found, read_inputs(folder)):
        click.echo(line)


def _write_topology(folder: Path, design: Design, graphml: str | None, cables: str | None) -> None:
    """Graph and cable schedule of a design, where asked for."""
    from pathlib import Path

    from models.errors import UsageError

    files = {name: Path(name) for name in (graphml, cables) if name}
    for path in files.values():
        if path.exists():
            raise UsageError(f"{path} exists: choose another file")
        if not path.parent.is_dir():
            raise UsageError(f"no folder {path.parent} for {path.name}")
    if not files:
        return
    from optimizer.design_topology import design_graph
    from optimizer.store import read_inputs
    from optimizer.topology import to_graphml, write_cable_schedule

    graph = design_graph(read_inputs(folder), design)
    if graphml:
        to_graphml(graph, files[graphml])
    if cables:
        write_cable_schedule(graph, files[cables])


def find_design(frontier: Frontier, name: str) -> Design:
    """The design whose id begins with ``name``; UsageError naming the nearest ids where none or several do."""
    from models.errors import UsageError

    ids = [design.design_id for design in frontier.points]
    found = [design for design in frontier.points if design.design_id.startswith(name.lower())]
    if len(found) == 1:
        return found[0]
    if found:
        shown = ", ".join(design.design_id for design in found[:6])
        raise UsageError(f"{len(found)} designs begin with {name!r}: {shown}{', ...' if len(found) > 6 else ''}")
    close = difflib.get_close_matches(name, ids, n=3, cutoff=0.0)
    nearest = f"the nearest ids are {', '.join(close)}" if close else "this run lists no design"
    raise UsageError(f"no design {name!r} among {len(ids)}: {nearest}")


def _print_frontier(frontier: Frontier) -> None:
    from optimizer.cli._answer import frontier_table, sentence

    if not frontier.points:
        click.echo(f"{frontier.instance}: no design; {frontier.proof.sentence()}.")
        return
    click.echo(sentence(frontier))
    click.echo()
    for line in frontier_table(frontier, frontier.points):
        click.echo(line)
    click.echo()
    marked = sorted({part for design in frontier.points for part in design.preliminary})
    if marked:
        click.echo(f"Preliminary parts (marked *): {', '.join(marked)}.")
    if frontier.estimated_prices:
        click.echo(f"Prices are estimates at the {frontier.price_basis} of their range.")
    click.echo(f"Proof: {frontier.proof.sentence()} ({frontier.solves} solves, {frontier.seconds:.1f} s).")
    click.echo(f"One design: optimizer show {frontier.run} {frontier.points[0].design_id}")
