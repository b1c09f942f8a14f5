"""A document as written, whatever shape it has: values below a path, and the names in it that must exist."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

Reference = tuple[str, Any, Collection[str], str]
"""Dotted path, the name found there, the valid names, and what it names."""


def at(node: Any, *steps: str) -> Any:
    """The value below ``steps``, or None where the document has another shape."""
    for step in steps:
        node = node.get(step) if isinstance(node, Mapping) else None
    return node


def items(node: Any) -> list[tuple[str, Any]]:
    """Keys and values of a mapping; nothing of anything else."""
    return [(str(key), value) for key, value in node.items()] if isinstance(node, Mapping) else []
