"""Faults of YARN that also occur on AWS: a job recovers, or fails with YARN's message and a remedy."""

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from helpers.local_aws.containers.container_job import ContainerExit
from helpers.local_aws.hadoop.cluster import HadoopCluster
from helpers.spark.last_exception import last_exception
from tests.helpers.local_aws.spark_container.job_container import CODE, EXECUTORS, Container
from tests.spark_submit import library

pytestmark = pytest.mark.faults

NODE_MIB = 1800
"""Memory for two executors of 896 MiB, or for the application master of 1,384."""
SMALL = {
    **EXECUTORS,
    "spark.executor.instances": "2",
    "spark.executor.cores": "2",
    "spark.executor.memory": "512m",
    "spark.executor.memoryOverhead": "384m",
    "spark.driver.memory": "512m",
    "spark.yarn.am.memory": "1000m",
}
ATTEMPTS = {"yarn.resourcemanager.am.max-attempts": 2}
FAULTS = """
import json, os, sys, time
from pyspark.sql import SparkSession
from etl.errors import JobError
from etl.failures import SPARK_ERRORS, spark_failure

marks = sys.argv[1]
context = SparkSession.builder.appName("faults").getOrCreate().sparkContext

def until_it_is_done(number):
    while not os.path.exists(f"{marks}/{fault}"):
        time.sleep(0.05)
    return number

def beyond_the_limit(number):
    if number == 0:
        block = b"x" * 900_000_000
        time.sleep(60)
    return number

for fault in ("executor killed", "memory", "node lost", "master preempted", "master killed"):
    while context._jsc.sc().getExecutorIds().size() < 2:
        time.sleep(0.05)
    print("FAULT", fault, flush=True)
    task = beyond_the_limit if fault == "memory" else until_it_is_done
    try:
        found = context.parallelize(range(8), 4).map(task).sum()
    except SPARK_ERRORS as error:
        found = spark_failure(error)
        if fault == "master killed":
            raise JobError(found)
    print(f"{fault}:", json.dumps(found), flush=True)
"""
TOTAL = sum(range(8))


@pytest.fixture(scope="module")
def cluster() -> Iterator[list[HadoopCluster]]:
    """The clusters of this module's jobs, newest last."""
    clusters: list[HadoopCluster] = []
    configure = HadoopCluster.configure

    def remember(self: HadoopCluster, *arguments: Any) -> Any:
        clusters.append(self)
        return configure(self, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HadoopCluster, "configure", remember)
        yield clusters


@pytest.fixture(scope="module")
def job(
    tmp_path_factory: pytest.TempPathFactory, endpoint: str, cluster: list[HadoopCluster]
) -> tuple[Container, ContainerExit]:
    """One job that experiences all faults of its cluster, to save time."""
    marks = tmp_path_factory.mktemp("marks")
    container = Container(tmp_path_factory.mktemp("faults"), endpoint)
    faults = {
        "executor killed": kill_executor,
        "node lost": lambda: lose_a_node(cluster[-1]),
        "master preempted": lambda: preempt_master(cluster[-1]),
        "master killed": lambda: kill_masters(cluster[-1]),
    }

    def reaction(fault: str, inflict: Callable[[], None]) -> Callable[[], None]:
        def react() -> None:
            inflict()
            (marks / fault).touch()

        return react

    container.reactions = {f"FAULT {fault}": reaction(fault, inflict) for fault, inflict in faults.items()}
    container.write(f"{CODE}/app.py", FAULTS)
    shipped = container.root / "opt/ml/processing/input/py/etl.zip"
    shipped.parent.mkdir(parents=True)
    shutil.copy(library(), shipped)
    configure(container, {"spark.task.maxFailures": "2"})
    ended = container.run(
        "--py-files", "/opt/ml/processing/input/py", f"{CODE}/app.py", str(marks), instances=3
    )
    return container, ended


def configure(container: Container, properties: dict[str, str]) -> None:
    document = [
        {"Classification": "spark-defaults", "Properties": SMALL | properties},
        {
            "Classification": "yarn-site",
            "Properties": {"yarn.nodemanager.resource.memory-mb": NODE_MIB, **ATTEMPTS},
        },
    ]
    container.write("/opt/ml/processing/input/conf/configuration.json", json.dumps(document))


