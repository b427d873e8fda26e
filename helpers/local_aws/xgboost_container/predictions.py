"""Handles requests to the server: reads the rows, and predicts."""

import csv
import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.csv
from numpy.typing import NDArray
from scipy import sparse

from helpers.local_aws.xgboost_container.channels import CSV, LIBSVM, content_format
from helpers.local_aws.xgboost_container.library import xgboost

_PLAIN_NUMBERS = re.compile(r"[-0-9.e,\n]*")
"""The characters of numbers that Arrow parses as Python's float does, but without Python objects."""
_VOTING = frozenset({"multi:softmax", "binary:hinge"})


class Model:
    """The boosters of a folder; several are an ensemble."""

    def __init__(self, folder: Path):
        """Args: folder: one file per booster; raises RuntimeError if a file is not a booster."""
        files = [file for file in sorted(folder.iterdir()) if file.is_file() and file.name[0] != "."]
        if not files:
            raise RuntimeError(f"No model file in {folder}")
        self._boosters = [_booster(file) for file in files]

    def predict(self, rows: xgboost.DMatrix) -> Any:
        """Return the prediction for each row; as in the image, the number of features is not checked."""
        each = [booster.predict(rows, validate_features=False) for booster in self._boosters]
        if len(each) == 1:
            return each[0]
        if self._objective() in _VOTING:
            from scipy import stats  # noqa: PLC0415 - for ensembles alone, and half a second

            return stats.mode(each).mode
        return np.mean(each, axis=0)

    def _objective(self) -> str:
        config = json.loads(self._boosters[0].save_config())
        return str(config["learner"]["objective"]["name"])


def _booster(file: Path) -> xgboost.Booster:
    booster = xgboost.Booster()
    try:
        booster.load_model(file)
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise RuntimeError(f"Model {file} cannot be loaded:\n{error}") from error
    booster.set_param("nthread", 1)
    return booster


def read_rows(payload: bytes, content_type: str | None) -> xgboost.DMatrix:
    """Return the rows of a request.

    Raises:
        UserError: the content type is not supported.
        RuntimeError: the rows do not have that type.
    """
    readers = {CSV: _csv_rows, LIBSVM: _libsvm_rows}
    found = content_format(content_type)
    if found not in readers:
        raise RuntimeError(f"Content-type {content_type} is not supported.")
    try:
        return readers[found](payload.strip().decode())
    except (ValueError, csv.Error) as error:
        raise RuntimeError(
            f"Loading {found} data failed with Exception, please ensure data is in {found} format:\n "
            f"{type(error)}\n {error}"
        ) from error


def _csv_rows(text: str) -> xgboost.DMatrix:
    first = text.partition("\n")[0]
    delimiter = csv.Sniffer().sniff(first[:512]).delimiter
    delimiter = "," if delimiter.isalnum() else delimiter
    if delimiter == "," and _PLAIN_NUMBERS.fullmatch(text):
        with suppress(pyarrow.ArrowInvalid):
            return xgboost.DMatrix(_plain_numbers(text, first.count(delimiter) + 1))
    lines = text.split("\n")
    separators = first.count(delimiter)
    if any(line.count(delimiter) != separators for line in lines):
        raise ValueError(f"not every line has the {separators + 1} columns of the first")
    values = text.replace("\n", delimiter).split(delimiter)
    numbers = np.fromiter((float(value or "nan") for value in values), float, len(values))
    return xgboost.DMatrix(numbers.reshape(len(lines), separators + 1))


def _plain_numbers(text: str, columns: int) -> NDArray[np.float64]:
    """Return the numbers of a CSV text, which are rounded as Python rounds them.

    Raises:
        ArrowInvalid: a line has another number of columns, or a value has a notation that Arrow rejects.
    """
    names = [str(number) for number in range(columns)]
    table = pyarrow.csv.read_csv(
        pyarrow.BufferReader(text.encode()),
        pyarrow.csv.ReadOptions(column_names=names, use_threads=False),
        pyarrow.csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
        pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.float64()), null_values=[""]),
    )
    return np.column_stack([column.to_numpy() for column in table.columns])


def _libsvm_rows(text: str) -> xgboost.DMatrix:
    entries = [
        (row, int(index), float(value))
        for row, line in enumerate(text.split("\n"))
        for index, _, value in (item.partition(":") for item in line.split(" ") if ":" in item)
    ]
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    first = 1 if columns and min(columns) >= 1 else 0
    shifted = [column - first for column in columns]
    return xgboost.DMatrix(sparse.csr_matrix((values, (rows, shifted))))
