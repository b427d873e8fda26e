"""Sizes for a cluster on one machine."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import UserError
from helpers.local_aws.spark_container.image_sizing import advanced, standard
from helpers.local_aws.spark_container.sizing import LocalSizing, Machine, mebibytes, on_yarn, scale
from helpers.spark.instances import instance

LAPTOP = Machine(vcpus=8, memory_mib=16 * 1024)
SIZES = st.one_of(
    st.none(),
    st.integers(1, 10**6).map(lambda mib: f"{mib}m"),
    st.integers(1, 512).map(lambda gib: f"{gib}g"),
)
PROPERTIES = st.fixed_dictionaries(
    {},
    optional={
        "spark.executor.memory": SIZES,
        "spark.driver.memory": SIZES,
        "spark.driver.maxResultSize": SIZES,
        "spark.memory.offHeap.size": SIZES,
        "spark.executor.pyspark.memory": SIZES,
        "spark.executor.cores": st.integers(1, 96).map(str),
        "spark.executor.instances": st.integers(1, 500).map(str),
        "spark.task.cpus": st.integers(1, 8).map(str),
        "spark.default.parallelism": st.integers(1, 5000).map(str),
    },
).map(lambda properties: {name: value for name, value in properties.items() if value})


@given(PROPERTIES, st.builds(Machine, st.integers(1, 128), st.integers(4096, 10**6)))
def test_a_job_of_one_instance_never_asks_for_more_than_the_machine(
    properties: dict[str, str], machine: Machine
) -> None:
    sizing = scale(properties, machine)

    assert sizing.master == f"local[{machine.vcpus}]"
    assert mib(sizing, "spark.driver.memory") <= machine.memory_mib // 2
    assert mib(sizing, "spark.driver.maxResultSize") <= mib(sizing, "spark.driver.memory")
    assert int(sizing.properties.get("spark.task.cpus", "1")) <= machine.vcpus


def mib(sizing: LocalSizing, name: str) -> int:
    return mebibytes(name, sizing.properties.get(name, "0"))


@given(PROPERTIES)
def test_every_change_is_reported(properties: dict[str, str]) -> None:
    sizing = scale(properties, LAPTOP)
    changed = {name for name, value in properties.items() if sizing.properties.get(name) != value}
    assert {message.split()[0] for message in sizing.messages} >= changed


@given(PROPERTIES)
def test_on_yarn_every_property_is_as_the_job_has_it(properties: dict[str, str]) -> None:
    sizing = on_yarn(properties, LAPTOP, {})

    assert sizing.master == "yarn"
    assert properties.items() <= sizing.properties.items()
    assert sizing.messages == ()


def test_a_heap_that_this_machine_cannot_reserve_is_scaled_and_the_reason_reported() -> None:
    """2**47 bytes are the maximum that a process can address."""
    asked = {"spark.executor.memory": "200t", "spark.driver.memory": "1g", "spark.executor.cores": "5"}

    sizing = on_yarn(asked, LAPTOP, {})

    assert sizing.properties["spark.executor.memory"] == "4096m"
    assert (asked | {"spark.executor.memory": "4096m"}).items() <= sizing.properties.items()
    assert sizing.messages == (
        "spark.executor.memory 200t → 4096m: this machine cannot reserve a larger heap",
    )


@given(st.integers(1, 24), st.integers(1, 2**20))
def test_garbage_of_all_heaps_together_stays_within_half_of_the_machine(executors: int, heap: int) -> None:
    """A heap uses the memory that it touches: a JVM touches its whole young generation before collecting."""
    properties = {
        "spark.executor.instances": str(executors),
        **{f"spark.{part}.memory": f"{heap}m" for part in ("driver", "executor")},
    }

    sizing = on_yarn(properties, LAPTOP, {})

    for part in ("driver", "executor"):
        (young,) = re.findall(r"-XX:MaxNewSize=(\d+)m", sizing.properties[f"spark.{part}.defaultJavaOptions"])
        assert int(young) == 64 or (executors + 1) * int(young) <= LAPTOP.memory_mib // 2


def test_a_jobs_own_young_generation_prevails() -> None:
    name = "spark.executor.defaultJavaOptions"

    options = on_yarn({name: "-XX:MaxNewSize=2g"}, LAPTOP, {}).properties[name]

    assert options.split()[-1] == "-XX:MaxNewSize=2g"


def test_a_job_without_sizes_gets_moderate_ones_without_a_message() -> None:
    sizing = scale({}, LAPTOP)
    assert sizing.properties["spark.driver.memory"] == "2048m"
    assert sizing.messages == ()


def test_cluster_only_settings_are_dropped_and_reported() -> None:
    properties = {
        "spark.yarn.maxAppAttempts": "1",
        "spark.dynamicAllocation.enabled": "true",
        "spark.executor.memoryOverhead": "4g",
        "spark.executor.memory": "10g",
    }
    sizing = scale(properties, LAPTOP)
    assert not properties.keys() & sizing.properties.keys()
    assert "spark.yarn.maxAppAttempts 1 → not used: one instance runs without YARN here" in sizing.messages
    assert len(sizing.messages) == 4


def test_properties_other_than_sizes_reach_spark_unchanged() -> None:
    properties = {"spark.sql.shuffle.partitions": "400", "spark.sql.files.maxPartitionBytes": "128m"}
    sizing = scale(properties, LAPTOP)
    assert properties.items() <= sizing.properties.items()
    assert sizing.messages == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spark.driver.memory", "10 gigs"),
        ("spark.driver.memory", "1.5g"),
        ("spark.task.cpus", "all"),
    ],
)
def test_a_size_that_spark_cannot_read_is_rejected_by_name(name: str, value: str) -> None:
    with pytest.raises(UserError, match=f"spark-defaults: {name} is .*\nHint: Set it to a "):
        scale({name: value}, LAPTOP)


@pytest.mark.parametrize(("name", "value"), [("executor.memory", "1.5g"), ("executor.instances", "all")])
def test_on_yarn_too(name: str, value: str) -> None:
    with pytest.raises(UserError, match=f"spark-defaults: spark.{name} is .*\nHint: Set it to a "):
        on_yarn({f"spark.{name}": value}, LAPTOP, {})


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("spark.executor.memory", "2", 2),
        ("spark.executor.memory", "2GB", 2048),
        ("spark.executor.memory", "1048577b", 2),
        ("spark.driver.maxResultSize", "1048576", 1),
        ("spark.executor.memory", "1t", 2**20),
    ],
)
def test_sizes_are_read_as_spark_reads_them(name: str, text: str, expected: int) -> None:
    assert mebibytes(name, text) == expected


def test_this_machine_has_something_to_give() -> None:
    machine = Machine.this()
    assert machine.vcpus >= 1
    assert machine.memory_mib > 512


IMAGE = standard(instance("ml.m5.4xlarge"), 6)


def test_the_images_sizes_are_set_as_far_as_the_machine_goes_and_nothing_is_reported() -> None:
    sizing = scale({}, LAPTOP, IMAGE)

    assert sizing.messages == ()
    assert IMAGE.keys() <= sizing.properties.keys()
    assert sizing.properties["spark.executor.cores"] == "8"
    assert sizing.properties["spark.default.parallelism"] == "16"


def test_on_yarn_the_images_sizes_are_whole() -> None:
    assert IMAGE.items() <= on_yarn({}, LAPTOP, IMAGE).properties.items()


def test_a_jobs_own_sizes_prevail_over_the_images() -> None:
    own = {"spark.driver.memory": "1g", "spark.default.parallelism": "3"}

    assert own.items() <= scale(own, LAPTOP, IMAGE).properties.items()
    assert own.items() <= on_yarn(own, LAPTOP, IMAGE).properties.items()


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        # For 96 vCPUs and 393,216 MiB: the result of the image's own code, see its bootstrapper.
        (1, {"memory": "56033m", "memoryOverhead": "5603m", "cores": "16", "instances": "1"}),
        (6, {"memory": "56033m", "memoryOverhead": "5603m", "cores": "16", "instances": "6"}),
    ],
)
def test_the_standard_mode_has_an_executor_on_each_instance(count: int, expected: dict[str, str]) -> None:
    sizes = standard(instance("ml.m5.4xlarge"), count)

    assert {name: sizes[f"spark.executor.{name}"] for name in expected} == expected
    assert sizes["spark.driver.memory"] == "58982m"
    assert sizes["spark.driver.memoryOverhead"] == "5898m"
    assert sizes["spark.default.parallelism"] == str(count * 32)


def test_the_advanced_mode_has_executors_of_five_cores() -> None:
    sizes = advanced(instance("ml.m5.4xlarge"), 6)

    assert sizes["spark.executor.cores"] == "5"
    assert sizes["spark.executor.instances"] == "17"
    assert sizes["spark.executor.memory"] == sizes["spark.driver.memory"] == "18369m"
    assert sizes["spark.executor.memoryOverhead"] == "2041m"
    assert sizes["spark.default.parallelism"] == "170"
