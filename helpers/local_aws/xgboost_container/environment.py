"""The Python environment with the packages of the image, and how to start programs of this package in it."""

import sys
from collections.abc import Mapping
from pathlib import Path

from helpers.errors import UserError
from helpers.supervision import supervised_command

ROOT_VARIABLE = "SAGEMAKER_BASE_DIR"
"""The folder that represents /opt/ml; the image's toolkit reads the same variable."""
MEETING_POINT_VARIABLE = "SAGEMAKER_MEETING_POINT"
"""The folder in which the processes of several instances find each other; on AWS, they have addresses."""
PORT_FILE = "opt/ml/port"
"""The file with the server's port on loopback, below the folder that represents `/`."""
_REPOSITORY = Path(__file__).parents[3]


def python() -> Path:
    """Return the Python that has the packages of the image.

    Raises:
        UserError: the environment is not installed.
    """
    found = Path(sys.prefix) / "xgboost" / "bin" / "python"
    if not found.exists():
        raise UserError(
            f"{found.parents[1]}, the Python of the built-in XGBoost, is not installed",
            hint="Install it with: make up",
        )
    return found


def program(name: str) -> list[str]:
    """Return the command that runs a module of this package; raises UserError like `python`."""
    return [str(python()), "-m", f"{__package__}.{name}"]


def variables(root: Path, own: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a container.

    Args:
        root: the folder that represents the container's `/`.
        own: the variables that the job or the model sets.
    """
    return {
        **supervised_command.inherited(),
        **own,
        "PYTHONPATH": str(_REPOSITORY),
        "PYTHONUNBUFFERED": "1",
        ROOT_VARIABLE: str(root / "opt/ml"),
    }
