"""The Spark home of a job: links to pyspark's files, and the job's own configuration files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from helpers.local_aws.containers.container_job import ContainerJob
from helpers.local_aws.containers.container_paths import ContainerPaths
from helpers.local_aws.hadoop.cluster import ClusterSpecification
from helpers.local_aws.hadoop.clusters import RunningCluster
from helpers.local_aws.spark_container import configuration_files, image_defaults, sizing, yarn
from helpers.local_aws.spark_container.configuration import TARGETS, Target
from helpers.local_aws.spark_container.sizing import Machine
from helpers.spark import java
from helpers.spark.class_data_sharing import shared_classes
from helpers.spark.instances import instance
from helpers.spark.pyspark_folder import pyspark_folder

CONTAINER_PATH = "/usr/lib/spark"
_LATE_C2 = (
    "-XX:Tier4InvocationThreshold=50000 -XX:Tier4MinInvocationThreshold=6000 "
    "-XX:Tier4CompileThreshold=150000 -XX:Tier4BackEdgeThreshold=400000"
)
"""Ten times the default thresholds: with several JVMs on two cores, compilation would slow down the job."""
_INERT = ("hadoop-log4j", "hive-env", "hive-exec-log4j", "hive-log4j", "hive-site")
_DAEMONS = ("hadoop-env", "yarn-env")
_ONE_JVM = "the daemons of YARN and HDFS share one JVM here, of its own size"
_ONE_INSTANCE = "one instance runs without YARN here"
_QUICK_START = " ".join(java.QUICK_START + java.UNVERIFIED)
"""Options for the application master, which only requests executors and runs only Spark's code."""
_OWN_VARIABLES = (
    "HADOOP_CONF_DIR",
    "HOME",
    "JAVA_HOME",
    "PATH",
    "PYSPARK_DRIVER_PYTHON",
    "PYSPARK_PYTHON",
    "SPARK_CONF_DIR",
    "SPARK_HOME",
    "SPARK_LOCAL_DIRS",
    "SPARK_LOCAL_HOSTNAME",
    "SPARK_LOCAL_IP",
    "SPARK_PUBLIC_DNS",
)


@dataclass(frozen=True)
class SparkHome:
    """A prepared Spark home: its folder, the master, variables to source, and the changes."""

    folder: Path
    master: str
    cluster: ClusterSpecification | None
    """The YARN cluster of a job with several instances."""
    exports: Path | None
    messages: tuple[str, ...]

    @property
    def program(self) -> Path:
        """Return the path of spark-submit."""
        return self.folder / "bin" / "spark-submit"


def prepare(
    job: ContainerJob,
    configuration: Mapping[str, Mapping[str, str]],
    image_sizes: Mapping[str, str],
    machine: Machine,
) -> SparkHome:
    """Write the configuration files of a job, in the image's order: image, sizes, user, event logs.

    Args:
        job: the job.
        configuration: its configuration.json, as properties per classification. spark-defaults ends with the
            properties of event logs, which jobs cannot override.
        image_sizes: the sizes that the image computes from the job's instances.
        machine: the resources to which sizes are scaled.

    Raises:
        UserError: see `sizing.scale`; or the specification of the instance type is not known.
    """
    paths = ContainerPaths(job.root)
    given = {
        classification: {name: paths.in_text(value) for name, value in properties.items()}
        for classification, properties in configuration.items()
    }
    defaults = image_defaults.localize(given.get("spark-defaults", {}), prefix="spark.hadoop.")
    core = image_defaults.localize(given.get("core-site", {}))
    logging = image_defaults.log4j2(given.get("spark-log4j", {}))
    exports, dropped = _exports(given.get("spark-env", {}))
    temporary = paths.on_host("/tmp")  # noqa: S108 -- a path of the container
    cluster = None
    if job.instance_count > 1:
        cluster = yarn.specification(instance(job.instance_type), job.hosts, given.get("yarn-site", {}))
    options = f'"-Djava.io.tmpdir={temporary}"'
    properties = _start_quickly(
        {
            **image_defaults.SPARK_DEFAULTS,
            "spark.executorEnv.AWS_REGION": job.region,
            "spark.yarn.appMasterEnv.AWS_REGION": job.region,
            "spark.ui.showConsoleProgress": "false",
            "spark.driver.defaultJavaOptions": options,
            "spark.executor.defaultJavaOptions": "" if cluster else options,
            **(_on_yarn(paths) if cluster else {}),
            **defaults.properties,
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
        }
    )
    if cluster:
        sized = sizing.on_yarn(properties, machine, image_sizes)
    else:
        sized = sizing.scale(properties, machine, image_sizes)
    files: dict[str, Mapping[str, str]] = {
        **given,
        "spark-defaults": sized.properties,
        "spark-env": exports,
        "core-site": {
            "hadoop.tmp.dir": str(temporary / "hadoop"),
            **image_defaults.CORE_SITE,
            **core.properties,
            **image_defaults.s3a_addresses(job.endpoint, job.region),
        },
    }
    for classification, contents in files.items():
        _write(paths, TARGETS[classification], contents)
    folder = paths.on_host(CONTAINER_PATH)
    (folder / "conf" / "log4j2.properties").write_text(
        configuration_files.render_properties(logging.properties)
    )
    return SparkHome(
        folder=folder,
        master=sized.master,
        cluster=cluster,
        exports=folder / "conf" / "spark-env.sh" if exports else None,
        messages=(
            *defaults.messages,
            *core.messages,
            *dropped,
            *logging.messages,
            *(
                f"{name} has no effect: {_ONE_JVM if cluster else _ONE_INSTANCE}"
                for name in (_DAEMONS if cluster else (*_DAEMONS, "yarn-site"))
                if given.get(name)
            ),
            *(f"{name} has no effect on Spark, here and in the image" for name in _INERT if given.get(name)),
            *sized.messages,
        ),
    )


