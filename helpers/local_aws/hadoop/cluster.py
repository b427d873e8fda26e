"""A Hadoop cluster in one JVM: HDFS, a ResourceManager, and a NodeManager for each instance of a job.

The daemons are Hadoop's own, started as on separate nodes, with free ports on loopback. The JVM and HDFS are
reused by the next job. YARN is also reused if that job has the same instances and configuration.
"""

import shutil
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.errors import UserError
from helpers.local_aws.hadoop.java_process import JavaProcess
from helpers.local_aws.hadoop.on_demand import OnDemand
from helpers.local_aws.hadoop.proxy_certificate import proxy_certificate
from helpers.spark import java

_ANY_PORT = "127.0.0.1:0"
_READY_SECONDS = 60
_STARTS = 4
"""NodeManagers that start at the same time."""
_OPTIONS = (
    *java.QUICK_START,
    "-Xmx1g",
    "-Djava.net.preferIPv4Stack=true",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
)
_HEARTBEAT = "yarn.resourcemanager.nodemanagers.heartbeat-interval-ms"
_IDLE_HEARTBEAT_MS = "3000"
"""Between jobs, the heartbeats of three nodes would otherwise keep a tenth of a core busy."""
_WEB_APPLICATIONS = Path("src", "main", "webapps")
"""The folder below the working directory in which daemons look for their web pages first. It stays empty:
otherwise, each daemon unpacks a jar of 20 MB with pages that are not used."""
_WEB_APPLICATION_NAMES = ("cluster", "datanode", "hdfs", "node", "static")
_HDFS = {
    "dfs.replication": "1",
    "dfs.permissions.enabled": "false",
    "dfs.namenode.fs-limits.min-block-size": "0",
}
_YARN = {
    "yarn.resourcemanager.hostname": "127.0.0.1",
    **{
        f"yarn.resourcemanager.{part}address": _ANY_PORT
        for part in ("", "scheduler.", "resource-tracker.", "admin.", "webapp.")
    },
    # Reject a container larger than every node immediately, not after ten seconds.
    "yarn.resourcemanager.work-preserving-recovery.scheduling-wait-ms": "0",
    "yarn.scheduler.capacity.root.queues": "default",
    "yarn.scheduler.capacity.root.default.capacity": "100",
    _HEARTBEAT: "100",
    # A laptop's disk may be more than 90 % full. YARN checks this at startup even without the checker.
    "yarn.nodemanager.disk-health-checker.enable": "false",
    "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": "100",
    "yarn.nodemanager.hostname": "127.0.0.1",
    "yarn.nodemanager.bind-host": "127.0.0.1",
    **{
        f"yarn.nodemanager.{part}address": _ANY_PORT
        for part in ("", "localizer.", "collector-service.", "webapp.")
    },
    # An error of one daemon must not end the others.
    "yarn.dispatcher.exit-on-error": "false",
    # Without it, Hadoop leaves memory checks to the kernel (YARN-11967), which knows no containers here.
    "yarn.nodemanager.resource.memory.enforced": "false",
    "yarn.nodemanager.container-monitor.interval-ms": "1000",
    "yarn.nodemanager.process-kill-wait.ms": "500",
}
"""Settings for a cluster on loopback, in addition to the job's configuration."""
CLIENT_ADDRESSES = ("yarn.resourcemanager.address", "yarn.resourcemanager.scheduler.address")
"""Properties with the addresses that Spark and its application master connect to."""
_LOG4J2 = """\
rootLogger.level=warn
rootLogger.appenderRef.file.ref=file
appender.file.type=File
appender.file.name=file
appender.file.fileName={file}
appender.file.layout.type=PatternLayout
appender.file.layout.pattern=%d{{HH:mm:ss.SSS}} %p %c{{1}}: %m%n%ex
"""


@dataclass(frozen=True)
class ClusterSpecification:
    """The requested cluster.

    Attributes:
        nodes: the names of the nodes.
        yarn_site: the configuration of YARN.
    """

    nodes: tuple[str, ...]
    yarn_site: tuple[tuple[str, str], ...]


