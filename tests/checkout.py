"""A separate checkout, in which tests run `make` as a user does."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import psutil

from helpers.local_aws.server_state import ServerState

VIRTUAL_ENVIRONMENT = Path(sys.prefix)
"""The virtual environment of the tests, so that a copy of the repository does not install its own."""
_PARTS = (
    "helpers",
    "infra",
    "ml_pipeline",
    "spark_jobs",
    "Makefile",
    "requirements.txt",
    "requirements-dev.txt",
    "requirements-job.txt",
    "requirements-uv.txt",
    "requirements-xgboost.txt",
)


def copy_of(repository: Path, folder: Path) -> "Checkout":
    """Return a copy of the files that `make run` needs."""
    for part in _PARTS:
        copy = shutil.copytree if (repository / part).is_dir() else shutil.copy2
        copy(repository / part, folder / part)
    return Checkout(folder)


class Checkout:
    """A copy of the repository in a folder."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.ran: set[str] = set()
        """The targets that were run."""
        # Coverage measures the imported code; every file of a copy would count twice.
        # `make test` passes its arguments on, in its flags and as a variable each.
        variables = re.findall(r"\$\(([A-Z_]+)\)|ifndef ([A-Z]+)", (folder / "Makefile").read_text())
        given = {name for names in variables for name in names}
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in given
            and not name.startswith(("AWS_", "COVERAGE_", "LOCAL_AWS_", "MAKE", "MFLAGS"))
        }
        # Variables of the user or of `make test` must not direct the commands elsewhere.
        self.environment = {**inherited, "AWS_PROFILE": "nobody"}

    def start(self, *words: str) -> subprocess.Popen[str]:
        self.ran.update(words)
        return subprocess.Popen(
            ["make", f"VENV={VIRTUAL_ENVIRONMENT}", *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def make(self, *words: str) -> tuple[int, str]:
        process = self.start(*words)
        output, _ = process.communicate(timeout=500)
        return process.returncode, output

    def made(self, *words: str) -> str:
        code, output = self.make(*words)
        assert code == 0, output
        return output

    def change(self, path: str, old: str, new: str) -> None:
        file = self.folder / path
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new, 1))

    @property
    def server(self) -> ServerState:
        state = ServerState.load(self.folder / ".local_aws")
        assert state
        return state

    @property
    def region(self) -> str:
        return json.loads((self.folder / "infra" / "project.json").read_text())["Region"]

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.server.endpoint,
            region_name=self.region,
            aws_access_key_id=self.server.access_key,
            aws_secret_access_key=self.server.secret_key,
        )

    def read(self, uri: str) -> bytes:
        bucket, key = re.fullmatch(r"s3a?://([^/]+)/(.+)", uri).groups()
        return self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()

    def under(self, uri: str) -> list[str]:
        bucket, key = re.fullmatch(r"s3a?://([^/]+)/(.+)", uri).groups()
        listed = self.client("s3").list_objects_v2(Bucket=bucket, Prefix=key).get("Contents", [])
        return [f"s3://{bucket}/{item['Key']}" for item in listed]

    def job_processes(self) -> list[psutil.Process]:
        """The processes of jobs, including YARN's containers, but without YARN, which the next job reuses."""
        children = psutil.Process(self.server.pid).children(recursive=True)
        return [process for process in children if "py4j.GatewayServer" not in process.cmdline()]


def summary_value(output: str, label: str, step: int = 0) -> str:
    """Return the value for a label in the summary of an execution, of the first step or another."""
    return re.findall(rf"^{label} +(.+)$", output, re.MULTILINE)[step].strip()


def outputs(output: str) -> dict[str, str]:
    """Return the folder of each output in the summary of an execution, by name."""
    return dict(re.findall(r"^Output +(\S+) .* (s3://\S+)$", output, re.MULTILINE))
