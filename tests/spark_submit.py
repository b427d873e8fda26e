"""spark-submit in a separate process, which can be measured, and killed with all its child processes."""

import atexit
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pyspark

from helpers.local_aws.spark_container.image_defaults import CORE_SITE, SPARK_DEFAULTS, s3a_addresses
from helpers.local_aws.spark_container.job_python import JobPython
from helpers.local_aws.spark_container.packages import installed
from helpers.spark import java, s3a_jars
from helpers.spark.class_data_sharing import shared_classes
from ml_pipeline.params import SparkCode

JOBS = Path(__file__).parents[1] / "spark_jobs"
JOB = JOBS / "process_pyspark.py"

QUICK_START = " ".join(java.QUICK_START + java.UNVERIFIED)
"""JVM options for little data: compiled code would hardly run, and Spark's jars come from its wheel."""
SMALL = {
    "spark.driver.memory": "512m",
    **(shared.properties if (shared := shared_classes()) else {}),
    **{f"spark.{part}.extraJavaOptions": QUICK_START for part in ("driver", "executor")},
}
"""Spark properties for little data."""


def command(
    app: Path,
    *arguments: str,
    master: str = "local[2]",
    conf: Mapping[str, str] | None = None,
    endpoint: str | None = None,
    helpers: Sequence[Path] = (),
) -> list[str]:
    """Return the arguments of spark-submit, with the settings of the image.

    Args:
        app: the program.
        arguments: its arguments.
        master: the Spark master.
        conf: additional properties.
        endpoint: endpoint of S3; without it, S3A is not configured.
        helpers: the imports of the program; by default, those of our jobs.
    """
    properties = {
        **SPARK_DEFAULTS,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    properties |= conf or {}
    if endpoint:
        jars = [str(jar) for jar in s3a_jars.ensure()]
        for name in ("spark.driver.extraClassPath", "spark.executor.extraClassPath"):
            properties[name] = os.pathsep.join([*filter(None, [properties.get(name)]), *jars])
        hadoop = {**CORE_SITE, **s3a_addresses(endpoint, "us-east-1")}
        properties = {**{f"spark.hadoop.{name}": value for name, value in hadoop.items()}, **properties}
    settings = [f"--conf={name}={value}" for name, value in properties.items()]
    program = str(Path(pyspark.__file__).parent / "bin" / "spark-submit")
    return [
        program,
        f"--master={master}",
        f"--py-files={','.join(map(str, helpers or (JOBS / 'data_utils.py', library())))}",
        *settings,
        str(app),
        *arguments,
    ]


@cache
def library() -> Path:
    """Return the packed library of the jobs, created once per process."""
    folder = Path(tempfile.mkdtemp(prefix="library-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    file = folder / "etl.zip"
    file.write_bytes(SparkCode().read(file.name))
    return file


@cache
def packages(requirements: str = "requirements-ingestion.in") -> Path:
    """Return the folder with the packages of a job in the locked versions, for this Python."""
    bundle = SparkCode().bundle(requirements, ())
    assert bundle
    return installed(bundle.contents["requirements"], JobPython(Path(sys.prefix)))


def environment() -> dict[str, str]:
    """Return the variables for spark-submit, without those of the user's own Spark."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "COVERAGE_"))}
    return {
        **kept,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "JAVA_HOME": str(java.java_home()),
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": str(packages()),
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "SPARK_LAUNCHER_OPTS": " ".join(java.QUICK_START),
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def start(
    words: Sequence[str], output: int = subprocess.PIPE, more: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start a command in a separate session, with both outputs in one file.

    Args:
        words: the command.
        output: destination of the outputs.
        more: additional variables.
    """
    return subprocess.Popen(
        words,
        env={**environment(), **(more or {})},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a process of `start` with all its child processes, as in a power failure."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
