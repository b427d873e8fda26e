"""Generates the event logs of this folder and of ../not_granted: `python generate.py [VERSION...]`.

Each version of pyspark is installed in a temporary folder and runs the same two small jobs. One runs in the
driver, the other on a cluster with room for half of the requested executors, one of which is killed. Since
4.0, Spark rolls and compresses event logs by default; before, it writes one file, and compression is
requested. Needs uv and Java 17, and downloads 300 to 450 MB per version.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSIONS = {
    "3.2.4": "0.10.9.5",
    "3.3.4": "0.10.9.5",
    "3.4.4": "0.10.9.7",
    "3.5.9": "0.10.9.7",
    "4.0.1": "0.10.9.9",
    "4.1.1": "0.10.9.9",
}
"""Versions of pyspark, and of the py4j that each pins."""
PYTHON_UDF = "3.4"
"""The first version whose cloudpickle supports the bytecode of Python 3.11."""
FOLDER = Path(__file__).parent
# Spark 3.2 does not open Java 17's modules itself.
OPENED = (
    "java.lang",
    "java.lang.invoke",
    "java.net",
    "java.nio",
    "java.util",
    "java.util.stream",
    "sun.nio.ch",
)
JOB = """
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

folder, with_udf = sys.argv[1], sys.argv[2] == "True"
spark = SparkSession.builder.appName("versions").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
spark.range(0, 20_000, 1, 2).select("id", (F.col("id") % 7).alias("key")).write.csv(folder + "/table")
table = spark.read.schema("id long, key int").csv(folder + "/table")
table.show(3)
table.first()
table.groupBy("key").count().collect()
if with_udf:
    table.select(F.udf(lambda number: number + 1, "long")("id")).write.format("noop").mode("overwrite").save()
spark.stop()
"""
NOT_GRANTED = FOLDER.with_name("not_granted")
CLUSTER = {
    "spark.master": "local-cluster[2,1,1024]",
    "spark.executor.instances": "4",
    "spark.executor.cores": "1",
    "spark.executor.memory": "1g",
}
NOT_GRANTED_JOB = """
import time

from pyspark.sql import SparkSession

spark = SparkSession.builder.appName("not granted").getOrCreate()
context = spark.sparkContext._jsc.sc()


def wait_for(executors):
    deadline = time.monotonic() + 120
    while len(context.statusTracker().getExecutorInfos()) != executors + 1:  # the driver is one
        assert time.monotonic() < deadline, f"there are never {executors} executors"
        time.sleep(0.1)


wait_for(2)
spark.range(0, 1_000_000, 1, 8).selectExpr("sum(id)").collect()
children = spark._jvm.java.lang.ProcessHandle.current().children().toArray()  # this process is one
next(child for child in children if child.info().command().orElse("").endswith("java")).destroyForcibly()
wait_for(1)
wait_for(2)
spark.range(0, 1_000_000, 1, 8).selectExpr("sum(id)").collect()
spark.stop()
"""


def main(versions: list[str]) -> None:
    for version in versions or list(VERSIONS):
        with tempfile.TemporaryDirectory() as temporary:
            generate(version, Path(temporary))


def generate(version: str, temporary: Path) -> None:
    """Run the job with a version of Spark and store its event log."""
    python = temporary / "venv" / "bin" / "python"
    subprocess.run(["uv", "venv", "--quiet", "--seed", temporary / "venv"], check=True)
    packages = [f"pyspark=={version}", f"py4j=={VERSIONS[version]}", "setuptools<80", "wheel"]
    install = ["uv", "pip", "install", "--quiet", "--no-cache", "--no-deps", "--python", python, *packages]
    subprocess.run(install, check=True)
    run(version, temporary, JOB, FOLDER, {"spark.master": "local[2]"})
    run(version, temporary, NOT_GRANTED_JOB, NOT_GRANTED, CLUSTER)


def run(version: str, temporary: Path, job: str, folder: Path, cluster: dict[str, str]) -> None:
    """Run a job and store its event log in a folder below the version."""
    python = temporary / "venv" / "bin" / "python"
    (temporary / "job.py").write_text(job)
    logs = temporary / folder.name
    logs.mkdir()
    options = " ".join(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENED)
    settings = {
        **cluster,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.extraJavaOptions": options,
        "spark.executor.extraJavaOptions": options,
        "spark.ui.enabled": "false",
        "spark.eventLog.enabled": "true",
        "spark.eventLog.dir": logs.as_uri(),
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.warehouse.dir": str(temporary / "warehouse"),
    }
    if version < "4":
        settings["spark.eventLog.compress"] = "true"
    submit = [temporary / "venv" / "bin" / "spark-submit"]
    for name, value in settings.items():
        submit += ["--conf", f"{name}={value}"]
    own = {"PYSPARK_PYTHON": str(python), "SPARK_LOCAL_HOSTNAME": "localhost", "SPARK_LOCAL_IP": "127.0.0.1"}
    environment = {name: os.environ[name] for name in ("HOME", "JAVA_HOME") if name in os.environ}
    environment["PATH"] = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    arguments = [temporary / "job.py", temporary, str(version >= PYTHON_UDF)]
    subprocess.run([*submit, *arguments], check=True, cwd=temporary, env=environment | own)
    target = folder / version
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(logs, target, ignore=shutil.ignore_patterns(".*.crc"))


if __name__ == "__main__":
    main(sys.argv[1:])
