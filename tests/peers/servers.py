"""Starts the servers to compare, and sets the environment of their clients."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from helpers.errors import UserError

ROOT = Path(__file__).parents[2]
HOST_NAME = "localhost"
"""The host name by which moto recognizes URLs of its S3."""


@contextmanager
def serving(name: str, folder: Path) -> Iterator[str]:
    """Serve `moto` or `embedded` within the block; yields the address.

    Raises:
        UserError: the server did not start.
    """
    log = folder / f"{name}.log"
    command = [sys.executable, "-m", "tests.peers.serve", name]
    pipe = subprocess.PIPE
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdin=pipe, stdout=pipe, stderr=errors, text=True
        ) as process,
    ):
        assert process.stdout
        port = process.stdout.readline().strip()
        if not port:
            raise UserError(f"The server `{name}` did not start: {log.read_text()[-500:]}")
        yield f"http://{HOST_NAME}:{port}"


def environment() -> dict[str, str]:
    """Return the variables of this process without those for AWS; tests set the ones they need."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MOTO_"))}
    credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return {**others, **credentials, "AWS_DEFAULT_REGION": "us-east-1", "NO_PROXY": HOST_NAME}
