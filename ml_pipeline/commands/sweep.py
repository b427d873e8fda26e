"""Delete expired previews and unused code."""

import argparse

from rich.console import Console

from ml_pipeline.commands import options
from ml_pipeline.releases.sweep import PARTS, sweep


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--dry-run", action="store_true", help="only show what would be deleted")
    parser.add_argument("--only", choices=PARTS, help="sweep only these")
    parser.add_argument(
        "--keep",
        type=options.count,
        default=10,
        metavar="N",
        help="newest versions of each pipeline that keep their code (default: %(default)s)",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Sweep the previews of the project and the code of all pipelines; return 1 if a deletion failed."""
    return sweep(
        arguments.env,
        console,
        dry_run=arguments.dry_run,
        versions_kept=arguments.keep,
        parts=[arguments.only] if arguments.only else PARTS,
    )
