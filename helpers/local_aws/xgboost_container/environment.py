"""The Python that has what the image has, and how a program of this package is started in it."""

import sys
from collections.abc import Mapping
from pathlib import Path

from helpers.errors import UserError
from helpers.supervision import supervised_command

ROOT_VARIABLE = "SAGEMAKER_BASE_DIR"
"""The folder that stands for /opt/ml; the image's toolkit reads the same variable."""
MEETING_POINT_VARIABLE = "SAGEMAKER_MEETING_POINT"
"""The folder in which the processes of several instances find each other; on AWS they have addresses."""
PORT_FILE = "opt/ml/port"
"""Where the server writes its port on loopback, below the folder that stands for `/`."""
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
    """Return the command that runs a module of this package; raises UserError as `python` does."""
    return [str(python()), "-m", f"{__package__}.{name}"]


def variables(root: Path, own: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a container, of which `own` are those that the job or the model sets.

    Args:
        root: the folder that represents the container's `/`.
        own: variables of the request.
    """
    return {
        **supervised_command.inherited(),
        **own,
        "PYTHONPATH": str(_REPOSITORY),
        "PYTHONUNBUFFERED": "1",
        ROOT_VARIABLE: str(root / "opt/ml"),
    }
