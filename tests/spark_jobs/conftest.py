"""One Spark session for all tests, and the imports of jobs, as `--py-files` and packages provide them."""

import os
import sys
from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from helpers.local_aws.server_state import ServerState
from helpers.local_aws.spark_container.image_defaults import s3a_addresses
from helpers.spark import s3a_jars
from tests.spark_submit import JOBS, SMALL, packages

IMPORTED = (str(JOBS), str(packages()))
sys.path[:0] = IMPORTED


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A session on two cores of this machine, with S3A."""
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    os.environ["PYSPARK_PYTHON"] = sys.executable
    class_path = filter(None, [SMALL.get("spark.driver.extraClassPath")])
    os.environ["PYTHONPATH"] = os.pathsep.join(IMPORTED)  # of the workers
    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.driver.host", "127.0.0.1")
        .config(map=SMALL)
        .config("spark.driver.extraClassPath", os.pathsep.join([*class_path, *map(str, s3a_jars.ensure())]))
        .getOrCreate()
    )
    yield session
    session.stop()


@pytest.fixture(scope="session")
def s3a(spark: SparkSession, server: ServerState) -> SparkSession:
    """The same session, with S3A connected to the embedded AWS."""
    environment = server.environment()
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()
    for name, value in {
        **s3a_addresses(environment["AWS_ENDPOINT_URL"], environment["AWS_REGION"]),
        "fs.s3a.access.key": environment["AWS_ACCESS_KEY_ID"],
        "fs.s3a.secret.key": environment["AWS_SECRET_ACCESS_KEY"],
    }.items():
        hadoop.set(name, value)
    spark.sparkContext.environment.update(environment)  # of the workers
    return spark


@pytest.fixture(autouse=True)
def no_processing_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run jobs as with a direct spark-submit, regardless of the variables of this machine."""
    for name in ("PROCESSING_JOB_CONFIG", "REPORT_FOLDER", "RUNS_KEPT_DAYS"):
        monkeypatch.delenv(name, raising=False)
