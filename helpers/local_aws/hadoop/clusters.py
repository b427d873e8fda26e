"""The clusters of a server: one for each job that runs, and one that waits for the next job."""

import atexit
import itertools
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from helpers.local_aws.hadoop.cluster import ClusterSpecification, HadoopCluster
from helpers.spark import hadoop_jars, java
from helpers.spark.pyspark_folder import pyspark_folder

_END_SECONDS = 5
"""In which YARN learns that an application has ended."""


@dataclass(frozen=True)
class RunningCluster:
    """A cluster that is configured for a job.

    Attributes:
        cluster: the cluster.
        default_file_system: the URI of its HDFS.
        yarn_site: leads clients to its YARN.
        log_folders: where its nodes keep the output of containers, by their names.
    """

    cluster: HadoopCluster
    default_file_system: str
    yarn_site: Mapping[str, str]
    log_folders: Mapping[str, Path]


class Clusters:
    """Starts clusters, and keeps one that is idle, since to start its JVM and HDFS takes seconds.

    Their files lie in the folder for temporary files: HDFS does not start where a path has a blank.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._idle: HadoopCluster | None = None

    @contextmanager
    def of_job(
        self, specification: ClusterSpecification, environment: Mapping[str, str]
    ) -> Iterator[RunningCluster]:
        """Have a cluster for a job; what the job leaves in it is removed at its end.

        Args:
            specification: what YARN is to be.
            environment: variables of every container.

        Raises:
            UserError: the cluster does not start.
        """
        cluster = self._take()
        try:
            yarn_site = cluster.configure(specification, environment)
            folders = {node: cluster.log_folder(node) for node in specification.nodes}
            yield RunningCluster(cluster, cluster.default_file_system, yarn_site, folders)
        except BaseException:
            cluster.close()
            raise
        self._give_back(cluster)

    def close(self) -> None:
        """End the cluster that waits."""
        with self._lock:
            idle, self._idle = self._idle, None
            folder, self._folder = self._folder, None
        if idle:
            idle.close()
        if folder:
            shutil.rmtree(folder, ignore_errors=True)

    def _take(self) -> HadoopCluster:
        with self._lock:
            idle, self._idle = self._idle, None
            self._folder = self._folder or new_folder()
            folder = self._folder / str(next(self._numbers))
        if idle:
            if idle.is_alive:
                return idle
            idle.close()
        jars = [*hadoop_jars.ensure(), *sorted((pyspark_folder() / "jars").glob("*.jar"))]
        return HadoopCluster(java.java_home(), jars, folder)

    def _give_back(self, cluster: HadoopCluster) -> None:
        deadline = time.monotonic() + _END_SECONDS
        while cluster.is_alive and not cluster.is_idle() and time.monotonic() < deadline:
            time.sleep(0.05)
        with self._lock:
            if self._idle is None and cluster.is_alive and cluster.is_idle():
                cluster.reset()
                self._idle = cluster
                return
        cluster.close()


def new_folder() -> Path:
    """Return a new folder that names this process, after those of processes that were killed are removed."""
    for folder in Path(tempfile.gettempdir()).glob("hadoop-of-*-*"):
        owner = folder.name.split("-")[2]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"hadoop-of-{os.getpid()}-")).resolve()


CLUSTERS = Clusters()
"""Those of this process."""
atexit.register(CLUSTERS.close)
