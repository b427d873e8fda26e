"""Compare two versions of the model."""

import argparse

from rich.console import Console
from rich.table import Table

from ml_pipeline.commands import options
from ml_pipeline.registry.comparison import Comparison, compare
from ml_pipeline.registry.evaluation import read_evaluation
from ml_pipeline.registry.group import open_group


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's own options."""
    options.add_model(parser)
    parser.add_argument(
        "--with",
        dest="other",
        type=options.count,
        required=True,
        metavar="N",
        help="the version to compare it with",
    )


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Show the metrics of two versions side by side, overall and by slice."""
    group = open_group(arguments.env)
    versions = (arguments.model, arguments.other)
    one, other = (read_evaluation(group.s3, group.find(version)) for version in versions)
    table = Table(
        *("Part", "Rows", "Metric", *(f"Version {version}" for version in versions), "Change"),
        title=f"{group.name}: {one.label}",
        title_justify="left",
    )
    for comparison in compare(one, other):
        table.add_row(
            comparison.part,
            _rows(comparison),
            comparison.metric,
            _number(comparison.one),
            _number(comparison.other),
            _number(comparison.change, "+"),
        )
    console.print(table)
    return 0


def _rows(comparison: Comparison) -> str:
    numbers = dict.fromkeys(f"{rows:,}" if rows is not None else "none" for rows in comparison.rows)
    return " / ".join(numbers)


def _number(value: float | None, sign: str = "") -> str:
    return "" if value is None else f"{value:{sign}.4g}"
