"""The job that prepares scoring data: validates rows and encodes them like the training data of the model.

`<scoring_data>/runs/<run>/features/` contains CSV without a header: the key, then the features.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Mapping, Sequence

from etl.errors import JobError
from etl.failures import stop_spark
from etl.ingestion.job import Options, fraction, process, spark_session
from etl.ingestion.sink import Sink, SinkResult
from etl.log import stdout_logger
from etl.storage import s3_settings, storage

from model_quality.baseline import read_baseline
from model_quality.columns import difference
from model_quality.sagemaker_csv import csv_file

if TYPE_CHECKING:
    import polars as pl

    from model_quality.columns import Columns
    from model_quality.data import ModelData

NAME = "prepare_scoring_data"
FEATURES = "features"


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
        JobError: the input, the model, the output or Spark prevent it; the message is one line.
    """
    parser = argparse.ArgumentParser(description="Prepare the scoring data of a model.")
    parser.add_argument("--input_table", required=True, help="file, folder or glob pattern")
    parser.add_argument("--baseline", required=True, help="folder of the model's baseline")
    parser.add_argument("--scoring_data", required=True, help="output folder (s3a://, s3://, local)")
    parser.add_argument("--max_rejected_fraction", type=fraction, default=0.01, help="of malformed rows")
    values = parser.parse_args(argv)
    options = Options(values.input_table, values.scoring_data.rstrip("/"), values.max_rejected_fraction)
    seconds: dict[str, float] = {}
    with spark_session(NAME, seconds) as spark:
        model = read_baseline(storage(values.baseline, s3_settings(spark)), values.baseline).columns
        if changed := difference(model, data.columns):
            raise JobError(
                f"--baseline {values.baseline}: the model was trained on other features: {changed}; score "
                "with the code of that model, or train and approve one with this code"
            )
        sink = ScoringData(model, data.key.name)
        process(spark, data.scoring_table, sink, options, seconds, stdout_logger(NAME))


class ScoringData(Sink):
    """Writes the key and the encoded features."""

    data_sets: Mapping[str, str] = {FEATURES: "csv"}
    marks_success = False  # a transform job would score the marker

    def __init__(self, columns: Columns, key: str):
        """Args: columns: columns of the model; key: name of the key field."""
        self._columns, self._key = columns, key

    def process(self, rows: pl.DataFrame) -> SinkResult:
        """Return the file for rows."""
        return SinkResult([csv_file(FEATURES, rows.select(self._key, *self._columns.encode()))])
