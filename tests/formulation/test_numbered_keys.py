"""Keys of large blocks are made when they are read, and read like a tuple of text."""

from __future__ import annotations

import pickle

import pytest

from models.formulation.linear import Block, Kind, Numbered


def test_they_read_like_a_tuple() -> None:
    keys = Numbered(4)
    assert list(keys) == ["p0", "p1", "p2", "p3"]
    assert (keys[2], keys[-1], keys[1:3], keys.index("p3"), len(keys)) == ("p2", "p3", ("p1", "p2"), 3, 4)
    with pytest.raises(IndexError):
        keys[4]


def test_blocks_compare_and_pickle() -> None:
    block = Block("use[train,north]", Numbered(3), Kind.BINARY)
    assert pickle.loads(pickle.dumps(block)) == block != Block("use[train,north]", Numbered(2), Kind.BINARY)
    assert len(block) == 3
