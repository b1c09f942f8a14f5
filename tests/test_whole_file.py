"""Files are there whole or not at all, and what refuses them is named by the file that was asked for."""

import errno
import os
from pathlib import Path

import networkx as nx
import pytest

from optimizer.topology import to_graphml, write_cable_schedule
from optimizer.whole_file import write_text


def _graph() -> nx.MultiGraph:
    graph = nx.MultiGraph()
    graph.add_edge("node", "leaf", medium="dac", length=2.0, level="leaf")
    return graph


WRITERS = {
    "text": lambda path: write_text(path, "content"),
    "graphml": lambda path: to_graphml(_graph(), path),
    "cables": lambda path: write_cable_schedule(_graph(), path),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_leaves_nothing_and_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as error:
        WRITERS[kind](tmp_path / "file")
    assert error.value.filename == str(tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", WRITERS)
def test_a_read_only_folder_is_told_by_the_file_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def refuses(path: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "open", refuses)
    monkeypatch.setattr(Path, "unlink", refuses)
    with pytest.raises(OSError, match="Read-only") as error:
        WRITERS[kind](tmp_path / "file")
    assert error.value.filename == str(tmp_path / "file")
