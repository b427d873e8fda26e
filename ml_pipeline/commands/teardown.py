"""Tear down an environment."""

import argparse

from rich.console import Console

from ml_pipeline.releases.removal import tear_down


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")
    parser.add_argument("--allow-protected", action="store_true", help="allow it in a protected environment")
    parser.add_argument(
        "--with-github", action="store_true", help="include the stack of GitHub's roles, as an administrator"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Delete all pipelines and stacks of an environment, with their data."""
    tear_down(
        arguments.env,
        console,
        ask=not arguments.yes,
        allow_protected=arguments.allow_protected,
        with_github=arguments.with_github,
    )
    return 0
