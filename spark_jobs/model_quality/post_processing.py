"""The job that post-processes predictions: adds keys, measures drift, and publishes or withholds them.

`<predicted>/runs/<run>/` contains parquet/ and csv/ with the key and the prediction of each row, and
drift/drift.json, whose `decision` the pipeline reads. `<predicted>/drift.json` is the newest one, published
or not.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence

from etl.errors import JobError
from etl.failures import stop_spark
from etl.ingestion.job import Options, process, spark_session
from etl.ingestion.sink import Sink, SinkResult, encoded
from etl.log import stdout_logger
from etl.report import Check
from etl.storage import s3_settings, storage

from model_quality.baseline import STATISTICS, ModelBaseline, baseline_folder, read_baseline
from model_quality.columns import PREDICTION, Column
from model_quality.drift import Drift, Limits, drift_report, drifts
from model_quality.statistics import Statistics, statistics_of

if TYPE_CHECKING:
    import polars as pl
    from etl.report import Output
    from etl.storage import Storage

    from model_quality.data import ModelData

NAME = "post_process_predictions"
PUBLISH, WITHHOLD = "publish", "withhold"
"""The possible decisions about predictions."""
SHOWN_LIMITS = 20
"""Maximum number of limits in a message."""


def main(data: ModelData) -> None:
    """Run the job as a program, and stop Spark."""
    try:
        post_process(data)
    finally:
        stop_spark()


def post_process(data: ModelData, argv: Sequence[str] | None = None) -> None:
    """Run the job.

    Args:
        data: the declaration of the model's data.
        argv: the arguments of the job; by default, those of this process.

    Raises:
        JobError: the predictions, the baseline or Spark prevent it; the message is one line.
    """
    parser = argparse.ArgumentParser(
        description="Publish predictions, unless features or predictions have drifted."
    )
    parser.add_argument(
        "--predictions", required=True, help="output of the transform job for the scoring data"
    )
    parser.add_argument("--baseline", required=True, help="folder of the model's baseline")
    parser.add_argument("--predicted", required=True, help="output folder (s3a://, s3://, local)")
    parser.add_argument(
        "--max_psi", type=float, default=0.25, help="maximum PSI of a column (population stability index)"
    )
    parser.add_argument(
        "--max_ks", type=float, default=0.2, help="maximum Kolmogorov-Smirnov distance of a number"
    )
    parser.add_argument(
        "--max_missing", type=float, default=0.05, help="maximum increase of the fraction of missing values"
    )
    values = parser.parse_args(argv)
    limits = Limits(values.max_psi, values.max_ks, values.max_missing)
    limits.check()
    options = Options(values.predictions, values.predicted.rstrip("/"), 0.0)
    seconds: dict[str, float] = {}
    with spark_session(NAME, seconds) as spark:
        baseline = read_baseline(storage(values.baseline, s3_settings(spark)), values.baseline)
        _check_complete(baseline, f"{baseline_folder(values.baseline)}/{STATISTICS}")
        sink = Predictions(baseline, data.key.name, limits, options.output_table)
        process(spark, baseline.columns.predicted(data.key), sink, options, seconds, stdout_logger(NAME))


def _check_complete(baseline: ModelBaseline, uri: str) -> None:
    """Check that a baseline has all columns.

    Raises:
        JobError: a column is missing.
    """
    names = [*(feature.name for feature in baseline.columns.features), PREDICTION]
    if missing := [name for name in names if name not in baseline.statistics]:
        raise JobError(
            f"{uri} has no statistics of {', '.join(missing)}: register the model with the baseline of "
            "evaluate_model.py"
        )


class Predictions(Sink):
    """Writes the key and the prediction of each row, and measures drift."""

    data_sets: Mapping[str, str] = {"parquet": "parquet", "csv": "csv"}

    def __init__(self, baseline: ModelBaseline, key: str, limits: Limits, output: str):
        """Args: baseline: the model's baseline; key: field name; output: folder of the newest drift.json."""
        self._baseline, self._key, self._limits, self._output = baseline, key, limits, output
        self._described = [*baseline.columns.features, Column(PREDICTION)]

    def process(self, rows: pl.DataFrame) -> SinkResult:
        """Return the files of rows, and their statistics."""
        published = rows.select(self._key, PREDICTION)
        values = rows.select(*self._baseline.columns.decode(), PREDICTION)
        files = [encoded(data_set, kind, published) for data_set, kind in self.data_sets.items()]
        return SinkResult(files, statistics_of(values, self._described))

    def finish(
        self, files: Storage, folder: str, written: Mapping[str, Output], summary: Statistics
    ) -> Optional[Check]:
        """Write drift.json; return the check that withholds predictions if a limit is exceeded."""
        del written
        found = drifts(self._baseline.statistics, summary, self._limits)
        exceeded = [each for column in found for each in column.exceeded()]
        reason = _reason(exceeded, summary.rows) if exceeded else f"no drift in {summary.rows:,} rows"
        content = drift_report(summary.rows, self._limits, found)
        content |= {"decision": WITHHOLD if exceeded else PUBLISH, "reason": reason}
        text = json.dumps(content, indent=2, allow_nan=False) + "\n"
        files.write(f"{folder}/drift/drift.json", text.encode())
        files.write(f"{self._output}/drift.json", text.encode())
        stdout_logger(NAME).info("%s; %s", reason, _largest(found))
        return Check("limits of drift exceeded", 0, len(exceeded)) if exceeded else None


def _reason(exceeded: Sequence[str], rows: int) -> str:
    """Return why nothing is published; a Fail step of SageMaker accepts 3,072 characters."""
    more = f" and {len(exceeded) - SHOWN_LIMITS} more" if len(exceeded) > SHOWN_LIMITS else ""
    return (
        f"drift: none of {rows:,} rows is published: {'; '.join(exceeded[:SHOWN_LIMITS])}{more}; check the "
        "input, train a model on newer data, or raise max_psi, max_ks or max_missing of post-process"
    )


def _largest(found: Sequence[Drift]) -> str:
    most: Any = max(found, key=lambda each: each.psi)
    return f"the largest PSI is {most.psi:.3f}, of {most.name}"
