"""The documents keep up with the schema and the files."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import pytest
from pydantic import BaseModel

from models.catalogue import part_types
from models.instance import Document
from models.policy import Limits

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
