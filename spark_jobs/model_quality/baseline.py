"""The baseline of a model: statistics.json, constraints.json and columns.json in one folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from etl.errors import JobError

from model_quality.columns import Columns, read_columns
from model_quality.statistics import Baseline, read_statistics

if TYPE_CHECKING:
    from etl.storage import Storage

FOLDER = "baseline"
"""Folder below the run of a job that writes a baseline."""
STATISTICS, CONSTRAINTS, COLUMNS = "statistics.json", "constraints.json", "columns.json"


class ModelBaseline(NamedTuple):
    """Statistics of the data that a model was trained with."""

    columns: Columns
    statistics: dict[str, Baseline]
    """By column name."""


def baseline_folder(uri: str) -> str:
    """Return the folder of a baseline from its URI, or from that of its statistics.json.

    Raises:
        JobError: the URI is not that of a baseline.
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
        files: storage of the baseline.
        uri: URI of its folder, or of statistics.json in it.

    Raises:
        JobError: the baseline is missing or not valid.
    """
    folder = baseline_folder(uri)
    statistics = read_statistics(files.read_text(f"{folder}/{STATISTICS}"), f"{folder}/{STATISTICS}")
    columns = read_columns(files.read_text(f"{folder}/{COLUMNS}"), f"{folder}/{COLUMNS}")
    return ModelBaseline(columns, statistics)