def java(name: str) -> list[psutil.Process]:
    """Return the JVMs of this job that run a class of Spark."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if process.name() == "java" and name in " ".join(process.cmdline()):
                found.append(process)
    return found


def executors() -> list[psutil.Process]:
    return java("YarnCoarseGrainedExecutorBackend")


def kill_executor() -> None:
    executors()[0].kill()


def node_of(process: psutil.Process) -> str:
    return next(part for part in Path(process.cwd()).parts if part.startswith("algo-"))


def lose_a_node(cluster: HadoopCluster) -> None:
    """Stop a NodeManager that has an executor, and wait until it has none."""
    lost = executors()[0]
    cluster.stop_node(node_of(lost))
    lost.wait(30)


def preempt_master(cluster: HadoopCluster) -> None:
    """Preempt the container of the application master, and wait for the next attempt."""
    server = cluster.hadoop.yarn.server.resourcemanager
    attempt = running(cluster).getCurrentAppAttempt()
    master = attempt.getMasterContainer().getId()
    utilities = server.scheduler.SchedulerUtils
    status = utilities.createPreemptedContainerStatus(master, utilities.PREEMPTED_CONTAINER)
    kill = server.rmcontainer.RMContainerEventType.KILL
    scheduler = cluster.resource_manager.getResourceScheduler()
    scheduler.completedContainer(scheduler.getRMContainer(master), status, kill)
    await_attempt(cluster, 2)


def kill_masters(cluster: HadoopCluster) -> None:
    """Kill the application master in each attempt of YARN; preempted attempts do not count."""
    java("ExecutorLauncher")[0].kill()
    await_attempt(cluster, 3)
    java("ExecutorLauncher")[0].kill()


def running(cluster: HadoopCluster) -> Any:
    (application,) = cluster.resource_manager.getRMContext().getRMApps().values()
    return application


def await_attempt(cluster: HadoopCluster, number: int) -> None:
    """Wait until an application master has registered."""
    application, deadline = running(cluster), time.monotonic() + 60
    while (
        len(application.getAppAttempts()) < number
        or application.getCurrentAppAttempt().getAppAttemptState().toString() != "RUNNING"
    ):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_job_recovers_from_a_killed_executor(job: tuple[Container, ContainerExit]) -> None:
    container, _ = job

    assert container.printed("executor killed:") == TOTAL
    assert any("Lost executor" in line and "Exit status: 137" in line for line in container.lines)


def test_an_executor_above_its_memory_limit_is_killed_with_yarns_message(
    job: tuple[Container, ContainerExit],
) -> None:
    container, _ = job

    printed = container.printed("memory:")

    assert "Container killed by YARN for exceeding physical memory limits" in printed
    assert "of 896 MB physical memory used" in printed
    assert "raise spark.executor.memoryOverhead in configuration.json" in printed


def test_a_job_recovers_from_a_lost_node(job: tuple[Container, ContainerExit]) -> None:
    container, _ = job

    assert container.printed("node lost:") == TOTAL
    lines = container.lines
    meanwhile = lines[lines.index("FAULT node lost") : lines.index(f"node lost: {TOTAL}")]
    # The reason is YARN's, unless the driver notices before YARN reports it.
    assert any("Lost executor" in line for line in meanwhile)


def test_a_job_recovers_from_a_preempted_application_master(job: tuple[Container, ContainerExit]) -> None:
    container, _ = job

    assert container.printed("master preempted:") == TOTAL


def test_a_killed_application_master_ends_the_job_with_yarns_message(
    job: tuple[Container, ContainerExit],
) -> None:
    container, ended = job

    name, printed = last_exception(container.lines) or ("", "")

    assert ended.code == 1
    assert name == "JobError"
    assert "failed 2 times" in printed
    assert "exitCode: 137" in printed
    assert "yarn.resourcemanager.am.max-attempts" in printed


SESSION = """
from pyspark.sql import SparkSession
SparkSession.builder.getOrCreate()
"""


def test_an_executor_larger_than_a_node_is_rejected_with_yarns_message(container: Container) -> None:
    container.write(f"{CODE}/app.py", SESSION)
    configure(container, {"spark.executor.memory": "2g"})

    ended = container.run(f"{CODE}/app.py", instances=3)

    name, printed = last_exception(container.lines) or ("", "")
    assert ended.code == 1
    assert name == "IllegalArgumentException"
    assert "Required executor memory (2048 MB)" in printed
    assert f"above the max threshold ({NODE_MIB} MB) of this cluster" in printed
    assert "make size" in printed


def test_a_missing_file_is_named(container: Container, s3: Any) -> None:
    container.write(f"{CODE}/app.py", SESSION)
    configure(container, {})

    ended = container.run("--files", "s3://data/none.json", f"{CODE}/app.py", instances=3)

    name, printed = last_exception(container.lines) or ("", "")
    assert ended.code == 1
    assert name == "FileNotFoundException"
    assert "s3://data/none.json" in printed
