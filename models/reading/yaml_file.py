"""YAML 1.2 files with the line of every key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import InstanceError, Problem

LARGEST_FILE = 32 << 20
"""Bytes of a file that is read at all."""
MOST_VALUES = 200_000
"""Values of a document, those that aliases repeat counted each time."""


class Origins(dict[str, str]):
    """``file:line`` by dotted path."""


@dataclass(frozen=True)
class YamlDocument:
    """A file's content as plain values, and where each stands."""

    path: Path
    content: dict[str, Any]
    origins: Origins

    def where(self, path: str) -> str:
        """``file:line`` of a dotted path."""
        return self.origins.get(path, f"{self.path}:1")


def read_yaml(path: Path) -> YamlDocument:
    """The document at ``path``; InstanceError for unreadable files, syntax errors and duplicate keys."""
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    text = _text(path)
    try:
        tree = _parser().load(text)
    except DuplicateKeyError as error:
        raise InstanceError([_marked(path, error, "duplicate-key")]) from None
    except MarkedYAMLError as error:
        raise InstanceError([_marked(path, error, "yaml-syntax")]) from None
    except YAMLError as error:
        raise InstanceError([Problem("yaml-syntax", f"{path}:1", str(error))]) from None
    except RecursionError:
        raise InstanceError([Problem("yaml-syntax", f"{path}:1", "nested too deeply")]) from None
    except (ValueError, TypeError) as error:  # a value that is not of the type its tag (!!int) names
        raise InstanceError([Problem("yaml-syntax", f"{path}:1", str(error))]) from None
    if not isinstance(tree, Mapping):
        raise InstanceError(
            [Problem("yaml-syntax", f"{path}:1", "not a mapping", "keys and values, beginning with schema: 1")]
        )
    origins = Origins()
    try:
        content = _plain(tree, path, "", origins)
    except RecursionError:
        raise InstanceError([Problem("yaml-syntax", f"{path}:1", "an alias that contains itself")]) from None
    return YamlDocument(path, content, origins)


def _parser() -> Any:
    """The parser of YAML 1.2, in which days are text: what the calendar does not have is refused where it is read."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import RoundTripConstructor

    class Constructor(RoundTripConstructor):
        """Days as they are written."""

    Constructor.add_constructor("tag:yaml.org,2002:timestamp", Constructor.construct_scalar)
    parser = YAML(typ="rt")
    parser.Constructor = Constructor
    return parser


def _text(path: Path) -> str:
    """The file as text with plain line ends; devices and pipes that never end are left after ``LARGEST_FILE``."""
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
        if len(content) > LARGEST_FILE:
            problem = Problem("too-large", str(path), f"more than {LARGEST_FILE >> 20} MB", "an instance file")
            raise InstanceError([problem])
        return content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"not UTF-8 text ({error.reason})"
        raise InstanceError([Problem("unreadable", str(path), f"cannot be read: {reason}")]) from None


def _marked(path: Path, error: Any, code: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else 1
    found = str(error.problem or error).split("\n")[0]
    if code == "duplicate-key":
        found = found.split(" with value")[0]
    hint = "indent with spaces, not with tabs" if "'\\t'" in found else ""
    return Problem(code, f"{path}:{line}", found, hint=hint)


def _line(node: Any, key: Any) -> int:
    """The line of a key; of the mapping it stands in where a merge (``<<``) brought it there."""
    position = node.lc.data.get(key) if node.lc.data else None
    return int(position[0] if position is not None else node.lc.line) + 1


def _plain(node: Any, path: Path, prefix: str, origins: Origins) -> Any:
    if len(origins) > MOST_VALUES:
        problem = Problem("too-large", f"{path}:1", f"more than {MOST_VALUES:,} values", "an instance file")
        raise InstanceError([problem])
    if isinstance(node, Mapping):
        result: dict[str, Any] = {}
        for key, value in node.items():
            here = f"{prefix}{key}"
            origins[here] = f"{path}:{_line(node, key)}"
            result[str(key)] = _plain(value, path, f"{here}.", origins)
        return result
    if isinstance(node, list):
        items = []
        for number, value in enumerate(node):
            origins[f"{prefix}{number}"] = f"{path}:{node.lc.item(number)[0] + 1}"  # type: ignore[attr-defined]
            items.append(_plain(value, path, f"{prefix}{number}.", origins))
        return items
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return str(node)
