"""Register a version that another environment has approved."""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from helpers.command_line import environment, print_line
from helpers.errors import UserError
from ml_pipeline.commands import options
from ml_pipeline.registry.group import open_group
from ml_pipeline.registry.promotion import export_package, import_package


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_model(parser)
    parser.add_argument(
        "--from", dest="source", type=environment, required=True, metavar="ENV", help="where it is approved"
    )
    halves = parser.add_mutually_exclusive_group()
    halves.add_argument(
        "--export", type=Path, metavar="FOLDER", help="only write the version into an empty folder"
    )
    halves.add_argument(
        "--import", dest="imported", type=Path, metavar="FOLDER", help="only register what is in a folder"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Copy a version from one environment to another, or do half of it with the credentials of one."""
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
    if arguments.imported:
        print_line(console, import_package(open_group(arguments.env), arguments.imported))
        return 0
    with TemporaryDirectory() as folder:
        export_package(open_group(arguments.source), arguments.model, Path(folder))
        print_line(console, import_package(open_group(arguments.env), Path(folder)))
    return 0