def connect(job: ContainerJob, home: SparkHome, running: RunningCluster) -> Path:
    """Direct the clients of a job to its HDFS and YARN, and return Spark's configuration folder."""
    paths = ContainerPaths(job.root)
    file = paths.on_host(str(TARGETS["core-site"].path))
    core = configuration_files.parse_site(file.read_text())
    _write(paths, TARGETS["core-site"], {"fs.defaultFS": running.default_file_system, **core})
    _write(paths, TARGETS["yarn-site"], running.yarn_site)
    hdfs = {**image_defaults.HDFS_SITE, "dfs.replication": "1"}  # there is one DataNode
    file.with_name("hdfs-site.xml").write_text(configuration_files.render_site(hdfs))
    folder = running.cluster.copy(home.folder / "conf")
    defaults = folder / "spark-defaults.conf"
    properties = configuration_files.parse_defaults(defaults.read_text())
    staging = {"spark.yarn.stagingDir": running.cluster.staging_folder.as_uri(), **properties}
    defaults.write_text(configuration_files.render_properties(staging))
    return folder


def python_archives(folder: Path) -> str:
    """Return the paths of pyspark and py4j for driver and executors; Spark would otherwise upload them."""
    archives = sorted((folder / "python" / "lib").glob("*.zip"))
    return ",".join(f"local:{quote(str(archive))}" for archive in archives)


def _on_yarn(paths: ContainerPaths) -> dict[str, str]:
    """Return the differences from the image: its jars exist on every node and are not uploaded."""
    jars = quote(str(paths.on_host(CONTAINER_PATH) / "jars"))
    shared = shared_classes()
    return {
        "spark.yarn.jars": f"local:{jars}/*",
        "spark.yarn.am.extraJavaOptions": f"{shared.java_options if shared else ''} {_QUICK_START}".strip(),
        "spark.yarn.clientLaunchMonitorInterval": "100ms",
        "spark.yarn.appMasterEnv.SPARK_LOCAL_IP": "127.0.0.1",
    }


def _start_quickly(properties: Mapping[str, str]) -> dict[str, str]:
    """Return properties with JVM options that leave more of this machine's few cores to the job.

    The job's own options are appended and prevail. A JVM with its own class path has no shared archive.
    """
    names = [f"spark.{process}.defaultJavaOptions" for process in ("driver", "executor")]
    delayed = {**properties, **{name: f"{_LATE_C2} {properties[name]}" for name in names}}
    if (shared := shared_classes()) is None:
        return delayed
    class_path = str(shared.class_path)
    return {
        "spark.driver.extraClassPath": class_path,  # also for the application master
        "spark.executor.extraClassPath": class_path,
        **delayed,
        **{name: f"{shared.java_options} {delayed[name]}" for name in names},
    }


def _exports(variables: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    kept = {
        name: value
        for name, value in variables.items()
        if name not in _OWN_VARIABLES and not name.startswith("AWS_")
    }
    return kept, [
        f"spark-env: {name} is not used: it is this machine's or the role's"
        for name in variables
        if name not in kept
    ]


def _write(paths: ContainerPaths, target: Target, properties: Mapping[str, str]) -> None:
    file = paths.on_host(str(target.path))
    file.parent.mkdir(parents=True, exist_ok=True)
    match target.format:
        case "env":
            file.write_text(configuration_files.render_exports(properties))
        case "xml":
            file.write_text(configuration_files.render_site(properties))
        case _:
            file.write_text(configuration_files.render_properties(properties))


def link(home: SparkHome, jars: Sequence[Path]) -> None:
    """Link pyspark's files and additional jars into a Spark home.

    As in the image, the jars of S3A are next to Spark's own, so that spark-submit, driver and executors have
    them with any class path. A separate home also keeps the folders of executors out of pyspark's.
    """
    installed = pyspark_folder()
    for name in ("bin", "licenses", "data"):
        if (installed / name).is_dir():
            (home.folder / name).symlink_to(installed / name)
    _link_python(home, installed)
    folder = home.folder / "jars"
    folder.mkdir()
    for jar in (*(installed / "jars").iterdir(), *jars):
        (folder / jar.name).symlink_to(jar)


def _link_python(home: SparkHome, installed: Path) -> None:
    """Link pyspark and py4j as packages in folders with the names of Spark's archives.

    spark-submit adds these names to the Python path of driver and workers. From an archive, each Python
    process would compile its imports, which takes half a second; files in a folder are compiled only once.
    """
    for archive in (installed / "python" / "lib").glob("*.zip"):
        package = archive.stem.partition("-")[0]
        folder = home.folder / "python" / "lib" / archive.name
        folder.mkdir(parents=True)
        (folder / package).symlink_to(installed.parent / package)
