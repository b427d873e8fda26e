"""The baseline of a model: statistics.json, constraints.json and columns.json in one folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from etl.errors import JobError

from model_quality.columns import Columns, read_columns
from model_quality.statistics import Baseline, read_statistics

if TYPE_CHECKING:
    from etl.storage import Storage

FOLDER = "baseline"
"""Below the run of a job that writes one."""
STATISTICS, CONSTRAINTS, COLUMNS = "statistics.json", "constraints.json", "columns.json"


class ModelBaseline(NamedTuple):
    """What is known of the data that a model was trained with."""

    columns: Columns
    statistics: dict[str, Baseline]
    """By column."""


def baseline_folder(uri: str) -> str:
    """Return the folder of a baseline, which statistics.json in it may stand for.

    Raises:
        JobError: there is none.
    """
    if uri.strip() in {"", "none"}:
        raise JobError(
            "--baseline: the model package has no baseline, without which drift cannot be measured: train "
            "and register the model again"
        )
    return uri.removesuffix(STATISTICS).rstrip("/")


def read_baseline(files: Storage, uri: str) -> ModelBaseline:
    """Return a baseline.

    Args:
        files: where it is.
        uri: of its folder, or of statistics.json in it.

    Raises:
        JobError: it is missing, or is something else.
    """
    folder = baseline_folder(uri)
    statistics = read_statistics(files.read_text(f"{folder}/{STATISTICS}"), f"{folder}/{STATISTICS}")
    columns = read_columns(files.read_text(f"{folder}/{COLUMNS}"), f"{folder}/{COLUMNS}")
    return ModelBaseline(columns, statistics)
