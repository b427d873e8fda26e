"""The Spark container: runs a job as aws/sagemaker-spark-container does, in a folder of its own."""

import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from helpers.local_aws.containers.container_job import FIRST_HOST, ContainerExit, ContainerJob, Output
from helpers.local_aws.containers.container_paths import ContainerPaths
from helpers.local_aws.hadoop.clusters import CLUSTERS
from helpers.local_aws.spark_container import (
    configuration,
    event_logs,
    packages,
    smspark_submit,
    spark_home,
    yarn,
)
from helpers.local_aws.spark_container.errors import ContainerError
from helpers.local_aws.spark_container.image_sizing import VARIABLE, has_executors, image_sizing
from helpers.local_aws.spark_container.job_python import JobPython, job_python
from helpers.local_aws.spark_container.sizing import Machine
from helpers.local_aws.spark_container.smspark_submit import HelpRequested, Submission
from helpers.local_aws.spark_container.spark_home import SparkHome
from helpers.spark import java, s3a_jars
from helpers.supervision import supervised_command

MESSAGE_PATH = "/opt/ml/output/message"
EVENT_LOG_PATH = "/tmp/spark-events"  # noqa: S108 -- a path of the container

_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")

# At INFO, this logger of Spark writes the port of the UI, and nothing else that is useful.
_UTILS = re.compile(r"\d\d:\d\d:\d\d INFO Utils: ")
_SPARK_UI = re.compile(r"INFO Utils: Successfully started service 'SparkUI' on port (\d+)")

_SOURCE_AND_RUN = 'set -a; . "$1"; set +a; shift; exec "$@"'


def expect(job: ContainerJob) -> None:
    """Start what a job will need, in the background, while its inputs arrive."""
    if job.instance_count > 1:
        CLUSTERS.expect_job()


def run(
    job: ContainerJob,
    log: Output,
    stop: threading.Event,
    machine: Machine | None = None,
) -> ContainerExit:
    """Run a job to its end and return how it ended; a fault of the job's own is an exit code, no exception.

    Args:
        job: the job, its inputs already in its folder.
        log: takes each line of the container's output; called from several threads, one at a time.
        stop: ends the job when set, with every process of it; set here where YARN does not start.
        machine: what the job may use; by default what this machine has.

    Raises:
        UserError: this machine cannot run the container: no Java, no jars, not enough memory, no YARN.
    """
    message = job.root / MESSAGE_PATH.lstrip("/")
    message.parent.mkdir(parents=True, exist_ok=True)
    lock = threading.Lock()

    def write_log(line: str, host: str = FIRST_HOST) -> None:
        if port := _SPARK_UI.search(line):
            line = f"Local run: the Spark UI is at http://127.0.0.1:{port[1]} while the job runs."
        elif _UTILS.search(line):
            return
        with lock:
            log(line, host)

    code = 0
    try:
        code = _run(job, write_log, stop, machine or Machine.this())
    except HelpRequested as text:
        for line in str(text).splitlines():
            write_log(line)
    except ContainerError as error:
        code = error.exit_code
        # As in the image, also over what the job itself has written.
        message.write_text(str(error))
        if error.hint:
            write_log(f"Local run: {error.hint}.")
        for line in f"exiting with code {code}: {error}".splitlines():
            write_log(line)
    own = message.read_text(errors="replace")[:1024].strip() if message.is_file() else None
    return ContainerExit(code, own or None)


@dataclass(frozen=True)
class Preparation:
    """A job that is ready to run: its spark-submit, and what it needs in its folder."""

    spark_submit: Sequence[str]
    command: Sequence[str]
    """What is run: spark-submit, after the variables of spark-env.sh."""
    environment: Mapping[str, str]
    home: SparkHome
    submission: Submission


@dataclass(frozen=True)
class Request:
    """What a job asks for.

    Attributes:
        submission: its command line; lists of files have the paths of this machine.
        image_sizes: the properties of spark-defaults that the image computes for it.
        configuration: its properties per classification.
    """

    submission: Submission
    image_sizes: Mapping[str, str]
    configuration: Mapping[str, Mapping[str, str]]


def read_request(job: ContainerJob) -> Request:
    """Read what a job asks for, in the image's order, so that the first of several mistakes is the same.

    Raises:
        ContainerError: the job's command, its mode of sizes or its configuration.json is wrong.
        HelpRequested: the command asks for it.
        UserError: an instance type whose specification is not known.
    """
    paths = ContainerPaths(job.root)
    submission = smspark_submit.parse(job.command([smspark_submit.PROGRAM]))
    submission = smspark_submit.with_files(submission, paths)
    sizes = image_sizing(job)
    event_log = _event_log_lines(submission, paths)
    given = configuration.read(paths.on_host(configuration.CONTAINER_PATH), event_log)
    return Request(submission, sizes, given)


def prepare(job: ContainerJob, log: Callable[[str], None], machine: Machine) -> Preparation:
    """Check a job and write its configuration; first of all what can be rejected, and nothing is started.

    Raises:
        ContainerError: the job's command or its configuration.json is wrong.
        HelpRequested: the command asks for it.
        UserError: as of `run`.
    """
    paths = ContainerPaths(job.root)
    _write_job_files(job, paths)
    request = read_request(job)
    submission = request.submission
    home = spark_home.prepare(job, request.configuration, request.image_sizes, machine)
    submit = command = smspark_submit.spark_submit(submission, str(home.program), home.master, paths)
    if not has_executors(request.image_sizes, request.configuration.get("spark-defaults", {})):
        hint = (
            f"{VARIABLE} leaves no executor on {job.instance_count} × {job.instance_type}: "
            "take more or larger instances, or leave the variable out"
        )
        raise _spark_failed(1, submit, paths, hint)
    java_home = java.java_home()
    python = job_python()
    spark_home.link(home, s3a_jars.ensure(log=log))
    environment = dict(_environment(job, paths, home.folder, java_home, python))
    if "PYTHONPATH" in environment:
        environment["PYTHONPATH"] = packages.python_path(environment["PYTHONPATH"], python, log)
    if home.exports is not None:
        command = ["bash", "-c", _SOURCE_AND_RUN, "bash", str(home.exports), *command]
    for message in home.messages:
        log(f"Local run: {message}.")
    log(f"Local run: {python.differences()}.")
    log(f"Local run: spark-submit --master {home.master} {paths.as_container(submission.app)}")
    return Preparation(submit, command, environment, home, submission)


