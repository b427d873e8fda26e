"""The containers of the built-in XGBoost, as a job starts them."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from helpers.local_aws.containers.container_job import ContainerExit
from helpers.local_aws.xgboost_container import environment
from helpers.supervision import supervised_command

IMAGE = "sagemaker-xgboost:3.2-0"
"""The image that is executed, by its repository and its tag."""
_FAILURE = "opt/ml/output/failure"


def image_problem(image: str) -> str | None:
    """Return why an image is not executed here, or None when it is."""
    if image.rpartition("/")[2] == IMAGE:
        return None
    return f"The embedded AWS does not execute the image {image}; it executes {IMAGE}"


def train(
    root: Path, own_variables: Mapping[str, str], log: Callable[[str], None], stop: threading.Event
) -> ContainerExit:
    """Train to the end and return how it ended.

    Args:
        root: the folder that stands for the container's `/`, with channels and configuration.
        own_variables: of the job.
        log: takes each line of output.
        stop: ends it when set, with every process of it.
    """
    command = environment.program("training")
    code = supervised_command.run(command, environment.variables(root, own_variables), root, log, stop)
    failure = root / _FAILURE
    text = failure.read_text(errors="replace").strip() if failure.is_file() else ""
    return ContainerExit(code, f"AlgorithmError: {text}, exit code: {code}" if text else None)


def serve(
    root: Path, own_variables: Mapping[str, str], log: Callable[[str], None], stop: threading.Event
) -> int:
    """Serve the model below `root` until `stop` is set; return the exit code.

    Arguments are those of `train`, with the variables of the model and of the transform. The port is in the
    file `environment.PORT_FILE` once the server answers.
    """
    variables = environment.variables(root, own_variables)
    return supervised_command.run(environment.program("serving"), variables, root, log, stop)
