"""``optimizer list``: what there is to choose from."""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from optimizer.cli._output import json_option, note, print_json, print_table

if TYPE_CHECKING:
    from models.catalogue import Catalogue
    from models.parts.part import Part


class _Listing(NamedTuple):
    """Rows as plain records for JSON, and the columns of the table a person reads."""

    records: list[dict[str, Any]]
    columns: tuple[str, ...]
    right: tuple[str, ...] = ()
    remark: str = ""


def _instances(_type: str | None, _instance: str | None) -> _Listing:
    from models.errors import InstanceError
    from models.reading.yaml_file import read_yaml
    from models.shipped import shipped_instances

    records = []
    for name, path in shipped_instances().items():
        try:
            content = read_yaml(path).content
            title = str(content.get("title") or "")
        except InstanceError:
            title = "(cannot be read)"
        records.append({"name": name, "title": title, "path": str(path)})
    return _Listing(records, ("name", "title"))


def _parts(type_name: str | None, instance: str | None) -> _Listing:
    from models.catalogue import part_types
    from models.errors import UsageError, nearest_of_all

    wanted = {part_type.plural: part_type for part_type in part_types()}
    if type_name is not None:
        if type_name not in wanted:
            raise UsageError(f"no part type {type_name!r}: {nearest_of_all(type_name, list(wanted))}")
        wanted = {type_name: wanted[type_name]}
    catalogue = _catalogue(instance)
    records = [_part(kind, part) for kind in wanted.values() for part in catalogue.of(kind).values()]
    remark = "prices are estimates unless a row's source is a quote" if records else ""
    told = [plural for plural, kind in wanted.items() if kind.reference_only and catalogue.of(kind)]
    if told:
        remark += f"; nothing is computed from {', '.join(told)}"
    columns = ("type", "id", "name", "vendor", "confidence", "preliminary", "unverified", "source")
    return _Listing(records, columns, remark=remark)


def _part(kind: type[Part], part: Part) -> dict[str, Any]:
    return {
        "type": kind.plural,
        "id": part.id,
        "name": part.name,
        "vendor": part.vendor,
        "confidence": part.confidence.value,
        "preliminary": part.preliminary,
        "reference_only": kind.reference_only,
        "unverified": list(part.unverified),
        "source": part.source,
        "label": part.label,
        "owner": part.owner,
        "notes": part.notes,
    }


def _catalogue(instance: str | None) -> Catalogue:
    """The shipped catalogue, or the one an instance sees with its own rows on top."""
    if instance is not None:
        from models.loading import load

        return load(instance).catalogue
    from models.errors import InstanceError, Problem
    from models.reading.catalogue_files import read_catalogue
    from models.shipped import catalogue_folder

    problems: list[Problem] = []
    catalogue = read_catalogue([catalogue_folder()], problems)
    if problems:
        raise InstanceError(problems)
    return catalogue


def _objectives(_type: str | None, _instance: str | None) -> _Listing:
    from models.formulation.build import DEFAULT_OBJECTIVES
    from models.formulation.family import objectives

    records = [
        {
            "name": name,
            "sense": found.direction.value,
            "unit": found.unit.symbol,
            "column": found.column,
            "title": found.title,
            "default": name in DEFAULT_OBJECTIVES,
        }
        for name, found in sorted(objectives().items())
    ]
    return _Listing(records, ("name", "sense", "column", "default", "title"))


def _limits(_type: str | None, _instance: str | None) -> _Listing:
    from models.formulation.family import Direction, objectives
    from models.policy import Limits
    from models.site import Site
    from models.units import Unlimited

    # A limit stands on the bad side of its objective; what is no objective of its own is spent, so it has a ceiling.
    floors = {name for name, found in objectives().items() if found.direction is Direction.MAXIMISE}
    records = [
        _limit(name, "at least" if name in floors else "at most", info.annotation)
        for name, info in Limits.model_fields.items()
    ]
    # What a site may call unlimited is a limit of the site, set as `--limit NAME_OF_SITE.utility=4MW`.
    records += [
        _limit(f"SITE.{name}", "at most", info.annotation)
        for name, info in Site.model_fields.items()
        if Unlimited in typing.get_args(getattr(_value(info.annotation), "annotation", None))
    ]
    return _Listing(records, ("name", "sense", "unit", "dimension", "example"))


def _value(stated: Any) -> Any:
    """The field that holds the value of a ``Stated[...]``; None for other types."""
    return getattr(stated, "model_fields", {}).get("value")


def _limit(name: str, sense: str, declared: Any) -> dict[str, Any]:
    """A record of a limit: unit and example of the ``Unit`` in its field, or in a ``Stated[...] | None``; a count has none."""
    from models.units import Unit

    inner = [_value(branch) for branch in (declared, *typing.get_args(declared))]
    units = (item for field in (declared, *inner) for item in getattr(field, "metadata", ()) if isinstance(item, Unit))
    unit = next(units, None)
    symbol, dimension, example = (unit.symbol, unit.dimension, unit.example) if unit else ("", "count", "420")
    return {"name": name, "sense": sense, "unit": symbol, "dimension": dimension, "example": example}


def _backends(_type: str | None, _instance: str | None) -> _Listing:
    from optimizer.backends import available

    records = [
        {"name": found.name, "usable": found.usable, "version": found.version, "reason": found.reason}
        for found in available()
    ]
    return _Listing(records, ("name", "usable", "version", "reason"))


_KINDS: dict[str, Callable[[str | None, str | None], _Listing]] = {
    "instances": _instances,
    "parts": _parts,
    "objectives": _objectives,
    "limits": _limits,
    "backends": _backends,
}


@click.command("list", short_help="Instances, parts, objectives, limits or backends.")
@click.argument("what", type=click.Choice(sorted(_KINDS)), metavar="|".join(sorted(_KINDS)))
@click.option("--type", "type_name", metavar="TYPE", help="Parts of one type only, such as systems or switches.")
@click.option("--instance", metavar="INSTANCE", help="Parts as this instance sees them, its own catalogues on top.")
@json_option
def command(what: str, type_name: str | None, instance: str | None, as_json: bool) -> None:
    """List shipped instances, catalogue parts with their sources, objectives, limits or solver backends."""
    if what != "parts" and (type_name or instance):
        raise click.UsageError("--type and --instance go with `optimizer list parts`")
    listing = _KINDS[what](type_name, instance)
    if as_json:
        print_json(f"list-{what}", listing.records)
        return
    rows = [[_shown(record[column]) for column in listing.columns] for record in listing.records]
    print_table(rows, listing.columns, right=listing.right)
    if listing.remark:
        note(listing.remark)


def _shown(value: Any) -> str | None:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return " ".join(str(item) for item in value) or None
    return str(value) if value not in (None, "") else None
