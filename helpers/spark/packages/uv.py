"""uv: resolves and unpacks wheels from the package index that this machine is configured to use."""

import os
import re
import subprocess
import sys
from pathlib import Path

from helpers.errors import UserError

_UNREACHABLE = ("Failed to fetch", "error sending request", "Could not connect", "timed out")
LOCK_HINT = "Lock the packages again with: make lock-packages"
INDEX_HINT = "Set UV_DEFAULT_INDEX to an index that this machine reaches"


class UvError(Exception):
    """The error message of uv, on one line."""

    @property
    def is_of_the_index(self) -> bool:
        """Whether the index did not respond, so that nothing is known about the packages."""
        return any(sign in str(self) for sign in _UNREACHABLE)


def run_uv(*arguments: str, folder: Path | None = None, text: str | None = None) -> str:
    """Run a `uv pip` command and return its output.

    Args:
        arguments: the command with its options.
        folder: the working directory.
        text: the standard input.

    Raises:
        UvError: the command fails.
        UserError: uv is not installed.
    """
    program = Path(sys.prefix) / "bin" / "uv"
    if not program.exists():
        raise UserError(f"{program} is not installed", hint="Install it with: make up")
    done = subprocess.run(
        [str(program), "pip", *arguments],
        cwd=folder,
        # Without the image's Python on this machine, uv would download it just to resolve versions.
        env={**os.environ, "UV_PYTHON_DOWNLOADS": "never"},
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UvError(_one_line(done.stderr))
    return done.stdout


def _one_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines()]
    text = " ".join(re.sub(r"^(error|cause):", "", line).strip() for line in lines if line)
    return re.sub(r"^Using \S+ \S+ interpreter at: \S+ |Resolved \d+ packages? in \S+ ", "", text)
