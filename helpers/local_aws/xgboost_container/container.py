"""Starts the containers of the built-in XGBoost."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path

from helpers.local_aws.containers.container_job import ContainerExit, Output
from helpers.local_aws.xgboost_container import environment
from helpers.supervision import supervised_command
from helpers.xgboost.hyperparameters import VERSION

IMAGE = f"sagemaker-xgboost:{VERSION}"
"""The supported image by repository and tag."""
_POLL_SECONDS = 0.1
_FAILURE = "opt/ml/output/failure"


def image_problem(image: str) -> str | None:
    """Return why an image is not supported, or None if it is."""
    if image.rpartition("/")[2] == IMAGE:
        return None
    return f"The embedded AWS does not execute the image {image}; it executes {IMAGE}"


def train(
    roots: Mapping[str, Path],
    meeting_point: Path,
    own_variables: Mapping[str, str],
    log: Output,
    stop: threading.Event,
) -> ContainerExit:
    """Train in a process per instance, and return the result.

    Args:
        roots: the folders that represent the `/` of each instance, with channels and configuration.
        meeting_point: a folder in which the processes find each other.
        own_variables: the variables of the job.
        log: receives each line of output.
        stop: when set, the container ends with all its processes.
    """
    command = environment.program("training")
    given = {**own_variables, environment.MEETING_POINT_VARIABLE: str(meeting_point)}
    ended = threading.Event()
    with ThreadPoolExecutor(len(roots)) as pool:
        running = {
            host: pool.submit(
                supervised_command.run,
                command,
                environment.variables(root, given),
                root,
                partial(log, host=host),
                ended,
            )
            for host, root in roots.items()
        }
        while not all(each.done() for each in running.values()):
            wait(running.values(), _POLL_SECONDS)
            if stop.is_set() or any(each.done() and each.result() for each in running.values()):
                ended.set()  # also ends instances that wait for a failed one
    if stop.is_set():
        return ContainerExit(max(each.result() for each in running.values()))
    failed = [host for host, each in running.items() if each.result()]
    for host in failed:
        failure = roots[host] / _FAILURE
        if failure.is_file():
            text, code = failure.read_text(errors="replace").strip(), running[host].result()
            return ContainerExit(code, f"AlgorithmError: {text}, exit code: {code}")
    return ContainerExit(running[failed[0]].result() if failed else 0)


def serve(
    root: Path, own_variables: Mapping[str, str], log: Callable[[str], None], stop: threading.Event
) -> int:
    """Serve the model below `root` until `stop` is set; return the exit code.

    The arguments are those of `train`, with the variables of the model and of the transform job. When the
    server is ready, the file `environment.PORT_FILE` contains its port.
    """
    variables = environment.variables(root, own_variables)
    return supervised_command.run(environment.program("serving"), variables, root, log, stop)
