"""Show planned changes."""

import argparse

from rich.console import Console

from ml_pipeline.commands import options
from ml_pipeline.executions.target import ALL
from ml_pipeline.review import plan_markdown, plan_text
from ml_pipeline.review.plan import make_plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_pipelines(parser, default=ALL)
    parser.add_argument(
        "--format",
        choices=["text", "markdown"],
        default="text",
        help="markdown: for a comment on a pull request (default: text)",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show what deploy and upsert would change; return 1 if the pipelines cannot be built."""
    plan = make_plan(arguments.env, arguments.pipeline)
    if arguments.format == "markdown":
        print(plan_markdown.section(plan), end="")
    else:
        plan_text.show(plan, console)
    return 1 if plan.problem else 0
