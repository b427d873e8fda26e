"""The Spark container: runs a job as aws/sagemaker-spark-container does, in a separate folder."""

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

# At INFO, this logger of Spark writes the port of the UI, but nothing else that is useful.
_UTILS = re.compile(r"\d\d:\d\d:\d\d INFO Utils: ")
_SPARK_UI = re.compile(r"INFO Utils: Successfully started service 'SparkUI' on port (\d+)")

_SOURCE_AND_RUN = 'set -a; . "$1"; set +a; shift; exec "$@"'


def expect(job: ContainerJob) -> None:
    """Start what a job will need in the background, while its inputs are downloaded."""
    if job.instance_count > 1:
        CLUSTERS.expect_job()


def run(
    job: ContainerJob,
    log: Output,
    stop: threading.Event,
    machine: Machine | None = None,
) -> ContainerExit:
    """Run a job and return its result. An error of the job is an exit code, not an exception.

    Args:
        job: the job, with its inputs in its folder.
        log: receives each line of the container's output; called from several threads, one at a time.
        stop: when set, the job ends with all its processes; also set here if YARN does not start.
        machine: the resources for the job, by default those of this machine.

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
        # Like the image, this also overwrites what the job has written.
        message.write_text(str(error))
        if error.hint:
            write_log(f"Local run: {error.hint}.")
        for line in f"exiting with code {code}: {error}".splitlines():
            write_log(line)
    own = message.read_text(errors="replace")[:1024].strip() if message.is_file() else None
    return ContainerExit(code, own or None)


@dataclass(frozen=True)
class Preparation:
    """A job that is ready to run: its spark-submit command, and its files."""

    spark_submit: Sequence[str]
    command: Sequence[str]
    """The command: spark-submit, after the variables of spark-env.sh are set."""
    environment: Mapping[str, str]
    home: SparkHome
    submission: Submission


@dataclass(frozen=True)
class Request:
    """The request of a job.

    Attributes:
        submission: the command line; lists of files have paths on this machine.
        image_sizes: the properties of spark-defaults that the image computes.
        configuration: the job's properties per classification.
    """

    submission: Submission
    image_sizes: Mapping[str, str]
    configuration: Mapping[str, Mapping[str, str]]


def read_request(job: ContainerJob) -> Request:
    """Read the request of a job in the image's order, so that the same error is reported first.

    Raises:
        ContainerError: the job's command, its sizing mode or its configuration.json is not valid.
        HelpRequested: the command requests help.
        UserError: the specification of the instance type is not known.
    """
    paths = ContainerPaths(job.root)
    submission = smspark_submit.parse(job.command([smspark_submit.PROGRAM]))
    submission = smspark_submit.with_files(submission, paths)
    sizes = image_sizing(job)
    event_log = _event_log_lines(submission, paths)
    given = configuration.read(paths.on_host(configuration.CONTAINER_PATH), event_log)
    return Request(submission, sizes, given)


def prepare(job: ContainerJob, log: Callable[[str], None], machine: Machine) -> Preparation:
    """Validate a job and write its configuration. Errors are raised before anything is started.

    Raises:
        ContainerError: the job's command or its configuration.json is not valid.
        HelpRequested: the command requests help.
        UserError: as for `run`.
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
    """Run spark-submit, and return its exit code: 0, or any code if the job was stopped.

    Raises:
        ContainerError: spark-submit rejected the job, or it failed.
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
        code = ended if ended > 0 else 128 - ended  # of a signal, in the notation of the image's shell
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
    # Times in the description become strings.
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
    """Return all variables of the container; those of this machine and the embedded AWS prevail."""
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
        # We source spark-env.sh ourselves: Spark's script fails if its path contains a blank.
        "SPARK_ENV_LOADED": "1",
        # The program that computes Spark's command line takes 1.4 times the CPU time with both compilers.
        "SPARK_LAUNCHER_OPTS": " ".join(java.QUICK_START),
        "PYSPARK_PYTHON": str(python.program),
        "PYSPARK_DRIVER_PYTHON": str(python.program),
        "PYTHONNOUSERSITE": "1",
        "HADOOP_USER_NAME": "root",
        "PYSPARK_ARCHIVES_PATH": spark_home.python_archives(spark),
    }
