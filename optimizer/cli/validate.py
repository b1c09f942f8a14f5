"""``optimizer validate FILE...``: the physics alone against published figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from optimizer.cli._output import json_option, print_json, print_table

if TYPE_CHECKING:
    from optimizer.validation.reader import Report


@click.command(name="validate", short_help="The physics alone against published figures.")
@click.argument("files", nargs=-1, required=True, type=click.Path())
@json_option
def command(files: tuple[str, ...], as_json: bool) -> None:
    """Predict every published figure in FILES and show ours, theirs and the error; then a summary per group."""
    from pathlib import Path

    from optimizer.validation.reader import validate

    report = validate([Path(name) for name in files])
    if as_json:
        print_json("validate", report.as_dict())
    else:
        _print(report)


def _print(report: Report) -> None:
    print_table(
        (
            (
                r.id,
                r.metric,
                _number(r.predicted),
                _number(r.published),
                _percent(r.error),
                r.status.value,
                r.binding,
                r.note,
            )
            for r in report.rows
        ),
        ("id", "metric", "predicted", "published", "error", "status", "binding", "note"),
        right=("predicted", "published", "error"),
    )
    if report.groups:
        print_table(
            (
                (g.file, g.group, g.n, f"{g.mean_abs_error:.1%}", f"{g.bias:+.1%}", f"{g.worst:+.1%}")
                for g in report.groups
            ),
            ("file", "group", "n", "mean abs error", "bias", "worst"),
            title="\nGroups (rows shown for information only do not count)",
            right=("n", "mean abs error", "bias", "worst"),
        )
    if report.skipped:
        print_table(
            ((s.file, s.id, s.reason) for s in report.skipped), ("file", "id", "reason"), title="\nNot evaluated"
        )


def _number(value: object) -> str | None:
    if value is None or isinstance(value, bool):
        return None if value is None else str(value)
    return f"{value:.5g}" if isinstance(value, int | float) else str(value)


def _percent(error: float | None) -> str | None:
    return None if error is None else f"{error:+.1%}"
