"""Upload the Spark code, create or update pipelines, and record it."""

import argparse

from rich.console import Console

from ml_pipeline.commands import options
from ml_pipeline.project import open_projects
from ml_pipeline.releases.upsert import reject_other_code, upsert_all


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser)
    parser.add_argument(
        "--code", metavar="HASH", help="fail if the code of this checkout has another content hash"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Upsert the pipelines; if one fails its checks, upsert none."""
    projects = open_projects(arguments.env, arguments.pipeline)
    if arguments.code is not None:
        reject_other_code(projects, arguments.code)
    upsert_all(projects, console)
    return 0
