"""``optimizer diff RUN_A RUN_B``: what changed in the inputs, in the designs, in the optima and why, and in the decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from optimizer.cli._named import named_run
from optimizer.cli._output import json_option, note, print_json, print_table
from optimizer.cli._subject import solving_options

if TYPE_CHECKING:
    from optimizer.design import Design
    from optimizer.diff.runs import Difference


@click.command(name="diff", short_help="Compare two runs: inputs, designs, optima and the decision.")
@named_run("first")
@named_run("second")
@click.option(
    "--shapley", default=4, show_default=True, type=click.IntRange(0, 8),
    help="Up to so many changed inputs the split is Shapley's (2^n solves per objective), sequential beyond.",
)  # fmt: skip
@solving_options
@json_option
def command(first: str, second: str, shapley: int, as_json: bool, **options: Any) -> None:
    """Compare run FIRST with run SECOND.

    The change of each objective's best value is split over the changed inputs by solving instances between the two; the parts
    sum to the change exactly.
    """
    from optimizer.cli._run_path import run_folder
    from optimizer.cli._subject import effort, share, stop_unless
    from optimizer.diff.runs import diff
    from optimizer.store import read_frontier, read_inputs

    share(options["gap"])
    sides = [(read_frontier(folder), read_inputs(folder)) for folder in map(run_folder, (first, second))]
    spent = effort("diff", options, *(instance for _, instance in sides))
    found = diff(sides[0], sides[1], most_for_shapley=shapley, on_progress=lambda line: note(f"  {line}"), effort=spent)
    if as_json:
        print_json("diff", found.as_dict(), "complete" if found.complete else "partial")
    else:
        _print(found)
    stop_unless(found.complete)


def _print(found: Difference) -> None:
    from optimizer.diff.inputs import shown

    click.echo(f"{found.first} -> {found.second}\n")
    if found.inputs:
        print_table(
            ((c.path, shown(c.before), shown(c.after), c.where) for c in found.inputs),
            ("input", "before", "after", "stated in"),
        )
    else:
        click.echo("The inputs are the same.")
    click.echo(
        f"\nDesigns: {len(found.gained)} gained, {len(found.lost)} lost, {len(found.moved)} with other values, "
        f"{found.same} the same."
    )
    for word, designs in (("gained", found.gained), ("lost", found.lost)):
        for design in designs[:6]:
            click.echo(f"  {word} {_line(design)}")
        if len(designs) > 6:
            click.echo(f"  and {len(designs) - 6} more")
    for moved in found.moved[:6]:
        told = ", ".join(f"{k} {a:,.7g} -> {b:,.7g}" for k, (a, b) in moved.values.items())
        click.echo(f"  moved {moved.design_id}: {told}")
    _print_splits(found)
    if found.decision is not None:
        told = ", ".join(f"{k} {a} -> {b}" for k, (a, b) in found.decision.changes.items())
        click.echo(
            f"\nThe decision moved: {found.decision.before} -> {found.decision.after} ({told})."
            if found.decision.moved
            else f"\nThe decision stands: {found.decision.before}."
        )


def _print_splits(found: Difference) -> None:
    rows: list[tuple[Any, ...]] = []
    for s in found.splits:
        if s.parts is None:
            rows.append((s.column, None, None, "one of the runs has no design, or time ran out", None, ""))
            continue
        assert s.before is not None and s.after is not None
        rows.append(
            (s.column, f"{s.before:,.10g}", f"{s.after:,.10g}", "change", f"{s.after - s.before:+,.10g}", s.method)
        )
        rows.extend(("", None, None, name, f"{part:+,.10g}", "") for name, part in s.parts.items())
    if rows:
        click.echo("")
        heads = ("best", "before", "after", "because of", "by", "split")
        print_table(rows, heads, title="Best value of each objective", right=("before", "after", "by"))


def _line(design: Design) -> str:
    values = ", ".join(f"{k} {v:,.7g}" for k, v in design.objectives.items())
    return f"{design.design_id}: {values}"
