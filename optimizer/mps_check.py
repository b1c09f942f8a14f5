"""What is wrong in an MPS file that the solver's reader would pass over in silence, and so answer another program.

Names may hold spaces in the fixed form: where the words of a file do not fall into names and numbers, only its end and its
markers are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from models.errors import InstanceError, Problem, nearest

_VALUED = ("UP", "LO", "FX", "LI", "UI", "SC")


def check_mps(text: str, path: str | Path) -> None:
    """InstanceError with file and line of every cut end, bad marker, bad number and unknown name in ``text``, read from ``path``."""
    sections: dict[str, list[tuple[int, list[str]]]] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("*"):
            continue
        if not line[0].isspace():
            section = line.split()[0].upper()
            sections.setdefault(section, [])
        else:
            sections.setdefault(section, []).append((number, line.split()))
    problems = [Problem("mps-syntax", f"{path}:{n}", found, expected) for n, found, expected in _wrong(sections)]
    if sections.get("ROWS") and "ENDATA" not in sections:
        problems.append(Problem("mps-syntax", f"{path}:{len(text.splitlines())}", "the file is cut off", "ENDATA"))
    if problems:
        raise InstanceError(problems)


def _wrong(sections: dict[str, list[tuple[int, list[str]]]]) -> Iterator[tuple[int, str, str]]:
    entries = []
    for number, words in sections.get("COLUMNS", []):
        if "'MARKER'" not in words:
            entries.append((number, words))
        elif len(words) != 3 or words[1] != "'MARKER'":
            yield number, f"marker {' '.join(words)!r}", "NAME 'MARKER' 'INTORG' or NAME 'MARKER' 'INTEND'"
    named = sections.get("ROWS", [])
    if any(len(words) != 2 for _, words in named) or any(len(words) not in (3, 5) for _, words in entries):
        return
    rows = [words[1] for _, words in named]
    columns = {words[0] for _, words in entries}
    known = set(rows)
    for number, words in entries:
        for row, value in zip(words[1::2], words[2::2], strict=True):
            if row not in known:
                yield number, f"unknown row {row!r}", nearest(row, rows)
            if not _is_number(value):
                yield number, repr(value), "a number"
    yield from _wrong_bounds(sections.get("BOUNDS", []), columns)


def _wrong_bounds(lines: Sequence[tuple[int, list[str]]], columns: set[str]) -> Iterator[tuple[int, str, str]]:
    for number, words in lines:
        if len(words) == 4 and words[0] in _VALUED:
            if words[2] not in columns:
                yield number, f"unknown column {words[2]!r}", nearest(words[2], sorted(columns))
            if not _is_number(words[3]):
                yield number, repr(words[3]), "a number"


def _is_number(text: str) -> bool:
    try:
        float(text.replace("D", "E").replace("d", "e"))
    except ValueError:
        return False
    return True
