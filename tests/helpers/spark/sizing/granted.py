"""Measures what a real YARN grants: `python -m tests.helpers.spark.sizing.granted --write`.

For each cluster, the ResourceManager and NodeManagers of the embedded AWS start with the declared sizes of
its nodes. An application requests the containers that Spark would request: one for its master, which runs,
and one for each executor, which are granted but not started. This takes seconds; Spark would take a minute.
"""

import argparse
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from helpers.local_aws.hadoop.cluster import HadoopCluster
from helpers.local_aws.hadoop.clusters import CLUSTERS
from helpers.local_aws.spark_container import yarn
from helpers.spark.instances import Instance, instance
from helpers.spark.sizing import Shape
from tests.helpers.spark.sizing.comparison import CLUSTERS as COMPARED
from tests.helpers.spark.sizing.comparison import (
    CONFIGURATIONS,
    GRANTED,
    PAGE,
    Request,
    key,
    made_by_size,
    with_table,
)

CALCULATORS = {
    "memory": "org.apache.hadoop.yarn.util.resource.DefaultResourceCalculator",
    "memory and vCPU": "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator",
}
"""YARN's resource calculators by what they consider."""
PROOF = (
    ("ml.t3.medium", 1, "scan"),
    ("ml.t3.medium", 2, "scan"),
    ("ml.c7i.large", 8, "scan"),
    ("ml.t3.large", 1, "shuffle"),
    ("ml.m5.large", 8, "scan"),
    ("ml.r5.large", 6, "python"),
    ("ml.c4.xlarge", 5, "scan"),
    ("ml.c5.xlarge", 8, "shuffle"),
    ("ml.m5.xlarge", 1, "scan"),
    ("ml.m5.xlarge", 2, "scan"),
    ("ml.m5.xlarge", 8, "python"),
    ("ml.r5.xlarge", 3, "scan"),
    ("ml.r8i.xlarge", 8, "shuffle"),
    ("ml.c4.2xlarge", 4, "scan"),
    ("ml.c5.2xlarge", 8, "scan"),
    ("ml.m5.2xlarge", 7, "python"),
    ("ml.r5.2xlarge", 3, "scan"),
    ("ml.r7i.2xlarge", 8, "shuffle"),
    ("ml.c5.4xlarge", 4, "scan"),
    ("ml.c5.4xlarge", 6, "python"),
    ("ml.m5.4xlarge", 1, "scan"),
    ("ml.m5.4xlarge", 6, "scan"),
    ("ml.m5.4xlarge", 6, "python"),
    ("ml.m5.4xlarge", 6, "shuffle"),
    ("ml.r5.4xlarge", 2, "scan"),
    ("ml.r5.4xlarge", 5, "python"),
    ("ml.p5.4xlarge", 3, "scan"),
    ("ml.c6i.8xlarge", 3, "shuffle"),
    ("ml.r6i.8xlarge", 3, "scan"),
    ("ml.c5.9xlarge", 3, "scan"),
    ("ml.m4.10xlarge", 2, "python"),
    ("ml.m5.12xlarge", 3, "scan"),
    ("ml.r5.12xlarge", 2, "scan"),
    ("ml.c5.18xlarge", 1, "scan"),
    ("ml.m5.24xlarge", 1, "shuffle"),
    ("ml.r5.24xlarge", 1, "scan"),
)
"""Clusters on which YARN must grant the sizes of `make size`: one to eight nodes, up to 24 executors."""
_READY_SECONDS = 60
_HEARTBEATS = 3
"""Heartbeats of every node without another executor, after which no more are expected."""


@dataclass(frozen=True)
class Grant:
    """The executors that YARN granted.

    Attributes:
        executors: their number.
        fullest_mib: the largest memory granted on a node, including the application master.
    """

    executors: int
    fullest_mib: int


def grant(request: Request, on: Instance, count: int, counts: str) -> Grant:
    """Return what YARN grants for a request on a number of instances.

    Args:
        request: the request of the job.
        on: the instance type.
        count: the number of instances.
        counts: what YARN considers, a key of CALCULATORS.
    """
    calculator = {"yarn.scheduler.capacity.resource-calculator": CALCULATORS[counts]}
    hosts = tuple(f"algo-{number}" for number in range(1, count + 1))
    specification = yarn.specification(on, hosts, {**request.yarn_site, **calculator})
    with CLUSTERS.of_job(specification, {}) as running:
        running.addresses.result()
        application = Application(running.cluster, request)
        try:
            return application.grant()
        finally:
            application.kill()


