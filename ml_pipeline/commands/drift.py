"""Show the drift of an environment."""

import argparse
import json

from rich.console import Console

from helpers.infra.stacks.drift import DRIFTED
from ml_pipeline.commands import options
from ml_pipeline.executions.target import ALL
from ml_pipeline.review.drift import as_document, environment_drift, show


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser, default=ALL)
    parser.add_argument("--json", action="store_true", help="as JSON")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show what is not deployed, and manual changes; return 3 if there is drift."""
    drift = environment_drift(arguments.env, arguments.pipeline)
    if arguments.json:
        print(json.dumps(as_document(drift), indent=2))
    else:
        show(drift, console)
    return DRIFTED if drift else 0
