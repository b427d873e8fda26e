"""Script mode: a training job with its own entry point, as SDK 3 creates it for a training script.

Its command starts the SDK's drivers in the channel `sm_drivers`, and these start the script in the channel
`code`. Both are unchanged, except for the paths under /opt/ml in the drivers.
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from helpers.local_aws.containers.container_job import ContainerExit, Output
from helpers.local_aws.containers.container_paths import ContainerPaths
from helpers.local_aws.training.container_files import failure_text
from helpers.local_aws.xgboost_container import environment
from helpers.supervision import supervised_command

IMAGES = ("sagemaker-xgboost:3.2-0", "sagemaker-scikit-learn:1.9-0-cpu-py3")
"""The images whose packages are installed, by repository and tag."""
_DRIVERS, _PROGRAMS = "opt/ml/input/data/sm_drivers", "usr/local/bin"
_PIP = """#!/bin/sh
echo "The embedded AWS installs no packages: script mode has those of the image" >&2
exit 1
"""


def is_script_mode(request: Mapping[str, Any]) -> bool:
    """Return whether a CreateTrainingJob request has its own entry point."""
    return bool((request.get("AlgorithmSpecification") or {}).get("ContainerEntrypoint"))


def has_algorithm(request: Mapping[str, Any]) -> bool:
    """Return whether the image of a request has a built-in algorithm, whose metrics its scripts also have."""
    return "/sagemaker-xgboost:" in str((request.get("AlgorithmSpecification") or {}).get("TrainingImage"))


def image_problem(image: str) -> str | None:
    """Return why an image does not run scripts here, or None if it does."""
    if image.rpartition("/")[2] in IMAGES:
        return None
    return f"The embedded AWS does not run scripts in the image {image}; it runs them in {', '.join(IMAGES)}"


def run(
    root: Path, request: Mapping[str, Any], variables: Mapping[str, str], log: Output, stop: threading.Event
) -> ContainerExit:
    """Run the command of a job and return its result.

    Args:
        root: the folder that represents the container's `/`, with channels and configuration.
        request: the CreateTrainingJob request.
        variables: the variables of the job.
        log: receives each line of output.
        stop: when set, the container ends with all its processes.

    Raises:
        UserError: the environment of scripts is not installed.
    """
    paths = ContainerPaths(root)
    for folder in ("opt/ml/model", "opt/ml/output/data", _PROGRAMS):
        (root / folder).mkdir(parents=True, exist_ok=True)
    for name in ("pip", "pip3"):
        (root / _PROGRAMS / name).write_text(_PIP)
        (root / _PROGRAMS / name).chmod(0o755)
    _map_drivers(root / _DRIVERS, root)
    algorithm = request["AlgorithmSpecification"]
    words = [*algorithm["ContainerEntrypoint"], *(algorithm.get("ContainerArguments") or [])]
    inherited = supervised_command.inherited()
    exported = {
        **inherited,
        "PYTHONUNBUFFERED": "1",
        **{name: paths.in_text(value) for name, value in variables.items()},
        "PATH": f"{root / _PROGRAMS}:{environment.python().parent}:{inherited.get('PATH', '')}",
    }
    code = supervised_command.run([paths.in_text(word) for word in words], exported, root, log, stop)
    text = failure_text(root)
    return ContainerExit(code, f"AlgorithmError: {text}, exit code: {code}" if text else None)


def _map_drivers(folder: Path, root: Path) -> None:
    """Replace the paths under /opt/ml in the files of the drivers."""
    for path in folder.rglob("*"):
        if path.suffix in {".py", ".sh"}:
            path.write_text(path.read_text().replace("/opt/ml", f"{root}/opt/ml"))