class Application:
    """An application on YARN that requests executors without starting them.

    Args:
        cluster: the cluster.
        request: the containers to request.
    """

    def __init__(self, cluster: HadoopCluster, request: Request):
        self._hadoop, self._manager, self._request = cluster.hadoop, cluster.resource_manager, request
        self._configuration = self._manager.getConfig()
        api = self._hadoop.yarn.client.api
        self._client = api.YarnClient.createYarnClient()
        self._start(self._client)
        self._id = self._submit()
        self._enter_as_master()
        self._master = api.AMRMClient.createAMRMClient()
        self._start(self._master)
        self._master.registerApplicationMaster("127.0.0.1", 0, "")

    def grant(self) -> Grant:
        """Request the executors, and return what is granted when nothing changes anymore."""
        records, request = self._hadoop.yarn.api.records, self._request
        resource = records.Resource.newInstance(request.executor_mib, request.cores)
        for _ in range(request.executors):
            wanted = self._hadoop.yarn.client.api.AMRMClient.ContainerRequest(
                resource, None, None, records.Priority.newInstance(1)
            )
            self._master.addContainerRequest(wanted)
        granted, since = 0, self._heartbeats()
        while granted < request.executors:
            if new := self._master.allocate(0.1).getAllocatedContainers().size():
                granted, since = granted + new, self._heartbeats()
            elif all(now >= since[node] + _HEARTBEATS for node, now in self._heartbeats().items()):
                break
            time.sleep(0.02)
        return Grant(granted, max(self._used_mib()))

    def kill(self) -> None:
        """Stop the application, and wait until its memory is free."""
        self._master.stop()
        self._client.killApplication(self._id)
        self._client.stop()
        _await("YARN keeps the memory of an application", lambda: not any(self._used_mib()))

    def _start(self, service: Any) -> None:
        service.init(self._configuration)
        service.start()

    def _submit(self) -> Any:
        records = self._hadoop.yarn.api.records
        context = self._client.createApplication().getApplicationSubmissionContext()
        launch = records.ContainerLaunchContext.newInstance({}, {}, ["exec sleep 600"], {}, None, {})
        context.setAMContainerSpec(launch)
        context.setResource(records.Resource.newInstance(self._request.master_mib, 1))
        return self._client.submitApplication(context)

    def _enter_as_master(self) -> None:
        """Use the token that YARN provides to the application master's container."""
        attempt = self._manager.getRMContext().getRMApps().get(self._id).getCurrentAppAttempt()
        _await(
            "the application master does not start",
            lambda: attempt.getAppAttemptState().toString() == "LAUNCHED",
        )
        users = self._hadoop.security.UserGroupInformation
        users.setLoginUser(users.createRemoteUser("root"))
        users.getCurrentUser().addToken(attempt.getAMRMToken())

    def _heartbeats(self) -> dict[str, int]:
        nodes = self._manager.getRMContext().getRMNodes().values()
        return {
            node.getNodeID().toString(): node.getLastNodeHeartBeatResponse().getResponseId() for node in nodes
        }

    def _used_mib(self) -> list[int]:
        scheduler = self._manager.getResourceScheduler()
        nodes = self._manager.getRMContext().getRMNodes().keySet()
        return [scheduler.getNodeReport(node).getUsedResource().getMemorySize() for node in nodes]


def _await(failure: str, condition: Any) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{failure} within {_READY_SECONDS} seconds")
        time.sleep(0.02)


def compared() -> Iterator[tuple[str, list[int]]]:
    """Yield the grants for each configuration in the table, by memory only and by memory and vCPU."""
    for name, count in COMPARED:
        on = instance(name)
        for configuration, request_of in CONFIGURATIONS.items():
            request = request_of(on, count)
            if not request.is_rejected:
                found = [grant(request, on, count, counts).executors for counts in CALCULATORS]
                yield key(on, count, configuration), found


def prove(name: str, count: int, shape: str) -> Grant:
    """Verify that YARN grants the sizes of `make size` by memory and vCPU, with room for the driver.

    Raises:
        AssertionError: YARN does not grant them, or a node has too little memory.
    """
    on = instance(name)
    request, sizing = made_by_size(on, count, Shape(shape))
    found = grant(request, on, count, "memory and vCPU")
    assert found.executors == sizing.executors == request.executors, f"{found} of {request}"
    beside = sizing.driver_mib + sizing.daemons_mib + sizing.system_mib
    assert found.fullest_mib + beside <= on.memory_mib, f"{found}, beside it {beside} MiB, of {on}"
    return found


def main() -> int:
    """Run from the command line; exit with 1 unless YARN grants all sizes of `make size`."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="the table of docs/spark.md")
    options = parser.parse_args()
    failed = 0
    for name, count, shape in PROOF:
        began = time.monotonic()
        try:
            found = prove(name, count, shape)
            text = f"{found.executors} executors granted, {found.fullest_mib:,} MiB on the fullest node"
        except AssertionError as error:
            failed += 1
            text = f"FAILED: {error}"
        print(f"{count} × {name}, {shape}: {text} ({time.monotonic() - began:.1f} s)", flush=True)
    if options.write:
        GRANTED.write_text(
            json.dumps(dict(compared()), indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{len(PROOF) - failed} of {len(PROOF)} clusters are granted what make size promises")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
