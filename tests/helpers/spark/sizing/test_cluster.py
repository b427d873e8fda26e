from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import UserError
from helpers.spark.instances import Instance, instances
from helpers.spark.sizing import Shape, Sizing, size
from helpers.spark.sizing.cluster import LEAST_OVERHEAD_MIB, POINTERS_MIB

COUNTS = range(1, 51)
ALL = [size(instance, count) for instance in instances().values() for count in COUNTS]

SMALL = {4096: 2, 7680: 3, 8192: 3}
"""Minimum number of nodes by MiB per node, from which 90 % of the memory cannot be used.

All vCPUs of the primary run tasks, and executors are identical, so memory like the driver's is idle on each
worker. A driver needs 512 MiB of heap and 384 MiB outside of it, which is more than a tenth from this number
of nodes.
"""

any_instance = st.sampled_from(sorted(instances().values()))
any_count = st.integers(1, 50)
any_data = st.none() | st.integers(1, 10**15)
any_shape = st.sampled_from(Shape)


def primary_mib(sizing: Sizing) -> int:
    return sizing.system_mib + sizing.daemons_mib + sizing.driver_mib + sizing.yarn_mib


def test_no_node_is_asked_for_more_memory_than_it_has() -> None:
    assert [s for s in ALL if primary_mib(s) > s.instance.memory_mib] == []


def test_no_node_is_asked_for_more_vcpus_than_it_has() -> None:
    assert [s for s in ALL if s.executors_per_node * s.cores > s.instance.vcpus] == []


def test_yarn_cannot_put_one_executor_more_on_a_node() -> None:
    """By default, its scheduler considers only memory, so another executor would exceed the vCPUs."""
    assert [s for s in ALL if s.yarn_mib >= (s.executors_per_node + 1) * s.executor_mib] == []


def test_yarn_has_room_for_a_nodes_executors_and_the_application_master() -> None:
    for s in ALL:
        master = s.master_heap_mib + LEAST_OVERHEAD_MIB
        assert s.executors_per_node * s.executor_mib + master <= s.yarn_mib
        assert s.executors_per_node * s.cores + 1 <= s.yarn_vcores


def test_at_least_95_percent_of_the_vcpus_run_tasks() -> None:
    assert [s for s in ALL if s.vcpu_use < 0.95] == []


def test_at_least_90_percent_of_the_memory_is_in_use_but_on_these_small_nodes() -> None:
    below = {(s.instance.memory_mib, s.count) for s in ALL if s.count > 1 and s.memory_use < 0.9}
    assert below == {(memory, count) for memory, least in SMALL.items() for count in COUNTS if count >= least}


def test_the_smallest_nodes_give_the_driver_the_least_it_needs() -> None:
    """This shows that the exceptions above do not result from too large a driver."""
    small = [s for s in ALL if s.count >= SMALL.get(s.instance.memory_mib, 51)]
    assert {(s.driver_heap_mib, s.driver_outside_mib) for s in small} == {(512, 384)}


def test_heaps_start_and_keep_compressed_pointers() -> None:
    for s in ALL:
        assert min(s.heap_mib, s.driver_heap_mib) >= 512
        assert s.heap_mib <= POINTERS_MIB


def test_the_published_example() -> None:
    """The sample of the blog post uses 25 of 96 vCPUs; the image's advanced mode uses 85."""
    sizing = size(instances()["ml.m5.4xlarge"], 6)
    assert (sizing.executors, sizing.cores, sizing.slots) == (24, 4, 96)
    used = sizing.executors * sizing.executor_mib + sizing.driver_mib
    assert used / (6 * 65536) > 0.85


@given(any_instance, any_count, any_data, any_shape)
def test_a_size_depends_on_its_arguments_alone(instance, count, data, shape) -> None:
    assert attempt(instance, count, data, shape) == attempt(instance, count, data, shape)


@given(any_instance, any_count, any_data, any_shape)
def test_data_and_shape_never_break_a_limit(instance, count, data, shape) -> None:
    sizing = attempt(instance, count, data, shape)
    if sizing is None:
        assert instance.memory_mib == 4096
        assert shape is Shape.PYTHON
        return
    assert primary_mib(sizing) <= instance.memory_mib
    assert sizing.heap_mib + sizing.overhead_mib + sizing.python_mib == sizing.executor_mib
    assert (sizing.python_mib > 0) == (shape is Shape.PYTHON)
    assert sizing.shuffle_partitions % sizing.slots == 0
    assert sizing.shuffle_partitions >= 2 * sizing.slots


@given(any_instance, any_count, st.integers(1, 10**15), st.integers(1, 10**15), any_shape)
def test_more_data_never_gives_fewer_partitions(instance, count, one, other, shape) -> None:
    less, more = sorted((one, other))
    few, many = attempt(instance, count, less, shape), attempt(instance, count, more, shape)
    assert few is None or few.shuffle_partitions <= many.shuffle_partitions


@given(any_instance, st.integers(1, 49), any_shape)
def test_one_node_more_never_gives_less(instance, count, shape) -> None:
    fewer, more = attempt(instance, count, None, shape), attempt(instance, count + 1, None, shape)
    if fewer is not None:
        assert more.slots > fewer.slots
        assert more.executor_mib >= fewer.executor_mib


@pytest.mark.parametrize("count", [1, 2, 7, 50])
@pytest.mark.parametrize("vcpus", sorted({instance.vcpus for instance in instances().values()}))
def test_more_memory_never_gives_less_to_a_core(vcpus, count) -> None:
    same = sorted({(i.memory_mib, i) for i in instances().values() if i.vcpus == vcpus})
    for (_, small), (_, large) in pairwise(same):
        less, more = size(small, count), size(large, count)
        assert more.executor_mib / more.cores >= less.executor_mib / less.cores
        assert more.driver_mib >= less.driver_mib


def test_a_shuffle_of_known_size_has_partitions_of_at_most_128_mb() -> None:
    sizing = size(instances()["ml.m5.4xlarge"], 6, 500 * 10**9, Shape.SHUFFLE)
    assert sizing.shuffle_partitions == 3936
    assert 500e9 / sizing.shuffle_partitions <= 128e6


def test_a_huge_shuffle_does_not_overload_the_driver() -> None:
    assert size(instances()["ml.m5.large"], 2, 10**15, Shape.SHUFFLE).shuffle_partitions <= 20_004


@pytest.mark.parametrize(
    ("instance", "count", "data", "message"),
    [
        (
            Instance(2, 3000, "ml.tiny"),
            2,
            None,
            r"ml.tiny \(2 vCPU, 3,000 MiB\): .*\nHint: Use an instance with more",
        ),
        (Instance(4, 16384, "ml.m5.xlarge"), 0, None, r"1 node or more, not 0"),
        (Instance(4, 16384, "ml.m5.xlarge"), 2, 0, r"more than 0 bytes\nHint: Leave the size out"),
    ],
)
def test_what_cannot_be_sized_is_reported(instance, count, data, message) -> None:
    with pytest.raises(UserError, match=message):
        size(instance, count, data)


def attempt(instance: Instance, count: int, data: int | None, shape: Shape) -> Sizing | None:
    try:
        return size(instance, count, data, shape)
    except UserError:
        return None
