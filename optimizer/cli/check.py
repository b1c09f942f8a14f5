"""``optimizer check INSTANCE``: valid or not, which parts can be used, and every limit against its best case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from optimizer.cli._named import named_instance
from optimizer.cli._output import json_option, note, print_json, print_table

if TYPE_CHECKING:
    from optimizer.check import CheckReport

EXIT_INFEASIBLE = 4


@click.command(name="check", short_help="Validate an instance without solving it.")
@named_instance()
@click.option("--scenario", help="Named overrides of the instance.")
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", help="As in solve.")
@json_option
def command(instance: str, scenario: str | None, limits: tuple[str, ...], as_json: bool) -> None:
    """Validate INSTANCE and hold its demand against the best case of every limit; no solver starts.

    Exit code 3: invalid, every problem named. Exit code 4: arithmetic alone proves that no design exists.
    """
    from optimizer.check import check_instance
    from optimizer.cli._solving import load_with_limits

    report = check_instance(load_with_limits(instance, scenario, limits))
    if as_json:
        print_json("check", report.as_dict(), "infeasible" if report.hopeless else "complete")
    else:
        _print(report, instance)
    if report.hopeless:
        click.get_current_context().exit(EXIT_INFEASIBLE)


def _print(report: CheckReport, name: str) -> None:
    click.echo(f"{report.instance}: the instance is valid.")
    print_table(
        ((name, len(ids), " ".join(ids)) for name, ids in report.usable.items()),
        ("usable", "number", "ids"),
        right=("number",),
    )
    _print_excluded(report)
    click.echo()
    print_table(
        (
            (
                case.cluster,
                case.limit,
                f"{'at most' if case.at_most else 'at least'} {_figure(case.asked)} {case.unit}",
                "-" if case.best is None else f"{_figure(case.best)} {case.unit}",
                f"{case.largest_rate / case.demand:.2f}",
                "hopeless" if case.hopeless else "",
            )
            for case in report.limits
        ),
        ("cluster", "limit", "asks", "best case", "x demand", ""),
        title="Demand against the best case of each limit alone (x demand: the most one kind of pod delivers within it)",
        right=("best case", "x demand"),
    )
    click.echo()
    if report.hopeless:
        click.echo("No design exists; arithmetic alone proves it:")
        for problem in report.problems:
            click.echo(f"  {problem}")
    else:
        click.echo("No limit alone rules out the demand; whether they clash together only solve can tell.")
        note(f"next: optimizer solve {name}")


def _figure(value: float) -> str:
    """A figure as people write it: whole from a hundred thousand on, with an exponent only where nobody counts any more."""
    return f"{value:,.0f}" if 1e5 <= abs(value) < 1e15 else f"{value:,.6g}"


def _print_excluded(report: CheckReport) -> None:
    """Each kind of reason once, with the range of its amounts and the items it turned down."""
    kinds: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for item, stage, reason in report.excluded:
        kinds.setdefault((stage, _AMOUNT.sub(r"# \2", reason)), []).append((item, reason))
    if kinds:
        click.echo()
        print_table(
            (
                (stage, len(told), _as_one([reason for _, reason in told]), _some([item for item, _ in told]))
                for (stage, _), told in sorted(kinds.items())
            ),
            ("stage", "number", "turned down because", "items"),
            right=("number",),
        )


_AMOUNT = re.compile(r"\b(\d[\d,]*(?:\.\d+)?) (kW|kg/m2|kg)(?![\w/])")


def _as_one(reasons: list[str]) -> str:
    """Reasons that differ in amounts only as one, ``26.0 to 41.7 kW``."""
    amounts = zip(*([found[1] for found in _AMOUNT.finditer(reason)] for reason in reasons), strict=True)
    ends = []
    for values in amounts:
        ordered = sorted(set(values), key=lambda text: float(text.replace(",", "")))
        ends.append(ordered[0] if len(ordered) == 1 else f"{ordered[0]} to {ordered[-1]}")
    shown = iter(ends)
    return _AMOUNT.sub(lambda found: f"{next(shown)} {found[2]}", reasons[0])


def _some(items: list[str], most: int = 4) -> str:
    shown = ", ".join(items[:most])
    return shown if len(items) <= most else f"{shown}, and {len(items) - most} more"
