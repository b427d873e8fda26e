"""Runs smspark, the program of the Spark image, on jobs: a script for a Python with the image's packages.

`python run_smspark.py FOLDER` imports smspark, reads a list of jobs from its input and writes the results of
the image. FOLDER is empty, and represents the container's `/`. Neither Hadoop nor Spark starts.
"""

import importlib
import json
import logging
import os
import shutil
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, NoReturn

bootstrapper: Any = importlib.import_module("smspark.bootstrapper")
cli: Any = importlib.import_module("smspark.cli")
config: Any = importlib.import_module("smspark.config")
errors: Any = importlib.import_module("smspark.errors")
publisher: Any = importlib.import_module("smspark.spark_event_logs_publisher")

_DOCUMENT = "opt/ml/processing/input/conf/configuration.json"
_MESSAGE = "opt/ml/output/message"
_SPARK_DEFAULTS = "usr/lib/spark/conf/spark-defaults.conf"


def lead_into(root: Path) -> None:
    """Redirect all paths to which smspark writes into a folder."""
    errors.BaseError.message_path = str(root / _MESSAGE)
    config.Configuration.classification_data = [
        data._replace(path=f"{root}{data.path}") for data in config.Configuration.classification_data
    ]
    publisher.SPARK_DEFAULTS_CONFIG_PATH = str(root / _SPARK_DEFAULTS)
    publisher.EVENT_LOG_DIR = f"{root}{publisher.EVENT_LOG_DIR}"
    document = root / _DOCUMENT
    bootstrapper.get_config_path = lambda _: str(document) if document.exists() else None


class Manager:
    """Replaces the manager of a processing job: configures everything, but starts nothing."""

    def __init__(self, root: Path, job: dict[str, Any]):
        self._root = root
        self._job = job
        self.result: dict[str, Any] = {}

    def run(self, command: str, s3_uri: str | None, local_folder: str | None) -> None:
        """Size, configure and log like the image before it runs a command."""
        job = self._job
        smspark = bootstrapper.Bootstrapper()
        _, sizes = smspark.get_yarn_spark_resource_config(
            job["instance_count"], job["memory_mib"], job["vcpus"]
        )
        smspark.write_user_configuration()
        logs = publisher.SparkEventLogPublisher(s3_uri, local_folder)
        logs.down()
        (self._root / _SPARK_DEFAULTS).parent.mkdir(parents=True, exist_ok=True)
        logs.run()
        self.result = {"command": command, "sizes": dict(sizes.Properties), "files": self._files()}

    def _files(self) -> dict[str, str]:
        folder = self._root / "usr"
        return {
            f"/{file.relative_to(self._root)}": file.read_text(encoding="utf-8")
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        }


def run(root: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Return the command, sizes and files of a job, or its error message."""
    for folder in root.iterdir():
        shutil.rmtree(folder)
    for path in job["files"]:
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    for path in job["folders"]:
        (root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
    if job["document"] is not None:
        file = root / _DOCUMENT
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(job["document"].encode("utf-8", "surrogateescape"))
    os.environ.pop("AWS_SPARK_CONFIG_MODE", None)
    if job["mode"] is not None:
        os.environ["AWS_SPARK_CONFIG_MODE"] = job["mode"]
    manager = Manager(root, job)
    cli.ProcessingJobManager = lambda: manager
    sys.argv = ["smspark-submit", *(word.replace("/opt/ml/", f"{root}/opt/ml/") for word in job["command"])]
    printed = StringIO()
    try:
        with redirect_stdout(printed):
            cli.submit_main()
    except SystemExit as end:
        if end.code:
            return {"message": (root / _MESSAGE).read_text(), "code": end.code}
    return manager.result or {"help": printed.getvalue().startswith("Usage:")}


def main() -> NoReturn:
    """Run all jobs."""
    root = Path(sys.argv[1]).resolve()
    jobs = json.load(sys.stdin)
    logging.disable()
    lead_into(root)
    answers = json.dumps([run(root, job) for job in jobs])
    sys.stdout.write(answers.replace(f"{root}/", "/"))
    sys.exit()


if __name__ == "__main__":
    main()
