"""``optimizer doctor``: whether this installation can do its work, and what to install where it cannot."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from models.errors import SolverError
from optimizer.cli._output import json_option, print_json, print_table

EXIT_UNFIT = 1

_RUN_EXTRAS = ("report", "study", "scip", "climate")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. ``needed`` is False for what the program can do without."""

    area: str
    name: str
    ok: bool
    found: str
    mend: str = ""
    needed: bool = True


@click.command("doctor", short_help="Check this installation.")
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Report versions, solver backends, optional extras, shipped data and whether results can be written here."""
    findings = [
        *_interpreter(),
        *_packages(),
        *_backends(),
        *_import_orders(),
        *_extras(),
        *_data(),
        _results(Path("results")),
    ]
    bad = [finding for finding in findings if finding.needed and not finding.ok]
    if as_json:
        print_json("doctor", _document(findings, not bad))
    else:
        rows = [(f.area, f.name, _verdict(f), f.found, f.mend) for f in findings]
        print_table(rows, ("area", "name", "", "found", "what to do"))
        click.echo(f"\n{_sentence(bad)}")
    if bad:
        ctx.exit(SolverError.exit_code if any(f.area in ("backend", "import order") for f in bad) else EXIT_UNFIT)


def _verdict(finding: Finding) -> str:
    if finding.ok:
        return "ok"
    return "BAD" if finding.needed else "missing"


def _sentence(bad: list[Finding]) -> str:
    if not bad:
        return "Everything needed is there."
    return "Not fit to run: " + "; ".join(f"{finding.name} ({finding.found})" for finding in bad)


def _document(findings: list[Finding], fit: bool) -> dict[str, Any]:
    return {
        "fit": fit,
        "findings": [
            {"area": f.area, "name": f.name, "ok": f.ok, "needed": f.needed, "found": f.found, "mend": f.mend}
            for f in findings
        ],
    }


def _interpreter() -> Iterator[Finding]:
    from optimizer._version import version

    yield Finding("program", "optimizer", True, version())
    fit = sys.version_info >= (3, 11)
    yield Finding(
        "program", "python", fit, f"{platform.python_version()} at {sys.executable}", "" if fit else "3.11 or newer"
    )


def _required(extra: str | None) -> list[str]:
    """Distributions this one requires: always, or with an extra. Read from its metadata, or from a checkout's pyproject."""
    from optimizer._version import DISTRIBUTION

    try:
        lines = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        import tomllib

        declared = Path(__file__).resolve().parents[2] / "pyproject.toml"
        project = tomllib.loads(declared.read_text(encoding="utf-8"))["project"]
        lines = project["dependencies"] if extra is None else project["optional-dependencies"].get(extra, [])
        return [_distribution(line) for line in lines]
    marked = [line.partition(";") for line in lines]
    if extra is None:
        return [_distribution(line) for line, _, marker in marked if "extra" not in marker]
    return [
        _distribution(line)
        for line, _, marker in marked
        if marker.replace('"', "'").replace(" ", "") == f"extra=='{extra}'"
    ]


def _distribution(requirement: str) -> str:
    """The name in a requirement line, in the one spelling that package indexes use (``SALib>=1.5`` is ``salib``)."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement.strip())
    return re.sub(r"[-_.]+", "-", name.group()).lower() if name else requirement


def _installed(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _packages() -> Iterator[Finding]:
    for name in sorted(_required(None), key=str.lower):
        found = _installed(name)
        yield Finding(
            "package", name, found is not None, found or "not installed", "" if found else f"pip install {name}"
        )


def _backends() -> Iterator[Finding]:
    from optimizer.backends import available

    usable = 0
    for backend in available():
        usable += backend.usable
        found = backend.version or backend.reason or ""
        yield Finding("backend", backend.name, backend.usable, found, needed=False)
    if not usable:
        yield Finding("backend", "any solver", False, "no backend can run", "pip install highspy")


def _import_orders() -> Iterator[Finding]:
    """Some releases of these two libraries crash when both are loaded; a process of its own finds out safely."""
    if find_spec("highspy") is None or find_spec("ortools") is None:
        return
    pair = ("highspy", "ortools.sat.python.cp_model")
    for first, second in (pair, pair[::-1]):
        outcome = subprocess.run(
            [sys.executable, "-c", f"import {first}; import {second}"], capture_output=True, check=False, timeout=120
        )
        name = f"{first.split('.')[0]} then {second.split('.')[0]}"
        ok = outcome.returncode == 0
        mend = "" if ok else "pip install 'highspy>=1.14,<1.15'"
        yield Finding("import order", name, ok, "loads" if ok else f"exit code {outcome.returncode}", mend)


def _extras() -> Iterator[Finding]:
    for extra in _RUN_EXTRAS:
        wanted = _required(extra)
        if not wanted:
            continue
        missing = [name for name in wanted if _installed(name) is None]
        found = f"missing: {', '.join(missing)}" if missing else "installed"
        mend = f"pip install 'refarch[{extra}]'" if missing else ""
        yield Finding("extra", extra, not missing, found, mend, needed=False)


def _data() -> Iterator[Finding]:
    from models.catalogue import part_types
    from models.errors import Problem
    from models.reading.catalogue_files import read_catalogue
    from models.shipped import catalogue_folder, shipped_instances

    try:
        folder = catalogue_folder()
    except FileNotFoundError as error:
        yield Finding("data", "catalogue", False, str(error), "reinstall the distribution")
        return
    problems: list[Problem] = []
    catalogue = read_catalogue([folder], problems)
    count = sum(len(catalogue.of(kind)) for kind in part_types())
    found = f"{count} parts in {folder}" if not problems else f"{len(problems)} problems in {folder}"
    yield Finding("data", "catalogue", not problems and count > 0, found, str(problems[0]) if problems else "")
    names = shipped_instances()
    yield Finding("data", "instances", bool(names), f"{len(names)} shipped")


def _results(folder: Path) -> Finding:
    """Whether a run folder can be made here: tried with a file that is gone again afterwards."""
    place = folder if folder.is_dir() else Path()
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".doctor-"):
            pass
    except OSError as error:
        return Finding(
            "results", str(place.resolve()), False, error.strerror or str(error), "solve with --out elsewhere"
        )
    return Finding("results", str(place.resolve()), True, "writable")
