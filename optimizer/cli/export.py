"""``optimizer export RUN --format csv|parquet|xlsx|md``: the Pareto table for other programs and other people."""

from __future__ import annotations

from pathlib import Path

import click

from optimizer.cli._named import named_run
from optimizer.cli._output import json_option, note, print_json


@click.command(name="export", short_help="Write the Pareto table of a run as CSV, Parquet, a workbook or Markdown.")
@named_run()
@click.option("--format", "form", default="csv", show_default=True, help="csv, parquet, xlsx or md.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False),
    help="File to write. Without it: csv and md to stdout, others beside the run's files.",
)
@click.option("--force", is_flag=True, help="Write over an existing file.")
@json_option
def command(run: str, form: str, out: str | None, force: bool, as_json: bool) -> None:
    """Write the Pareto table of RUN: units, direction, bound or proof, and sources.

    The workbook has a sheet each for designs, columns, bills of material and sources, and the manifest on its last.
    """
    from models.errors import UsageError
    from optimizer.cli._run_path import run_folder
    from optimizer.export.pareto_table import table_of_run
    from optimizer.export.writing import find_format
    from optimizer.whole_file import write_bytes

    chosen = find_format(form)
    folder = run_folder(run)
    table = table_of_run(folder)
    if out is None and chosen.text and not as_json:
        click.echo(chosen.render(table).decode("utf-8"), nl=False)
        return
    path = Path(out) if out is not None else folder / f"pareto{chosen.suffix}"
    if path.exists() and not force:
        raise UsageError(f"{path} exists: choose another --out, or write over it with --force")
    write_bytes(path, chosen.render(table))
    if as_json:
        columns = [vars(column) for column in table.columns]
        print_json(
            "export",
            {"format": form, "out": str(path), "designs": len(table.rows), "columns": columns, "proof": table.proof},
        )
    else:
        note(f"{path}: {table.title}")
