"""YARN grants the sizes of `make size`; `python -m tests.helpers.spark.sizing.granted` tests more."""

import time
from dataclasses import replace

import pytest

from helpers.local_aws.hadoop.cluster import HadoopCluster
from helpers.local_aws.hadoop.clusters import CLUSTERS
from helpers.local_aws.spark_container import yarn
from helpers.spark.instances import instance
from tests.helpers.spark.sizing.comparison import made_by_size
from tests.helpers.spark.sizing.granted import PROOF, grant, prove

M5_4XLARGE = instance("ml.m5.4xlarge")
SIX = [case for case in PROOF if case[:2] == ("ml.m5.4xlarge", 6)]
"""These cases share one YARN."""


@pytest.mark.parametrize(("name", "count", "shape"), SIX, ids=[shape for _, _, shape in SIX])
def test_every_executor_is_granted_next_to_application_master_and_driver(name, count, shape) -> None:
    assert prove(name, count, shape).executors == 24


def test_of_thirty_executors_yarn_grants_those_that_have_room() -> None:
    request, _ = made_by_size(M5_4XLARGE, 6)

    assert grant(replace(request, executors=30), M5_4XLARGE, 6, "memory and vCPU").executors == 24


def test_an_executor_that_is_too_large_for_the_application_masters_node_is_not_granted() -> None:
    request, _ = made_by_size(M5_4XLARGE, 6)
    too_large = replace(request, executor_mib=request.executor_mib + 1)

    assert grant(too_large, M5_4XLARGE, 6, "memory and vCPU").executors == 23


def test_a_cluster_is_kept_for_the_next_job() -> None:
    request, _ = made_by_size(M5_4XLARGE, 6)
    specification = yarn.specification(M5_4XLARGE, ("algo-1",), request.yarn_site)

    with CLUSTERS.of_job(specification, {}) as before:
        hdfs = before.cluster._hdfs
    grant(replace(request, executors=2), M5_4XLARGE, 1, "memory")
    with CLUSTERS.of_job(specification, {}) as after:
        assert after.cluster is before.cluster
        assert after.cluster._hdfs is hdfs, "nothing has used it"


def wait_for_heartbeats(cluster: HadoopCluster, milliseconds: int) -> None:
    """Wait until the ResourceManager has asked every node to report at this interval."""
    deadline = time.monotonic() + 60
    while True:
        nodes = cluster.resource_manager.getRMContext().getRMNodes().values()
        intervals = [node.getLastNodeHeartBeatResponse().getNextHeartBeatInterval() for node in nodes]
        if set(intervals) == {milliseconds}:
            return
        assert time.monotonic() < deadline, intervals
        time.sleep(0.05)


def test_nodes_report_rarely_between_jobs() -> None:
    request, _ = made_by_size(M5_4XLARGE, 6)
    specification = yarn.specification(M5_4XLARGE, ("algo-1",), request.yarn_site)

    with CLUSTERS.of_job(specification, {}) as first:
        first.addresses.result()
        wait_for_heartbeats(first.cluster, 100)
    wait_for_heartbeats(first.cluster, 3000)
    with CLUSTERS.of_job(specification, {}) as second:
        second.addresses.result()
        assert second.cluster is first.cluster
        wait_for_heartbeats(second.cluster, 100)
