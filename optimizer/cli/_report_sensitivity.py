"""``optimizer report sensitivity``: what would change the answer, by every method, as Markdown and JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from optimizer.cli._named import named_subject
from optimizer.cli._output import json_option, note, print_json
from optimizer.cli._subject import search_options


@click.command(name="sensitivity", short_help="What would change the answer, by every method, in one document.")
@named_subject()
@click.option(
    "--out",
    type=click.Path(dir_okay=False),
    help="Markdown file to write, the same data as .json beside it; stdout without.",
)
@click.option("--section", "sections", multiple=True, metavar="NAME", help="Only this section; may be repeated.")
@click.option("--force", is_flag=True, help="Write over existing files.")
@search_options
@json_option
def command(
    subject: str,
    out: str | None,
    sections: tuple[str, ...],
    force: bool,
    as_json: bool,
    scenario: str | None,
    **options: Any,
) -> None:
    """Report what would change the best design of SUBJECT, an instance or a run folder.

    Sections: limits, binding, alternatives, tornado, price-to-win, spec-to-win, why-not, switch-points, regimes, morris, sobol.
    """
    from models.errors import UsageError, nearest
    from optimizer.cli._subject import effort, share, stop_unless
    from optimizer.cli._subject import subject as read
    from optimizer.report.sensitivity_report import section_names, sensitivity_report
    from optimizer.whole_file import write_text

    for name in sections:
        if name not in section_names():
            raise UsageError(f"no section {name!r}: {nearest(name, list(section_names()))}")
    files = [] if out is None else [Path(out), Path(out).with_suffix(".json")]
    for path in files:
        if path.exists() and not force:
            raise UsageError(f"{path} exists: choose another --out, or write over it with --force")
    about = read(subject, scenario)
    found = sensitivity_report(
        about.instance,
        only=sections or None,
        gap=share(options["gap"]) or 0.005,
        effort=effort("report-sensitivity", options, about.instance),
        on_progress=lambda line: note(f"  {line}"),
    )
    if files:
        write_text(files[0], found.markdown)
        write_text(files[1], json.dumps(found.as_dict(), indent=1, sort_keys=True, allow_nan=False, default=str) + "\n")
        note(f"{files[0]}, {files[1].name}: {len(found.sections)} sections")
    if as_json:
        print_json("report-sensitivity", found.as_dict(), "complete" if found.proven else "partial")
    elif not files:
        click.echo(found.markdown, nl=False)
    stop_unless(found.proven)