def _run(job: ContainerJob, log: Output, stop: threading.Event, machine: Machine) -> int:
    """Run spark-submit to its end, and return its exit code: 0, or any of a job that is stopped.

    Raises:
        ContainerError: it was rejected, or it failed.
    """
    ready = prepare(job, log, machine)
    home, submission, paths = ready.home, ready.submission, ContainerPaths(job.root)
    environment = dict(ready.environment)
    with ExitStack() as stack:
        if home.cluster:
            running = stack.enter_context(CLUSTERS.of_job(home.cluster, yarn.container_environment(job)))
            running.addresses.add_done_callback(lambda start: stop.set() if start.exception() else None)
            environment["SPARK_CONF_DIR"] = str(spark_home.connect(job, home, running))
            containers = event_logs.ContainerLogs(running.log_folders, log)
            stack.enter_context(event_logs.Repeated(containers.follow, event_logs.FOLLOW_SECONDS))
        if submission.local_spark_event_logs_dir and submission.spark_event_logs_s3_uri is None:
            source = paths.on_host(EVENT_LOG_PATH)
            target = paths.on_host(submission.local_spark_event_logs_dir)
            copy = event_logs.Repeated(
                lambda: event_logs.copy_event_logs(source, target), event_logs.COPY_SECONDS
            )
            stack.enter_context(copy)
        ended = supervised_command.run(list(ready.command), environment, home.folder, log, stop)
    if ended and not stop.is_set():
        code = ended if ended > 0 else 128 - ended  # of a signal, as the image's shell has it
        raise _spark_failed(code, ready.spark_submit, paths)
    return ended


def _spark_failed(code: int, submit: Sequence[str], paths: ContainerPaths, hint: str = "") -> ContainerError:
    cause = str(subprocess.CalledProcessError(code, smspark_submit.image_command(submit, paths)))
    failed = "spark failed with a non-zero exit code"
    return ContainerError("CalledProcessError", failed, cause, exit_code=code, hint=hint)


def _write_job_files(job: ContainerJob, paths: ContainerPaths) -> None:
    resources = {
        "current_host": job.hosts[0],
        "current_instance_type": job.instance_type,
        "hosts": job.hosts,
        "network_interface_name": "lo",
    }
    folder = paths.on_host("/opt/ml/config")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "resourceconfig.json").write_text(json.dumps(resources))
    # Times of the description become text.
    (folder / "processingjobconfig.json").write_text(json.dumps(job.description, default=str))


def _event_log_lines(submission: Submission, paths: ContainerPaths) -> dict[str, str]:
    """Return the properties that the image adds last, so that no job can move its event logs."""
    if (uri := submission.spark_event_logs_s3_uri) is not None:
        if not uri:
            return {}
        folder = uri.replace("s3://", "s3a://", 1)
    elif submission.local_spark_event_logs_dir:
        local = paths.on_host(EVENT_LOG_PATH)
        local.mkdir(parents=True, exist_ok=True)
        folder = local.as_uri()
    else:
        return {}
    return {"spark.eventLog.enabled": "true", "spark.eventLog.dir": folder}


def _environment(
    job: ContainerJob, paths: ContainerPaths, spark: Path, java_home: Path, python: JobPython
) -> Mapping[str, str]:
    """Return all variables of the container; those of this machine and the embedded AWS come last."""
    own = {
        name: paths.in_text(value)
        for name, value in job.environment.items()
        if not name.startswith("AWS_ENDPOINT_URL") and name not in _CREDENTIALS
    }
    user_home = paths.on_host("/root")
    temporary = paths.on_host("/tmp")  # noqa: S108 -- a path of the container
    for folder in (user_home, temporary):
        folder.mkdir(parents=True, exist_ok=True)
    inherited = supervised_command.inherited()
    search = own.pop("PATH", inherited.get("PATH", os.defpath))
    return {
        **inherited,
        "PYTHONUNBUFFERED": "1",
        **own,
        **job.aws_environment,
        "HOME": str(user_home),
        "TMPDIR": str(temporary),
        "PATH": os.pathsep.join([str(python.program.parent), search]),
        "JAVA_HOME": str(java_home),
        "SPARK_HOME": str(spark),
        "SPARK_CONF_DIR": str(spark / "conf"),
        "HADOOP_CONF_DIR": str(paths.on_host("/usr/lib/hadoop/etc/hadoop")),
        "SPARK_LOCAL_DIRS": str(temporary),
        "SPARK_LOCAL_IP": "127.0.0.1",
        # We source spark-env.sh ourselves: Spark's script breaks at a blank in its path.
        "SPARK_ENV_LOADED": "1",
        "PYSPARK_PYTHON": str(python.program),
        "PYSPARK_DRIVER_PYTHON": str(python.program),
        "PYTHONNOUSERSITE": "1",
        "HADOOP_USER_NAME": "root",
        "PYSPARK_ARCHIVES_PATH": spark_home.python_archives(spark),
    }
