"""The containers of the built-in XGBoost, as a job starts them."""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from helpers.local_aws.containers.container_job import ContainerExit
from helpers.local_aws.xgboost_container import environment
from helpers.supervision import supervised_command

REPOSITORY = "sagemaker-xgboost"
VERSION = "3.2-0"
_FAILURE = "opt/ml/output/failure"


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
