"""The job that prepares training data: validates, encodes and splits rows, and writes the baseline.

`<training_data>/runs/<run>/` contains train/, validation/ and test/, CSV without a header and with the label
first, and baseline/, which describes the rows of train/.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from etl.errors import JobError
from etl.failures import stop_spark
from etl.ingestion.job import Options, fraction, process, spark_session
from etl.ingestion.sink import Sink, SinkResult
from etl.log import stdout_logger

from model_quality.baseline import COLUMNS, CONSTRAINTS, FOLDER, STATISTICS
from model_quality.distribution import Texts
from model_quality.sagemaker_csv import csv_file
from model_quality.split import TEST, TRAIN, VALIDATION, parts, shares
from model_quality.statistics import constraints_json, statistics_json, statistics_of

if TYPE_CHECKING:
    import polars as pl
    from etl.report import Output
    from etl.storage import Storage

    from model_quality.columns import Columns
    from model_quality.data import ModelData
    from model_quality.statistics import Statistics

NAME = "prepare_training_data"


def main(data: ModelData) -> None:
    """Run the job as a program, and stop Spark."""
    try:
        prepare(data)
    finally:
        stop_spark()


def prepare(data: ModelData, argv: Sequence[str] | None = None) -> None:
    """Run the job.

    Args:
        data: the declaration of the model's data.
        argv: the arguments of the job; by default, those of this process.

    Raises:
        JobError: the input, the output or Spark prevent it; the message is one line.
    """
    parser = argparse.ArgumentParser(description="Prepare training, validation and test data of a model.")
    parser.add_argument("--input_table", required=True, help="file, folder or glob pattern")
    parser.add_argument("--training_data", required=True, help="output folder (s3a://, s3://, local)")
    parser.add_argument("--validation_fraction", type=fraction, default=0.15, help="of the rows")
    parser.add_argument("--test_fraction", type=fraction, default=0.15, help="of the rows")
    parser.add_argument("--max_rejected_fraction", type=fraction, default=0.01, help="of malformed rows")
    values = parser.parse_args(argv)
    options = Options(values.input_table, values.training_data.rstrip("/"), values.max_rejected_fraction)
    seconds: dict[str, float] = {}
    sink = TrainingData(data.columns, options.input_table, values.validation_fraction, values.test_fraction)
    with spark_session(NAME, seconds) as spark:
        process(spark, data.training_table, sink, options, seconds, stdout_logger(NAME))


class TrainingData(Sink):
    """Writes training, validation and test data, and summarizes the training data."""

    data_sets: Mapping[str, str] = {TRAIN: "csv", VALIDATION: "csv", TEST: "csv"}
    each_has_all_rows = False
    marks_success = False  # with this marker next to CSV, the built-in XGBoost fails randomly

    def __init__(self, columns: Columns, source: str, validation: float, test: float):
        """Args: columns: columns of the model; source: the input; validation, test: fractions of the rows."""
        self._columns, self._source = columns, source
        self._fractions = {VALIDATION: validation, TEST: test}
        if validation + test >= 1:
            raise JobError(
                f"--validation_fraction {validation:g} and --test_fraction {test:g} leave no training data: "
                "lower one of them"
            )

    @property
    def _described(self) -> list[Any]:
        return [self._columns.label, *self._columns.features]

    def process(self, rows: pl.DataFrame) -> SinkResult:
        """Return the files of rows, and the statistics of the training rows."""
        encoded = rows.select(self._columns.encode_label(), *self._columns.encode())
        chosen = parts(shares(encoded), self._fractions[VALIDATION], self._fractions[TEST])
        files = [csv_file(name, encoded.filter(mask)) for name, mask in chosen.items() if mask.any()]
        return SinkResult(files, statistics_of(rows.filter(chosen[TRAIN]), self._described))

    def finish(self, files: Storage, folder: str, written: Mapping[str, Output], summary: Statistics) -> None:
        """Write the baseline.

        Raises:
            JobError: these rows do not allow to train or evaluate a model.
        """
        rows = sum(output.rows for output in written.values())
        for name, output in written.items():
            if not output.rows:
                option = (
                    f"--{name}_fraction"
                    if name in self._fractions
                    else "--validation_fraction or --test_fraction"
                )
                raise JobError(
                    f"{self._source}: none of its {rows:,} valid rows is {name} data: add different "
                    "rows (equal ones are in the same data set), or "
                    f"{'raise' if name in self._fractions else 'lower'} {option}"
                )
        _reject_constant(self._source, self._columns.label.name, summary)
        content = {
            STATISTICS: statistics_json(summary, self._described),
            CONSTRAINTS: constraints_json(summary, self._described),
            COLUMNS: self._columns.as_json(),
        }
        for name, text in content.items():
            files.write(f"{folder}/{FOLDER}/{name}", text.encode())


def _reject_constant(source: str, label: str, summary: Statistics) -> None:
    found = summary.columns[label]
    if isinstance(found, Texts):
        value: Any = next(iter(found.counts)) if len(found.counts) == 1 else None
    else:
        value = found.minimum if found.minimum == found.maximum else None
    if value is not None:
        raise JobError(
            f"{source}: label {label} is {value} in all {summary.rows:,} rows of the training data, and "
            "there is nothing to learn: add rows with other labels, or predict another field"
        )
