"""Show the versions of the model in the registry."""

import argparse
from itertools import islice
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from helpers.command_line import print_line
from helpers.errors import UserError
from ml_pipeline.registry import champion, list_packages
from ml_pipeline.registry.evaluation import read_evaluation
from ml_pipeline.registry.group import ModelGroup, open_group
from ml_pipeline.registry.model_card import card_facts

if TYPE_CHECKING:
    from ml_pipeline.registry import Package

SHOWN_VERSIONS = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    parser.add_argument("--all", action="store_true", help="not only the newest versions")
    parser.add_argument(
        "--card", type=int, metavar="VERSION", help="show the model card of a version instead"
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show the versions with approval and metrics, newest first."""
    group = open_group(arguments.env)
    if arguments.card is not None:
        return _show_card(group, arguments.card, console)
    active = champion(group.sagemaker, group.name)
    shown = list(
        islice(list_packages(group.sagemaker, group.name), None if arguments.all else SHOWN_VERSIONS)
    )
    if active and active.arn not in {package.arn for package in shown}:
        shown.append(active)
    if not shown:
        print_line(
            console, f"{group.name} has no versions. Train one: {group.command('run', PIPELINE='train')}"
        )
        return 0
    table = Table(
        *("Version", "Status", "Metrics", "Registered (UTC)", "Approved by", "Active"),
        title=group.name,
        title_justify="left",
    )
    for package in shown:
        table.add_row(
            str(package.version),
            package.status if package.compared else f"{package.status}, not compared",
            _metrics(group, package),
            f"{package.registered:%Y-%m-%d %H:%M:%S}",
            package.approved_by.rsplit(":", 1)[-1],
            "yes" if active and package.arn == active.arn else "",
        )
    console.print(table)
    return 0


def _show_card(group: ModelGroup, version: int, console: Console) -> int:
    facts = card_facts(group.find(version).card)
    if not facts:
        raise UserError(
            f"Version {version} of {group.name} has no model card",
            hint="Add card to the register step in ml_pipeline/params/pipelines, then train again: "
            f"{group.command('run', PIPELINE='train')}",
        )
    table = Table("Model card", f"{group.name}, version {version}", show_lines=True)
    for name, value in facts:
        table.add_row(name, value)
    console.print(table)
    return 0


def _metrics(group: ModelGroup, package: "Package") -> str:
    if not package.metrics:
        return "none"
    try:
        found = read_evaluation(group.s3, package)
    except UserError:
        return "unreadable"  # `make compare` shows why
    return ", ".join(f"{name} {value:.4g}" for name, value in found.metrics.items())
