"""Sizes for a cluster on one machine."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import UserError
from helpers.local_aws.spark_container.image_sizing import advanced, standard
from helpers.local_aws.spark_container.sizing import Machine, mebibytes, scale
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


@given(PROPERTIES, st.integers(1, 100), st.builds(Machine, st.integers(1, 128), st.integers(4096, 10**6)))
def test_a_job_never_asks_for_more_than_the_machine(
    properties: dict[str, str], instances: int, machine: Machine
) -> None:
    sizing = scale(properties, instances, machine)
    driver = mebibytes("spark.driver.memory", sizing.properties["spark.driver.memory"])
    if instances == 1:
        assert sizing.master == f"local[{machine.vcpus}]"
        assert driver <= machine.memory_mib // 2
        return
    workers, cores, memory = map(int, re.findall(r"\d+", sizing.master))
    executor = sum(
        mebibytes(name, sizing.properties.get(name, "0"))
        for name in ("spark.executor.memory", "spark.memory.offHeap.size", "spark.executor.pyspark.memory")
    )
    assert mebibytes("spark.executor.memory", sizing.properties["spark.executor.memory"]) == memory
    assert 2 <= workers <= max(2, instances)
    assert workers * cores <= max(2, machine.vcpus)
    assert workers * executor <= machine.memory_mib // 2
    assert workers * executor + driver <= machine.memory_mib
    assert int(sizing.properties.get("spark.task.cpus", "1")) <= cores


@given(PROPERTIES, st.integers(1, 10))
def test_every_change_is_said(properties: dict[str, str], instances: int) -> None:
    sizing = scale(properties, instances, LAPTOP)
    changed = {name for name, value in properties.items() if sizing.properties.get(name) != value}
    assert {sentence.split()[0] for sentence in sizing.sentences} >= changed


def test_a_cluster_becomes_executors_that_share_the_machine() -> None:
    given_ = {"spark.executor.memory": "48g", "spark.executor.cores": "5", "spark.executor.instances": "17"}
    sizing = scale(given_, 6, LAPTOP)
    assert sizing.master == "local-cluster[6,1,1365]"
    assert (
        "spark.executor.memory 48g → 1365m: 6 executors share this machine's 8 vCPU and 16 GiB"
        in sizing.sentences
    )
    assert (
        "spark.executor.instances 17 → 6: 6 executors share this machine's 8 vCPU and 16 GiB"
        in sizing.sentences
    )


def test_a_job_without_sizes_gets_moderate_ones_and_nothing_is_said_of_them() -> None:
    sizing = scale({}, 2, LAPTOP)
    assert sizing.master == "local-cluster[2,4,2048]"
    assert sizing.sentences == ()


def test_what_only_a_cluster_has_is_dropped_and_said() -> None:
    properties = {
        "spark.yarn.maxAppAttempts": "1",
        "spark.dynamicAllocation.enabled": "true",
        "spark.executor.memoryOverhead": "4g",
        "spark.executor.memory": "10g",
    }
    sizing = scale(properties, 1, LAPTOP)
    assert not properties.keys() & sizing.properties.keys()
    assert "spark.yarn.maxAppAttempts 1 → not used: YARN does not run here" in sizing.sentences
    assert len(sizing.sentences) == 4


def test_what_is_no_size_reaches_spark_unchanged() -> None:
    properties = {"spark.sql.shuffle.partitions": "400", "spark.sql.files.maxPartitionBytes": "128m"}
    sizing = scale(properties, 3, LAPTOP)
    assert properties.items() <= sizing.properties.items()
    assert sizing.sentences == ()


def test_sizes_that_fit_stay() -> None:
    properties = {"spark.executor.memory": "1g", "spark.executor.cores": "2", "spark.driver.memory": "1g"}
    assert scale(properties, 2, LAPTOP).master == "local-cluster[2,2,1024]"
    assert scale(properties, 2, LAPTOP).sentences == ()


def test_a_machine_too_small_for_two_executors_is_refused() -> None:
    with pytest.raises(
        UserError, match=r"2 executors of 1024 MiB each do not fit into half of .* 3 GiB: run"
    ):
        scale({}, 2, Machine(2, 3072))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("spark.executor.memory", "10 gigs"),
        ("spark.executor.memory", "1.5g"),
        ("spark.executor.cores", "all"),
    ],
)
def test_a_size_that_spark_cannot_read_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(UserError, match=f"spark-defaults: {name} must be"):
        scale({name: value}, 2, LAPTOP)


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


def test_the_images_sizes_are_set_as_far_as_the_machine_goes_and_nothing_is_said() -> None:
    one, many = scale({}, 1, LAPTOP, IMAGE), scale({}, 6, LAPTOP, IMAGE)

    assert one.sentences == many.sentences == ()
    assert IMAGE.keys() <= one.properties.keys()
    assert IMAGE.keys() <= many.properties.keys()
    assert many.master == "local-cluster[6,1,1365]"
    assert many.properties["spark.executor.instances"] == "6"
    assert many.properties["spark.default.parallelism"] == "12"
    assert one.properties["spark.executor.cores"] == "8"


def test_a_jobs_own_sizes_prevail_over_the_images() -> None:
    own = {"spark.executor.memory": "1g", "spark.default.parallelism": "3"}

    assert own.items() <= scale(own, 2, LAPTOP, IMAGE).properties.items()


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        # Of 96 vCPU and 393,216 MiB: what the image's own code gives, see its bootstrapper.
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
