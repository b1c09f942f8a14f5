"""``optimizer explain infeasible``: groups that clash, and what would mend it at which cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from optimizer.cli._named import named_subject
from optimizer.cli._output import json_option, note, print_json, print_table
from optimizer.cli._subject import search_options

if TYPE_CHECKING:
    from models.instance import Instance
    from optimizer.explain.infeasible import Conflict, Infeasibility, Member


@click.command(name="infeasible", short_help="Which statements clash, and the smallest repairs with their price.")
@named_subject()
@click.option("--limit", "limits", multiple=True, metavar="NAME=VALUE", help="As in solve; for an instance.")
@click.option("--repairs", default=5, show_default=True, type=click.IntRange(0, 20), help="Most repairs to price.")
@search_options
@json_option
def command(
    subject: str, limits: tuple[str, ...], repairs: int, as_json: bool, scenario: str | None, **options: Any
) -> None:
    """Explain why SUBJECT, an instance or a run folder, has no design.

    Exit code 0: explained, or a design exists. Exit code 5: stopped before the explanation was proven.
    """
    from models.errors import UsageError
    from models.shipped import shipped_instances
    from optimizer.cli._solving import load_with_limits
    from optimizer.cli._subject import effort, share, stop_unless
    from optimizer.explain.infeasible import explain_infeasible

    share(options["gap"])
    instance = _instance(subject, scenario)
    if limits:
        if subject not in shipped_instances() and not subject.endswith((".yaml", ".yml")):
            raise UsageError("--limit is for an instance: a run keeps the limits it was computed with")
        instance = load_with_limits(subject, scenario, limits)
    spent = effort("explain-infeasible", options, instance)
    found = explain_infeasible(instance, repairs=repairs, effort=spent, on_progress=lambda line: note(f"  {line}"))
    if as_json:
        print_json("explain-infeasible", found.as_dict(), "complete" if found.complete else "partial")
    else:
        _print(found)
    stop_unless(found.complete)


def _instance(name: str, scenario: str | None) -> Instance:
    """The instance meant; a run that proved infeasible holds no frontier, only its inputs are read."""
    from models.errors import UsageError
    from models.loading import load
    from optimizer.cli._named import is_instance
    from optimizer.cli._run_path import run_folder
    from optimizer.store import read_inputs, read_manifest

    if is_instance(name):
        return load(name, scenario)
    if scenario is not None:
        raise UsageError("--scenario is for an instance: a run keeps the one it was computed with")
    folder = run_folder(name)
    read_manifest(folder)  # refuses what another program, or another version of this one, has written
    return read_inputs(folder)


def _print(found: Infeasibility) -> None:
    if found.feasible:
        click.echo(f"{found.instance}: a design exists, nothing clashes.")
        return
    if found.conflict is None:
        click.echo(f"{found.instance}: not settled within the time limit.")
        return
    if found.background:
        click.echo(f"{found.instance}: no part of the catalogue can do it, whatever limit or policy is lifted:")
        for line in found.background:
            click.echo(f"  {line}")
        return
    for number, conflict in enumerate((found.conflict, *found.further)):
        _print_conflict(found.instance if not number else "And apart from that", conflict)
    if found.repairs:
        click.echo("Smallest repairs, each solved again with everything else in force:\n")
        print_table(
            (
                (
                    number,
                    "; ".join(f"{c.group.name}: {c.before} -> {c.after}" for c in r.changes),
                    None if r.tco_usd is None else f"{r.tco_usd / 1e6:,.1f}",
                    "; ".join(dict.fromkeys(c.group.owner for c in r.changes if c.group.owner)) or None,
                    _gives(r.design),
                    "" if r.certified else "not certified",
                )
                for number, r in enumerate(found.repairs, 1)
            ),
            ("", "change", "least tco [MUSD]", "to ask", "gives", ""),
            right=("least tco [MUSD]",),
        )
    elif not found.complete:
        click.echo("The time limit came before any repair was measured.")
    if found.held:
        click.echo(f"\nKept in force, too many candidates without: {', '.join(found.held)}.")
    click.echo(f"\n{found.solves} solves, {found.seconds:.1f} s. Prices are estimates where the catalogue's are.")


def _print_conflict(where: str, conflict: Conflict) -> None:
    several = len(conflict.members) > 1
    proof = "proven irreducible" if conflict.irreducible else "not proven irreducible"
    these = f"these {len(conflict.members)} together" if several else "this, whatever else is lifted"
    click.echo(f"{where}: no design meets {these} ({proof}):\n")
    print_table(
        (
            (
                m.group.kind.value,
                m.group.name,
                m.group.asks,
                _best(m),
                ": ".join(text for text in (m.group.owner, m.group.reason) if text) or None,
                m.group.where,
            )
            for m in conflict.members
        ),
        ("kind", "statement", "asks", "best with all else in force", "owner", "stated in"),
        right=("best with all else in force",),
    )
    click.echo(
        "\nLeave any one of them out and the others have a design.\n" if conflict.irreducible and several else ""
    )


def _best(member: Member) -> str | None:
    apart = " (other conflicts lifted)" if member.apart else ""
    return None if member.best is None else f"{member.best:,.7g} {member.unit}{apart}"


def _gives(design: object) -> str | None:
    choices = getattr(design, "choices", {})
    clusters = [k.partition(".")[0] for k in choices if k.endswith(".system")]
    return "; ".join(f"{choices[f'{c}.accelerators']} in {choices[f'{c}.system']}" for c in clusters) or None
