"""The sample of a model version: test data with predictions, and the job that compares new predictions.

`sample.csv` is next to evaluation.json. Each line contains the recorded prediction, then the features as the
model receives them. A transform job with `JoinSource: Input`, the input filter `$[1:]` and the output filter
`$[0,-1]` writes the recorded prediction and the new one.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Mapping, Sequence

from etl.errors import JobError
from etl.failures import stop_spark
from etl.ingestion.fields import Double
from etl.ingestion.job import Options, process, spark_session
from etl.ingestion.sink import Sink, SinkResult
from etl.ingestion.table import Table
from etl.log import stdout_logger
from etl.storage import s3_settings, storage

from model_quality.boosters import AGREEMENT
from model_quality.columns import PREDICTION

if TYPE_CHECKING:
    import polars as pl
    from etl.report import Output
    from etl.storage import Storage

    from model_quality.columns import Columns

NAME = "check_sample"
SAMPLE, SAMPLE_ROWS = "sample.csv", 100
RECORDED = "recorded"


def sample_of(rows: pl.DataFrame, columns: Columns) -> tuple[str, ...]:
    """Return the first rows of scored test data as lines of sample.csv."""
    first = rows.head(SAMPLE_ROWS).select(PREDICTION, *columns.encoded)
    return tuple(first.write_csv(include_header=False).splitlines())


def main() -> None:
    """Run the job as a program, and stop Spark."""
    try:
        check()
    finally:
        stop_spark()


def check(argv: Sequence[str] | None = None) -> None:
    """Run the job.

    Args:
        argv: the arguments of the job; by default, those of this process.

    Raises:
        JobError: a prediction is missing or differs from the recorded one; or the input, the output or Spark
            prevent it. The message is one line.
    """
    parser = argparse.ArgumentParser(description="Compare predictions for a sample with the recorded ones.")
    parser.add_argument("--predictions", required=True, help="output of the transform job for the sample")
    parser.add_argument("--sample", required=True, help="sample.csv of the version")
    parser.add_argument("--checked", required=True, help="output folder (s3a://, s3://, local)")
    values = parser.parse_args(argv)
    options = Options(values.predictions, values.checked.rstrip("/"), 0.0)
    seconds: dict[str, float] = {}
    with spark_session(NAME, seconds) as spark:
        text = storage(values.sample, s3_settings(spark)).read_text(values.sample)
        table = Table(fields=(Double(RECORDED), Double(PREDICTION)))
        sink = Agreement(values.sample, len(text.splitlines()))
        process(spark, table, sink, options, seconds, stdout_logger(NAME))


@dataclass(frozen=True)
class Difference:
    """The difference between predictions and recorded predictions.

    Attributes:
        rows: number of compared rows.
        different: rows with a difference above AGREEMENT.
        largest: largest difference, relative to the recorded prediction or 1, whichever is larger.
    """

    rows: int
    different: int
    largest: float

    def __add__(self, other: Difference) -> Difference:
        return Difference(
            self.rows + other.rows, self.different + other.different, max(self.largest, other.largest)
        )


class Agreement(Sink):
    """Compares predictions with the recorded ones, and publishes nothing."""

    data_sets: Mapping[str, str] = {}

    def __init__(self, sample: str, expected: int):
        """Args: sample: URI of sample.csv; expected: its number of rows."""
        self._sample, self._expected = sample, expected

    def process(self, rows: pl.DataFrame) -> SinkResult:
        """Return the differences of the predictions from the recorded ones."""
        recorded, prediction = rows[RECORDED].to_numpy(), rows[PREDICTION].to_numpy()
        apart = abs(prediction - recorded) / abs(recorded).clip(1)
        return SinkResult(
            [], Difference(len(rows), int((apart > AGREEMENT).sum()), float(apart.max(initial=0)))
        )

    def finish(self, files: Storage, folder: str, written: Mapping[str, Output], summary: Difference) -> None:
        """Write agreement.json.

        Raises:
            JobError: a prediction is missing or differs.
        """
        del written
        if summary.rows != self._expected:
            raise JobError(
                f"--sample {self._sample}: it has {self._expected:,} rows, and there are predictions for "
                f"{summary.rows:,}: do not approve this version"
            )
        if summary.different:
            raise JobError(
                f"--sample {self._sample}: {summary.different:,} of {summary.rows:,} predictions differ from "
                f"the recorded ones by more than {AGREEMENT:g}, the largest difference is "
                f"{summary.largest:.2g}: do not approve this version; compare its image and its artifact "
                "with those of the environment where it was trained"
            )
        text = json.dumps({**asdict(summary), "limit": AGREEMENT}, indent=2) + "\n"
        files.write(f"{folder}/agreement.json", text.encode())
        stdout_logger(NAME).info(
            "%s predictions match the recorded ones: the largest difference is %.2g",
            f"{summary.rows:,}",
            summary.largest,
        )
