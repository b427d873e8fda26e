"""Register a version that another environment has approved, and score its sample.

If the command ends early, the version stays pending approval, and the command can be repeated.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from helpers.command_line import environment, print_line
from helpers.errors import UserError
from helpers.progress import progress
from ml_pipeline.commands import options
from ml_pipeline.commands.start import begin, execution_step, follow
from ml_pipeline.executions.target import startable_pipelines, target_of
from ml_pipeline.registry import Package
from ml_pipeline.registry.approval import approve
from ml_pipeline.registry.group import ModelGroup, open_group
from ml_pipeline.registry.packages import PENDING
from ml_pipeline.registry.promotion import export_package, import_package
from ml_pipeline.registry.sample import needs_scoring, promote_command, record_scoring

SCORE_SAMPLE = "score-sample"
"""The pipeline that scores the sample of a version."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_model(parser)
    parser.add_argument(
        "--from",
        dest="source",
        type=environment,
        required=True,
        metavar="ENV",
        help="the environment that has approved the version",
    )
    halves = parser.add_mutually_exclusive_group()
    halves.add_argument(
        "--export", type=Path, metavar="FOLDER", help="only write the version to this empty folder"
    )
    halves.add_argument(
        "--import",
        dest="imported",
        type=Path,
        metavar="FOLDER",
        help="only register the version in this folder",
    )
    parser.add_argument(
        "--approve", action="store_true", help="also approve the version after its sample is scored"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Copy a version from one environment to another and score its sample, or only export it."""
    if arguments.env == arguments.source:
        raise UserError(
            f"ENV and FROM are both {arguments.env}",
            hint="Name two environments, for example: make promote ENV=staging FROM=dev MODEL=3",
        )
    if arguments.export:
        arguments.export.mkdir(parents=True, exist_ok=True)
        if any(arguments.export.iterdir()):
            raise UserError(f"{arguments.export} is not empty", hint="Name a new folder")
        export_package(open_group(arguments.source), arguments.model, arguments.export)
        print_line(console, f"Wrote version {arguments.model} of {arguments.source} to {arguments.export}.")
        return 0
    group = open_group(arguments.env)
    if arguments.imported:
        package = import_package(group, arguments.imported)
    else:
        with TemporaryDirectory() as folder:
            export_package(open_group(arguments.source), arguments.model, Path(folder))
            package = import_package(group, Path(folder))
    print_line(
        console,
        f"Version {arguments.model} of {arguments.source} is version {package.version} of {arguments.env}: "
        f"{package.status}.",
    )
    if package.status != PENDING:
        return 0
    if needs_scoring(package) and (code := _score_sample(group, package, console)):
        print_line(
            console,
            f"\nVersion {package.version} of {arguments.env} cannot be approved before its sample is scored. "
            f"Score it again with: {promote_command(group, package)}",
        )
        return code
    if arguments.approve:
        print_line(console, approve(group, package.version))
    else:
        print_line(console, f"Approve it: {group.command('approve', MODEL=str(package.version))}")
    return 0


def _score_sample(group: ModelGroup, package: Package, console: Console) -> int:
    """Score the sample of a promoted version and record the result; return the exit code."""
    (pipeline,) = startable_pipelines(SCORE_SAMPLE, group.environment)
    target = target_of(group.environment, pipeline)
    with progress("promote", group.environment, [execution_step(target)], console) as steps:
        arn = begin(group.session, target, console, package=package)
        if code := follow(group.session, arn, target, console, steps):
            return code
    record_scoring(group, package, arn)
    print_line(console, "The predictions for its sample are those that were recorded.")
    return 0
