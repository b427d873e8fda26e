"""Runs the same jobs in the embedded AWS, as far as they affect the image."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.local_aws.containers.container_job import ContainerJob
from helpers.local_aws.containers.container_paths import ContainerPaths
from helpers.local_aws.credentials import Credentials
from helpers.local_aws.spark_container import configuration_files
from helpers.local_aws.spark_container.configuration import CONTAINER_PATH, TARGETS
from helpers.local_aws.spark_container.container import read_request
from helpers.local_aws.spark_container.errors import ContainerError
from helpers.local_aws.spark_container.smspark_submit import (
    PROGRAM,
    HelpRequested,
    image_command,
    spark_submit,
)
from tests.peers.spark_container.jobs import Job

Outcome = Mapping[str, Any]
"""The result of a job: its command, sizes and parsed files by path; or its error message."""

_OF_THE_SHELL = ("HOME", "PATH", "PWD", "SHLVL", "_", "OLDPWD")


def outcome(job: Job, root: Path) -> Outcome:
    """Return the result of a job in the embedded AWS; `root` is the container's `/`, and is emptied."""
    shutil.rmtree(root, ignore_errors=True)
    paths = ContainerPaths(root)
    for path in job.files:
        paths.on_host(path).parent.mkdir(parents=True, exist_ok=True)
        paths.on_host(path).touch()
    for path in job.folders:
        paths.on_host(path).mkdir(parents=True, exist_ok=True)
    if job.document is not None:
        paths.on_host(CONTAINER_PATH).parent.mkdir(parents=True, exist_ok=True)
        paths.on_host(CONTAINER_PATH).write_bytes(job.document.encode("utf-8", "surrogateescape"))
    try:
        request = read_request(_container_job(job, root))
    except ContainerError as error:
        return {"message": paths.as_container(str(error)), "code": error.exit_code}
    except HelpRequested as text:
        return {"help": str(text).startswith("Usage:")}
    files = {
        str(TARGETS[name].path): _variables(properties) if TARGETS[name].format == "env" else properties
        for name, properties in request.configuration.items()
    }
    return {
        "command": image_command(spark_submit(request.submission, "spark-submit", "local", paths), paths),
        "sizes": dict(request.image_sizes),
        "files": {
            path: {name: paths.as_container(value) for name, value in properties.items()}
            for path, properties in files.items()
            if properties
        },
    }


def _container_job(job: Job, root: Path) -> ContainerJob:
    return ContainerJob(
        name="job",
        root=root,
        description={
            "AppSpecification": {"ContainerEntrypoint": [PROGRAM], "ContainerArguments": list(job.command)},
            "Environment": {} if job.mode is None else {"AWS_SPARK_CONFIG_MODE": job.mode},
            "ProcessingResources": {
                "ClusterConfig": {"InstanceCount": job.instance_count, "InstanceType": job.instance_type}
            },
        },
        endpoint="http://127.0.0.1",
        region="us-east-1",
        credentials=Credentials("AKIATEST", "secret"),
    )


def _variables(exports: Mapping[str, str]) -> dict[str, str]:
    return exported(configuration_files.render_exports(exports))


def exported(script: str) -> dict[str, str]:
    """Return the variables of a shell after a script, in an otherwise empty environment.

    Raises:
        ValueError: the shell cannot read the script.
    """
    shell = subprocess.run(
        ["bash", "--norc", "-c", 'eval "$1"; env -0', "bash", script],
        env={"PATH": "/usr/bin:/bin", "HOME": "/root"},
        capture_output=True,
        check=False,
        text=True,
    )
    if shell.returncode or shell.stderr:
        raise ValueError(shell.stderr.strip())
    variables = dict(entry.split("=", 1) for entry in shell.stdout.split("\0") if entry)
    return {name: value for name, value in variables.items() if name not in _OF_THE_SHELL}
