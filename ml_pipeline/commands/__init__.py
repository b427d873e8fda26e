"""The commands of `python -m ml_pipeline`: one module each, with `add_arguments` and `run`.

A new command needs a module and an entry here. Its module is imported only when it is called.
"""

import argparse
import importlib
from collections.abc import Mapping
from typing import Protocol, cast

from rich.console import Console

COMMANDS: Mapping[str, str] = {
    "init": "make a fork of the template: its names, environments and parts",
    "run": "deploy the stacks, upload samples, upsert and start",
    "data": "upload sample data, if SampleData of the environment allows it",
    "check": "check the controls of every step, as upsert does",
    "doctor": "check the account of an environment before its first deployment",
    "plan": "show what deploy and upsert would change, and what it costs",
    "drift": "show what is not deployed, and manual changes; exit with 3 if there is drift",
    "code-hash": "print the content hash of the Spark code in this checkout",
    "lock": "pin the Python packages and jars of steps, with hashes",
    "check-commit": "reject a commit that does not descend from the registered one",
    "upsert": "upload the Spark code and create or update the pipeline",
    "history": "list the versions of the pipeline with author, commit and status",
    "rollback": "register an earlier version again",
    "start": "start an execution",
    "status": "show the status of the latest execution",
    "stop": "stop running executions",
    "verify": "verify the reports, files and encryption of the latest execution",
    "report": "write a report of an execution as one HTML page",
    "logs": "print the job logs of an execution",
    "events": "analyze the Spark event log of a step, and recommend settings",
    "size": "size Spark for the instances of a step",
    "spark-ui": "show the Spark UI of a step until Ctrl-C",
    "tune": "try recommended Spark settings of a step, and keep those that are faster",
    # begin: model life cycle
    "models": "show the versions of the model with approval and metrics, and the active version",
    "compare": "show the metrics of two versions of the model side by side",
    "approve": "approve a version of the model that can be served; it becomes the active version",
    "reject": "reject a version of the model; if it was active, the previously approved one becomes active",
    "promote": "register a version that is approved in another environment, and score its sample",
    # end: model life cycle
    "delete": "delete the pipeline; data, code and logs are kept",
    "sweep": "delete expired previews and unused code",
    "teardown": "delete the pipelines and the stacks with their data",
    "new-step": "create the files of another Spark step, with a test",
    "new-pipeline": "create the files of another pipeline, with a test",
}
"""The commands with their help texts, in the order of `--help`."""


class Command(Protocol):
    """The functions of a command's module."""

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None:
        """Add the command's own options."""

    def run(self, arguments: argparse.Namespace, console: Console, /) -> int:
        """Run the command and return its exit code."""


def load_command(name: str) -> Command:
    """Return the module of a command."""
    return cast("Command", importlib.import_module(f"{__name__}.{name.replace('-', '_')}"))
