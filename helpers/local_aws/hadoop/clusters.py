"""The clusters of a server: one per running job, and one idle cluster for the next job.

A JVM and its YARN take seconds to start, and a job needs them only when its driver requests executors. Both
start in the background: the JVM during the download of the job's inputs, YARN during the start of the driver.
"""

import atexit
import itertools
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from helpers.local_aws.hadoop.background import in_background
from helpers.local_aws.hadoop.class_data_sharing import class_path, shared_classes
from helpers.local_aws.hadoop.cluster import CLIENT_ADDRESSES, ClusterSpecification, HadoopCluster
from helpers.local_aws.hadoop.on_demand import OnDemand
from helpers.spark import java

_END_SECONDS = 5
"""Time for YARN to notice that an application has ended."""


@dataclass(frozen=True)
class RunningCluster:
    """The cluster of a job, whose YARN may still be starting.

    Attributes:
        cluster: the cluster.
        addresses: the addresses of YARN by property as soon as it runs, or the error of its start.
        default_file_system: the URI of its HDFS.
        yarn_site: the configuration of YARN for clients, which wait at its addresses until it runs.
        log_folders: the folders with the output of containers, by node name.
    """

    cluster: HadoopCluster
    addresses: Future[Mapping[str, str]]
    default_file_system: str
    yarn_site: Mapping[str, str]
    log_folders: Mapping[str, Path]


class Clusters:
    """Starts clusters, and keeps an idle one for the next job.

    Their files are in the system's temporary folder: HDFS does not start if a path contains a blank.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._idle: Future[HadoopCluster] | None = None

    def expect_job(self) -> None:
        """Start a JVM for the next job in the background, unless one is idle; that job raises any error."""
        with self._lock:
            if self._idle is None or (self._idle.done() and self._idle.exception()):
                self._idle = self._start()

    @contextmanager
    def of_job(
        self, specification: ClusterSpecification, environment: Mapping[str, str]
    ) -> Iterator[RunningCluster]:
        """Provide a cluster for a job; the files of the job are removed afterwards.

        Args:
            specification: the requested YARN cluster.
            environment: variables of every container.

        Raises:
            UserError: the JVM does not start; or YARN does not, which is raised at the end of the block.
        """
        cluster = self._acquire()
        try:
            with ExitStack() as stack:
                addresses = in_background(lambda: cluster.configure(specification, environment))
                ports = {
                    name: stack.enter_context(closing(OnDemand(partial(_port, addresses, name)))).port
                    for name in CLIENT_ADDRESSES
                }
                clients = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
                yield RunningCluster(
                    cluster,
                    addresses,
                    cluster.default_file_system,
                    {**dict(specification.yarn_site), **clients},
                    {node: cluster.log_folder(node) for node in specification.nodes},
                )
                addresses.result()
        except BaseException:
            cluster.close()
            raise
        self._release(cluster)

    def close(self) -> None:
        """Stop the idle cluster."""
        with self._lock:
            idle, self._idle = self._idle, None
            folder, self._folder = self._folder, None
        if idle and not idle.exception():
            idle.result().close()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)

    def _acquire(self) -> HadoopCluster:
        with self._lock:
            expected, self._idle = self._idle or self._start(), None
        cluster = expected.result()
        if cluster.is_alive:
            return cluster
        cluster.close()
        with self._lock:
            started = self._start()
        return started.result()

    def _start(self) -> Future[HadoopCluster]:
        self._folder = self._folder or new_folder()
        folder = self._folder / str(next(self._numbers))

        def start() -> HadoopCluster:
            return HadoopCluster(java.java_home(), class_path(), folder, shared_classes())

        return in_background(start)

    def _release(self, cluster: HadoopCluster) -> None:
        deadline = time.monotonic() + _END_SECONDS
        while cluster.is_alive and not cluster.is_idle() and time.monotonic() < deadline:
            time.sleep(0.05)
        with self._lock:
            if self._idle is None and cluster.is_alive and cluster.is_idle():
                cluster.reset()
                self._idle = Future()
                self._idle.set_result(cluster)
                return
        cluster.close()


def new_folder() -> Path:
    """Return a new folder named after this process; remove the folders of killed processes."""
    for folder in Path(tempfile.gettempdir()).glob("hadoop-of-*-*"):
        owner = folder.name.split("-")[2]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"hadoop-of-{os.getpid()}-")).resolve()


def _port(addresses: Future[Mapping[str, str]], name: str) -> int:
    return int(addresses.result()[name].rpartition(":")[2])


CLUSTERS = Clusters()
"""The clusters of this process."""
atexit.register(CLUSTERS.close)
