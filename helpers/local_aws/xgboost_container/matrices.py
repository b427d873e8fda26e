"""Reads the data of a channel as an XGBoost matrix."""

import csv
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from helpers.local_aws.xgboost_container.channels import CSV, LIBSVM, PARQUET
from helpers.local_aws.xgboost_container.errors import UserError
from helpers.local_aws.xgboost_container.library import xgboost

_DEPTH = 3
"""Maximum depth of folders in a channel that are read."""


def read_matrix(folder: Path, data_format: str, *, with_weights: bool) -> xgboost.DMatrix | None:
    """Return the rows of all files of a channel, or None if it is empty.

    Args:
        folder: folder of the channel.
        data_format: a format of `channels`.
        with_weights: whether the second column of a CSV file is the weight of its row.

    Raises:
        UserError: the files do not have the format, or have no labels.
    """
    files = list(_files(folder, 1))
    if not sum(file.stat().st_size for file in files):
        return None
    if data_format not in _READERS:
        raise UserError(f"The embedded AWS does not read {data_format}; it reads {', '.join(_READERS)}")
    matrix = _READERS[data_format](files, with_weights)
    if matrix.get_label().size == 0:
        raise UserError("Got input data without labels. Please check the input data set.")
    return matrix


def _files(folder: Path, depth: int) -> Iterator[Path]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if path.is_dir() and depth < _DEPTH:
            yield from _files(path, depth + 1)
        elif path.name.startswith("."):
            raise UserError("Hidden file found in the data path! Remove that before training.")
        elif path.is_file():
            yield path


def _read_csv(files: list[Path], with_weights: bool) -> xgboost.DMatrix:
    # The image detects the delimiter in the first listed file, so an empty file fails some jobs.
    if empty := [file.name for file in files if not file.stat().st_size]:
        raise UserError(
            f"Could not determine delimiter on line :\n{empty[0]} is empty: the image fails whenever it "
            "lists this file first. Spark leaves _SUCCESS away with "
            "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs=false"
        )
    delimiters = [_delimiter(file) for file in files]
    options = f"format=csv&label_column=0&delimiter={delimiters[0]}"
    return _load(files, options + "&weight_column=1" if with_weights else options, "csv")


def _delimiter(file: Path) -> str:
    with file.open(errors="ignore") as lines:
        line = lines.readline()
    try:
        return csv.Sniffer().sniff(line).delimiter
    except csv.Error as error:
        raise UserError(f"Could not determine delimiter on line {line[:50]}:\n{error}") from error


def _read_libsvm(files: list[Path], with_weights: bool) -> xgboost.DMatrix:  # noqa: ARG001 - only for CSV
    for file in files:
        with file.open(errors="ignore") as lines:
            line = next((each for each in lines if each.strip()), "")
        if not _is_libsvm(line):
            raise UserError(
                f"First line '{line[:50]}...' of file '{file.name}' is not 'LIBSVM' format. "
                "Please ensure the file is in 'LIBSVM' format."
            )
    return _load(files, "format=libsvm", "libsvm")


def _is_libsvm(line: str) -> bool:
    label, *features = line.split()
    try:
        [float(part) for part in label.split(":")]
    except ValueError:
        return False
    return label.count(":") <= 1 and all(":" in feature for feature in features)


def _load(files: list[Path], options: str, name: str) -> xgboost.DMatrix:
    """Load files with XGBoost; they must be in one folder."""
    with TemporaryDirectory() as private:
        # XGBoost lists the parent of the folder, too, and fails if an entry disappears meanwhile.
        folder = Path(private, "data")
        folder.mkdir()
        for number, file in enumerate(files):
            (folder / f"{number:06}").symlink_to(file)
        try:
            return xgboost.DMatrix(f"{folder}?{options}")
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise UserError(f"Failed to load {name} data with exception:\n{error}") from error


def _read_parquet(files: list[Path], with_weights: bool) -> xgboost.DMatrix:  # noqa: ARG001 - only for CSV
    from pyarrow import ArrowException, concat_tables, parquet  # noqa: PLC0415 - takes as long as a training

    try:
        table = concat_tables([parquet.read_table(file) for file in files if not file.name.startswith("_")])
        rows = np.column_stack([column.to_numpy() for column in table.columns])
        return xgboost.DMatrix(rows[:, 1:], label=rows[:, 0])
    except (ArrowException, xgboost.core.XGBoostError, TypeError, ValueError) as error:
        raise UserError(f"Failed to load parquet data with exception:\n{error}") from error


_READERS = {CSV: _read_csv, LIBSVM: _read_libsvm, PARQUET: _read_parquet}
