"""The container of SageMaker's plain Python image: runs the job's command with this machine's Python."""

import sys
import threading
from collections.abc import Callable

from helpers.local_aws.containers.container_job import ContainerExit, ContainerJob
from helpers.local_aws.containers.container_paths import ContainerPaths
from helpers.supervision import supervised_command

MESSAGE_PATH = "/opt/ml/output/message"


def run(job: ContainerJob, log: Callable[[str], None], stop: threading.Event) -> ContainerExit:
    """Run a job and return its result.

    Args:
        job: the job, with its inputs in its folder.
        log: receives each line of output.
        stop: when set, the container ends with all its processes.
    """
    if not job.command():
        return ContainerExit(1, "the image has no command of its own: set ContainerEntrypoint")
    paths = ContainerPaths(job.root)
    message = paths.on_host(MESSAGE_PATH)
    message.parent.mkdir(parents=True, exist_ok=True)
    program, *arguments = [paths.in_text(word) for word in job.command()]
    command = [sys.executable if program in {"python", "python3"} else program, *arguments]
    environment = {
        **supervised_command.inherited(),
        "PYTHONUNBUFFERED": "1",
        **{name: paths.in_text(value) for name, value in job.environment.items()},
        **job.aws_environment,
    }
    code = supervised_command.run(command, environment, job.root, log, stop)
    written = message.read_text(errors="replace").strip() if message.is_file() else None
    return ContainerExit(code, written)