class HadoopCluster:
    """A cluster on loopback.

    Args:
        java_home: folder of the Java installation.
        class_path: the jars of Hadoop's daemons, then those of pyspark.
        folder: folder for the files of the daemons and containers.
        options: additional JVM options.

    Attributes:
        hadoop: Hadoop's packages in the JVM.
        resource_manager: the ResourceManager in the JVM; None before the first job.

    Raises:
        UserError: the JVM did not start.
    """

    def __init__(
        self,
        java_home: Path,
        class_path: Sequence[Path],
        folder: Path,
        options: Sequence[str] = (),
    ):
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        log4j2, silent = folder / "log4j2.properties", folder / "logging.properties"
        log4j2.write_text(_LOG4J2.format(file=folder / "daemons.log"))
        silent.write_text(".level=OFF\n")  # Jersey has a separate logger
        for name in _WEB_APPLICATION_NAMES:
            (folder / _WEB_APPLICATIONS / name).mkdir(parents=True, exist_ok=True)
        own = (
            *_OPTIONS,
            f"-Djava.io.tmpdir={folder}",
            f"-Dlog4j2.configurationFile={log4j2}",
            f"-Djava.util.logging.config.file={silent}",
        )
        self._java = JavaProcess(java_home, class_path, (*own, *options), folder)
        self.hadoop = self._java.packages.org.apache.hadoop
        # Several daemons of the same kind run in one JVM.
        self.hadoop.metrics2.lib.DefaultMetricsSystem.setMiniClusterMode(True)
        self._hdfs: Any = None
        self._name_node = OnDemand(self._start_hdfs)
        self.resource_manager: Any = None
        self._nodes: dict[str, Any] = {}
        self._specification: ClusterSpecification | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the JVM runs."""
        return self._java.is_alive

    @property
    def default_file_system(self) -> str:
        """Return the URI of HDFS. HDFS starts on first use: most jobs need only S3."""
        return f"hdfs://127.0.0.1:{self._name_node.port}"

    @property
    def staging_folder(self) -> Path:
        """Return the folder for the files that Spark distributes to its containers."""
        return self._folder / "staging"

    def configure(
        self, specification: ClusterSpecification, environment: Mapping[str, str]
    ) -> Mapping[str, str]:
        """Start YARN for a job, and return its addresses for clients by property.

        Args:
            specification: the requested YARN cluster.
            environment: variables of every container, such as the credentials of the job's role.

        Raises:
            UserError: A NodeManager did not register.
        """
        if specification != self._specification:
            self._stop_yarn()
            self._start_yarn(specification)
        else:
            self._set_heartbeat(dict(specification.yarn_site).get(_HEARTBEAT, _YARN[_HEARTBEAT]))
            for node in self._nodes.values():
                node.getNodeStatusUpdater().sendOutofBandHeartBeat()
        for node in self._nodes.values():
            for name, value in environment.items():
                node.getConfig().set(f"yarn.nodemanager.admin-env.{name}", value)
        address = self.resource_manager.getConfig().get
        return {name: address(name) for name in CLIENT_ADDRESSES}

    def log_folder(self, node: str) -> Path:
        """Return the folder in which a NodeManager stores the output of its containers by application."""
        return self._folder / node / "logs"

    def copy(self, folder: Path) -> Path:
        """Copy a folder to a path without blanks, as Spark's YARN client requires; return the path."""
        path = self._folder / folder.name
        shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(folder, path)
        return path

    def reset(self) -> None:
        """Prepare for the next job: remove files in HDFS and the output of containers, and save CPU time."""
        if self.resource_manager is not None:
            self._set_heartbeat(_IDLE_HEARTBEAT_MS)
        if self._hdfs:
            file_system = self._hdfs.getFileSystem()
            for status in file_system.listStatus(self.hadoop.fs.Path("/")):
                file_system.delete(status.getPath(), True)
        shutil.rmtree(self.staging_folder, ignore_errors=True)
        for node in self._nodes:
            for folder in self.log_folder(node).glob("application_*"):
                shutil.rmtree(folder, ignore_errors=True)

    def is_idle(self) -> bool:
        """Return whether all applications and their containers have ended."""
        if self.resource_manager is None:
            return True
        applications = self.resource_manager.getRMContext().getRMApps().values()
        containers = (
            container
            for node in self._nodes.values()
            for container in node.getNMContext().getContainers().values()
            if container is not None  # seen when a container ends while they are listed
        )
        return all(application.isAppFinalStateStored() for application in applications) and all(
            container.getContainerState().toString() == "DONE" for container in containers
        )

    def stop_node(self, node: str) -> None:
        """Start stopping a NodeManager with all its containers, which simulates the loss of an instance."""
        self._stop_in_background(self._nodes[node])
        self._specification = None

    def exit(self, seconds: float) -> None:
        """Let the JVM exit by itself, as some options require, and wait at most this many seconds."""
        self._java.exit(seconds)

    def close(self) -> None:
        """Stop the JVM with all containers, and remove its files."""
        self._name_node.close()
        self._java.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start_hdfs(self) -> int:
        configuration = self._configuration(self.hadoop.hdfs.HdfsConfiguration(), _HDFS)
        folder = self._java.packages.java.io.File(str(self._folder / "hdfs"))
        builder = self.hadoop.hdfs.MiniDFSCluster.Builder(configuration, folder)
        self._hdfs = builder.numDataNodes(1).build()
        return int(self._hdfs.getNameNodePort())

    def _start_yarn(self, specification: ClusterSpecification) -> None:
        properties = {
            **_YARN,
            "fs.defaultFS": self.default_file_system,
            "yarn.node-attribute.fs-store.root-dir": (self._folder / "node-attributes").as_uri(),
            **dict(specification.yarn_site),
        }
        yarn = self.hadoop.yarn
        configuration = self._configuration(yarn.conf.YarnConfiguration(), properties)
        # A JVM caches the limits of its first ResourceManager.
        yarn.util.resource.ResourceUtils.resetResourceTypes(configuration)
        self.resource_manager = yarn.server.resourcemanager.ResourceManager()
        self.resource_manager.init(configuration)
        self._install_certificate()
        self.resource_manager.start()
        with ThreadPoolExecutor(_STARTS) as pool:
            nodes = pool.map(lambda name: self._start_node(name, configuration), specification.nodes)
            self._nodes = dict(zip(specification.nodes, nodes, strict=True))
        deadline = time.monotonic() + _READY_SECONDS
        while self.resource_manager.getResourceScheduler().getNumClusterNodes() < len(self._nodes):
            if time.monotonic() > deadline:
                raise UserError(
                    f"YARN is not ready after {_READY_SECONDS} seconds",
                    hint="Close other programs, then run the pipeline again",
                )
            time.sleep(0.05)
        self._specification = specification

    def _set_heartbeat(self, milliseconds: str) -> None:
        """Set the interval at which nodes report to the ResourceManager, from the next report on."""
        configuration = self.resource_manager.getConfig()
        configuration.set(_HEARTBEAT, milliseconds)
        self.resource_manager.getResourceTrackerService().updateHeartBeatConfiguration(configuration)

    def _stop_yarn(self) -> None:
        # Each NodeManager waits seconds for pending deletions; the next cluster does not depend on them.
        for daemon in (*self._nodes.values(), *filter(None, [self.resource_manager])):
            self._stop_in_background(daemon)
        self._nodes = {}
        self.resource_manager = None
        self._specification = None

    def _stop_in_background(self, daemon: Any) -> None:
        stop = self.hadoop.service.CompositeService.CompositeServiceShutdownHook(daemon)
        self._java.packages.java.lang.Thread(stop).start()

    def _install_certificate(self) -> None:
        own = proxy_certificate()
        state = self.hadoop.yarn.server.resourcemanager.recovery.RMStateStore.RMState()
        state.getProxyCAState().setCaCert(own.certificate)
        state.getProxyCAState().setCaPrivateKey(own.private_key)
        self.resource_manager.getRMContext().getProxyCAManager().recover(state)

    def _start_node(self, name: str, configuration: Any) -> Any:
        folders = {
            "yarn.nodemanager.local-dirs": str(self._folder / name / "local"),
            "yarn.nodemanager.log-dirs": str(self.log_folder(name)),
        }
        yarn = self.hadoop.yarn
        node = yarn.server.nodemanager.NodeManager()
        node.init(self._configuration(yarn.conf.YarnConfiguration(configuration), folders))
        node.start()
        return node

    def _configuration(self, configuration: Any, properties: Mapping[str, str]) -> Any:
        for name, value in properties.items():
            configuration.set(name, value)
        return configuration
