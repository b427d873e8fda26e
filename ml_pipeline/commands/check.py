"""Check the controls of pipelines."""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from helpers.command_line import print_line
from helpers.errors import UserError
from ml_pipeline.commands import options
from ml_pipeline.controls.checks import findings
from ml_pipeline.executions.target import ALL
from ml_pipeline.params.documents import read_document
from ml_pipeline.project import open_projects


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser, default=ALL)
    parser.add_argument(
        "--definition", type=Path, metavar="FILE", help="check the JSON of any definition instead"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show which steps lack controls; return 1 if any do.

    Raises:
        UserError: the file is not a pipeline definition.
    """
    if path := arguments.definition:
        if not path.is_file():
            raise UserError(
                f"{path}: there is no such file",
                hint="Name a file with a pipeline definition: make check-pipeline ARGS='--definition FILE'",
            )
        document = read_document(path)
        return _show(document.name, document.values, console)
    projects = open_projects(arguments.env, arguments.pipeline)
    return max(_show(each.name, json.loads(each.registration.definition), console) for each in projects)


def _show(name: str, definition: Mapping[str, Any], console: Console) -> int:
    found = findings(definition)
    for finding in found:
        print_line(console, f"{name}: {finding}")
    print_line(console, f"{name}: {len(found) or 'no'} finding{'s' * (len(found) != 1)}")
    return 1 if found else 0
