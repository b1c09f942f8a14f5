"""Checkpoint sizes and storage nodes: published rules, brute force over node counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.physics import storage
from models.physics.checkpointing import plan_checkpoints
from models.physics.storage import OptimizerState, StorageLimit


def test_bytes_per_parameter():
    assert storage.checkpoint_bytes_per_parameter() == 14
    assert storage.checkpoint_bytes_per_parameter(gradient_bytes=2) == 16  # the published rule of thumb
    assert storage.checkpoint_bytes_per_parameter(OptimizerState.ADAM_8BIT) == 8
    assert storage.checkpoint_bytes_per_parameter(OptimizerState.MOMENTUM) == 10
    assert storage.checkpoint_bytes_per_parameter(OptimizerState.NONE, master_bytes=0) == 2
    assert storage.checkpoint_bytes_per_parameter(state_bytes=2) == 10  # moments in bf16


def test_size_does_not_depend_on_the_cluster_and_time_does():
    size = storage.checkpoint_bytes(405e9, 16)
    assert size == pytest.approx(6.48e12)
    assert storage.write_time(size, 2e12) == pytest.approx(3.24)
    assert storage.write_time(size, 2e12, writers=[8, 2048], writer_bandwidth=40e9) == pytest.approx([20.25, 3.24])
    assert storage.snapshot_time(size, 16384, 20e9) == pytest.approx(6.48e12 / 16384 / 20e9)
    assert storage.load_time(size, 2e12, copies_from_storage=8) == pytest.approx(8 * 3.24)
    assert storage.write_time(size, 0.0) == np.inf


def test_the_window_bandwidth_closes_the_window():
    size = 6.48e12
    bandwidth = storage.bandwidth_for_window(size, 300.0, 2.0, share=0.5)
    assert storage.write_time(size, bandwidth) == pytest.approx(0.5 * 302)
    plan = plan_checkpoints(storage.write_time(size, bandwidth), 1e-9, snapshot_time=2.0, write_share=0.5)
    assert float(plan.interval) >= 300 - 1e-9


def test_ingest_and_capacity():
    assert storage.ingest_bandwidth(1e6, 4.0, reread=0.5, burst=3.0) == pytest.approx(6e6)
    assert storage.capacity_needed(100e12, 6e12, 10, 34e12, fill=0.8) == pytest.approx(250e12)
    assert storage.usable_capacity(720e12, 8, 2, 0.05) == pytest.approx(720e12 * 0.8 * 0.95)
    with pytest.raises(ValueError, match="fill"):
        storage.capacity_needed(1.0, 1.0, 1, fill=0.0)


def brute(capacity, read, write, node, lost, least):
    for n in range(10_000):
        left = max(n - lost, 0)
        if n >= least and left * node[0] >= capacity and left * node[1] >= read and left * node[2] >= write:
            return n
    raise AssertionError


@given(
    st.integers(0, 300),
    st.integers(0, 300),
    st.integers(0, 300),
    st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 40)),
    st.integers(0, 2),
    st.integers(0, 8),
)
def test_node_count_is_the_smallest_that_does(capacity, read, write, node, lost, least):
    got = storage.storage_nodes(capacity, read, write, *node, lost=lost, least=least, node_ports=2)
    expected = brute(capacity, read, write, node, lost, least)
    if max(capacity, read, write) == 0:
        expected = least
    assert int(got.nodes) == expected
    assert int(got.ports) == 2 * expected
    if max(capacity, read, write) > 0:
        assert float(got.read) >= read
        assert float(got.write) >= write


def test_the_largest_need_names_the_limit():
    got = storage.storage_nodes(
        [9e15, 1e15, 1e15, 1e12], [1e9, 1e12, 1e9, 1e9], [1e9, 1e9, 1e12, 1e9], 500e12, 90e9, 65e9, least=3
    )
    limits = [StorageLimit(int(v)) for v in got.limit]
    assert limits == [StorageLimit.CAPACITY, StorageLimit.READ, StorageLimit.WRITE, StorageLimit.MINIMUM]
    assert got.nodes.tolist() == [19, 13, 17, 3]


def test_a_need_nothing_meets_has_no_number():
    got = storage.storage_nodes(1e12, [0.0, 1e9], 0.0, 500e12, 0.0, 1e9)
    assert got.nodes.tolist() == [2, -1]


def test_parity_may_already_allow_for_the_lost_node():
    got = storage.storage_nodes(484e12, 400e9, 200e9, 60.5e12, 71e9, 32e9, least=8, capacity_survives_loss=False)
    assert int(got.nodes) == 8
    assert float(got.write) == pytest.approx(7 * 32e9)
