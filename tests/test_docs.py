"""The documents keep up with the schema and the files."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import click
import pytest
from pydantic import BaseModel

from models.catalogue import part_types
from models.instance import Document
from models.policy import Limits
from optimizer.cli import build

ROOT = Path(__file__).resolve().parents[1]
FORMAT = (ROOT / "docs" / "instance-format.md").read_text(encoding="utf-8")


def _models(annotation: object, seen: set[type[BaseModel]]) -> None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation not in seen:
            seen.add(annotation)
            for info in annotation.model_fields.values():
                _models(info.annotation, seen)
        return
    for argument in typing.get_args(annotation):
        _models(argument, seen)


def _fields() -> list[str]:
    seen: set[type[BaseModel]] = set()
    _models(Document, seen)
    return sorted({info.alias or name for model in seen for name, info in model.model_fields.items()})


@pytest.mark.parametrize("name", _fields())
def test_every_key_of_the_schema_is_described(name: str) -> None:
    assert re.search(rf"[`{{,\[ ]{re.escape(name)}[`:,}}\]]", FORMAT), f"docs/instance-format.md does not name {name}"


def test_limits_and_required_columns_are_described() -> None:
    assert all(f"`{name}`" in FORMAT for name in Limits.model_fields)
    for kind in part_types():
        for name in ("id", "source", "confidence", "fields_unverified", "notes"):
            assert name in kind.columns()
            assert f"`{name}`" in FORMAT


@pytest.mark.parametrize("document", ["README.md", "docs/architecture.md", "docs/instance-format.md", "CHANGELOG.md"])
def test_files_named_in_documents_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    for name in re.findall(
        r"(?:models|optimizer|instances|tests|docs|scripts|benchmarks)/[A-Za-z0-9_./-]*[A-Za-z0-9_/]", text
    ):
        assert (ROOT / name).exists(), f"{document} names {name}"


def _command_lines() -> list[tuple[str, str]]:
    """(document, command line) of every ``optimizer ...`` in code of the documents, comments cut off."""
    found: list[tuple[str, str]] = []
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        text = path.read_text(encoding="utf-8")
        lines = re.findall(r"^    (?:\$ )?(optimizer [^\n]*)", text, re.MULTILINE)
        lines += re.findall(r"`(optimizer [^`\n]*)`", text)
        found += [(path.name, line.partition("#")[0].strip()) for line in lines]
    return sorted(set(found))


def _options(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}


@pytest.mark.parametrize(("document", "line"), _command_lines())
def test_command_lines_of_the_documents_exist(document: str, line: str) -> None:
    words = line.replace("[", " ").replace("]", " ").split()[1:]
    command: click.Command = build()
    known = _options(command) | {"--help"}
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        with click.Context(command) as context:
            child = command.get_command(context, words[0])
        assert child is not None, f"{document}: no command {words[0]} in '{line}'"
        command = child
        known |= _options(command)
        words = words[1:]
    for word in words:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, f"{document}: no option {word} in '{line}'"
