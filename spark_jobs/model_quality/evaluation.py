"""The job that evaluates a model on test data, and compares it with the approved model on the same rows.

`<evaluation>/runs/<run>/` contains evaluation/evaluation.json with charts and a sample of the predictions,
and baseline/, which describes the training data and the predictions. Drift is measured against this baseline.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Mapping, NamedTuple, Sequence

from etl.errors import JobError
from etl.failures import stop_spark
from etl.ingestion.fields import Double
from etl.ingestion.job import Options, process, spark_session
from etl.ingestion.sink import Sink, SinkResult
from etl.log import stdout_logger
from etl.storage import s3_settings, storage

from model_quality import charts
from model_quality.baseline import COLUMNS, CONSTRAINTS, FOLDER, STATISTICS
from model_quality.boosters import AGREEMENT, Artifact, predict, read_artifact
from model_quality.calibration import Calibration, calibration_of
from model_quality.columns import BINARY, PREDICTION, Column, Columns, difference, read_columns
from model_quality.decision import Thresholds, decide
from model_quality.distribution import Numbers, numbers_of
from model_quality.metrics import LOWER_IS_BETTER, METRICS_OF, SUMS
from model_quality.sample import SAMPLE, SAMPLE_ROWS, sample_of
from model_quality.statistics import with_constraints_of, with_statistics_of

if TYPE_CHECKING:
    import polars as pl
    from etl.report import Output
    from etl.storage import Storage

    from model_quality.data import ModelData

NAME = "evaluate_model"
VERSION = 1
EVALUATION = "evaluation"
MODEL, CHAMPION = "model", "champion"
NONE, NOT_GIVEN = "none", "not-given"

Slice = tuple[str, str, str]
"""The model that predicts, and column and value of a slice, which are empty for all rows."""


class Models(NamedTuple):
    """The evaluated model, and the approved model if there is one."""

    model: Artifact
    champion: Artifact | None

    @property
    def are_same(self) -> bool:
        """Whether both are the same model, independent of their archives."""
        return self.champion is not None and self.champion.digest == self.model.digest


def main(data: ModelData) -> None:
    """Run the job as a program, and stop Spark."""
    try:
        evaluate(data)
    finally:
        stop_spark()


def evaluate(data: ModelData, argv: Sequence[str] | None = None) -> None:
    """Run the job.

    Args:
        data: the declaration of the model's data.
        argv: the arguments of the job; by default, those of this process.

    Raises:
        JobError: the input, the models, the output or Spark prevent it; the message is one line.
    """
    parser = argparse.ArgumentParser(description="Evaluate a model on test data.")
    parser.add_argument("--predictions", required=True, help="output of the transform job for the test data")
    parser.add_argument("--training_data", required=True, help="run folder of prepare_training_data.py")
    parser.add_argument("--model_data_url", required=True, help="model.tar.gz that the transform job used")
    parser.add_argument(
        "--champion_model_data_url", default=NONE, help="model.tar.gz of the approved model, or none"
    )
    parser.add_argument("--evaluation", required=True, help="output folder (s3a://, s3://, local)")
    parser.add_argument("--metric", required=True, choices=LOWER_IS_BETTER, help="what decides")
    parser.add_argument("--limit", required=True, type=float, help="the worst value of it")
    parser.add_argument("--min_improvement", type=float, default=0.0, help="over the approved model")
    values = parser.parse_args(argv)
    thresholds = Thresholds(values.metric, values.limit, values.min_improvement)
    thresholds.check()
    options = Options(values.predictions, values.evaluation.rstrip("/"), 0.0)
    seconds: dict[str, float] = {}
    with spark_session(NAME, seconds) as spark:
        files = storage(values.training_data, s3_settings(spark))
        baseline = f"{values.training_data.rstrip('/')}/{FOLDER}"
        columns = read_columns(files.read_text(f"{baseline}/{COLUMNS}"), f"{baseline}/{COLUMNS}")
        if changed := difference(columns, data.columns):
            raise JobError(
                f"--training_data {values.training_data}: its rows have other features: {changed}; prepare "
                "training data with this code"
            )
        _check_metric(thresholds.metric, columns)
        models = _read_models(storage(values.model_data_url, s3_settings(spark)), values)
        sink = Evaluation(columns, data.slices, models, thresholds, baseline)
        classes = columns.problem == BINARY
        label = Double(columns.label.name, minimum=0, maximum=1) if classes else Double(columns.label.name)
        table = columns.predicted(label)
        process(spark, table, sink, options, seconds, stdout_logger(NAME))


def _check_metric(metric: str, columns: Columns) -> None:
    metrics = METRICS_OF[columns.problem]
    if metric not in metrics:
        kind = "has two classes" if columns.problem == BINARY else "is a number"
        raise JobError(
            f"--metric {metric}: label {columns.label.name} {kind}: expected one of {', '.join(metrics)}"
        )


def _read_models(files: Storage, values: argparse.Namespace) -> Models:
    given = values.champion_model_data_url.strip()
    champion = (
        None if given in {"", NONE, NOT_GIVEN} else read_artifact(files, given, "--champion_model_data_url")
    )
    return Models(read_artifact(files, values.model_data_url, "--model_data_url"), champion)


@dataclass(frozen=True)
class Scores:
    """The sums over rows from which the metrics are computed."""

    sums: dict[Slice, Any]
    predictions: Numbers
    calibration: Calibration
    disagreement: float
    """Largest relative difference between predictions of the transform job and of the model."""
    sample: tuple[str, ...]
    """The first rows as CSV lines: the prediction, then the encoded features."""

    def __add__(self, other: Scores) -> Scores:
        both = {key: found + other.sums[key] for key, found in self.sums.items()}
        return Scores(
            both,
            self.predictions + other.predictions,
            self.calibration + other.calibration,
            max(self.disagreement, other.disagreement),
            (self.sample + other.sample)[:SAMPLE_ROWS],
        )


class Evaluation(Sink):
    """Scores rows with both models, and writes the evaluation."""

    data_sets: Mapping[str, str] = {}

    def __init__(
        self,
        columns: Columns,
        slices: Sequence[str],
        models: Models,
        thresholds: Thresholds,
        baseline: str,
    ):
        """Args: columns: columns of the model; slices: feature names; baseline: folder of the baseline."""
        self._columns, self._models = columns, models
        self._slices = [feature for feature in columns.features if feature.name in slices]
        self._thresholds, self._baseline = thresholds, baseline

    def process(self, rows: pl.DataFrame) -> SinkResult:
        """Return the scores of rows."""
        label = rows[self._columns.label.name].to_numpy()
        prediction = rows[PREDICTION].to_numpy()
        features = rows.select(self._columns.encoded).to_numpy()
        scored = predict(self._models.model, features)
        by = {MODEL: prediction}
        if self._models.champion:
            by[CHAMPION] = predict(self._models.champion, features)
        add_up = SUMS[self._columns.problem]
        masks: list[tuple[str, str, Any]] = [
            (feature.name, choice, (rows[name] == 1).fill_null(value=False).to_numpy())
            for feature in self._slices
            for choice, name in zip(feature.choices, feature.encoded, strict=True)
        ]
        sums = {(who, "", ""): add_up(label, predicted) for who, predicted in by.items()}
        for column, value, mask in masks:
            for who, predicted in by.items():
                sums[who, column, value] = add_up(label[mask], predicted[mask])
        apart = abs(scored - prediction) / abs(prediction).clip(1)
        scores = Scores(
            sums,
            numbers_of(rows[PREDICTION]),
            calibration_of(label, prediction),
            float(apart.max(initial=0)),
            sample_of(rows, self._columns),
        )
        return SinkResult([], scores)

    def finish(self, files: Storage, folder: str, written: Mapping[str, Output], summary: Scores) -> None:
        """Write the evaluation, its charts and the baseline.

        Raises:
            JobError: the transform job used another model, or a metric is not a number.
        """
        del written
        if summary.disagreement > AGREEMENT:
            raise JobError(
                f"--model_data_url {self._models.model.uri}: its predictions differ from those of "
                f"the transform by {summary.disagreement:.2g}: name the artifact that the transform used"
            )
        evaluation = self._evaluated(summary)
        content = {
            f"{EVALUATION}/evaluation.json": json.dumps(evaluation, indent=2, allow_nan=False) + "\n",
            f"{EVALUATION}/model_card.json": _model_card(evaluation),
            f"{EVALUATION}/calibration.svg": charts.calibration(
                summary.calibration.points(), self._columns.label.name
            ),
            f"{EVALUATION}/slices.svg": self._chart_of_slices(evaluation),
            f"{EVALUATION}/{SAMPLE}": "".join(f"{line}\n" for line in summary.sample),
            **self._baseline_with_predictions(files, summary.predictions),
        }
        for name, text in content.items():
            files.write(f"{folder}/{name}", text.encode())
        stdout_logger(NAME).info("%s: %s", evaluation["decision"], evaluation["reason"])

    def _evaluated(self, summary: Scores) -> dict[str, Any]:
        metrics = self._metrics(summary, MODEL)
        champion = self._metrics(summary, CHAMPION) if self._models.champion else None
        decision = decide(metrics, champion, self._thresholds, same=self._models.are_same)
        return {
            "version": VERSION,
            "label": self._columns.label.name,
            "problem": self._columns.problem,
            "rows": summary.predictions.present,
            "metrics": metrics,
            "slices": [
                {
                    "column": column,
                    "value": value,
                    "rows": found.rows,
                    "metrics": {
                        name: None if math.isnan(metric) else metric
                        for name, metric in found.metrics().items()
                    },
                }
                for (who, column, value), found in summary.sums.items()
                if who == MODEL and column
            ],
            "model_data_url": self._models.model.uri,
            "model_digest": self._models.model.digest,
            "champion": {"model_data_url": self._models.champion.uri, "metrics": champion}
            if self._models.champion
            else None,
            "thresholds": self._thresholds._asdict(),
            "decision": decision.decision,
            "reason": decision.reason,
        }

    def _metrics(self, summary: Scores, who: str) -> dict[str, float]:
        """Return the metrics over all rows.

        Raises:
            JobError: a metric is not a number.
        """
        metrics: dict[str, float] = summary.sums[who, "", ""].metrics()
        if undefined := [name for name, value in metrics.items() if not math.isfinite(value)]:
            raise JobError(
                f"--predictions: {', '.join(undefined)} of the {who} is not a number (NaN) for "
                f"{summary.predictions.present:,} rows of test data, for example because label "
                f"{self._columns.label.name} is the same in all of them: raise --test_fraction of "
                "prepare_training_data.py, or add rows"
            )
        return metrics

    def _chart_of_slices(self, evaluation: Mapping[str, Any]) -> str:
        metric = self._thresholds.metric
        values = [
            (f"{each['column']} = {each['value']} ({each['rows']:,})", each["metrics"][metric])
            for each in evaluation["slices"]
            if each["metrics"][metric] is not None
        ]
        return charts.bars(f"{metric} by slice", values, evaluation["metrics"][metric])

    def _baseline_with_predictions(self, files: Storage, predictions: Numbers) -> dict[str, str]:
        """Return the baseline files of the training data, with an added column for the predictions."""
        before = {
            name: files.read_text(f"{self._baseline}/{name}") for name in (STATISTICS, CONSTRAINTS, COLUMNS)
        }
        column = Column(PREDICTION)
        statistics, constraints = before[STATISTICS], before[CONSTRAINTS]
        return {
            f"{FOLDER}/{STATISTICS}": with_statistics_of(column, predictions, statistics, self._baseline),
            f"{FOLDER}/{CONSTRAINTS}": with_constraints_of(column, predictions, constraints, self._baseline),
            f"{FOLDER}/{COLUMNS}": before[COLUMNS],
        }


def _model_card(evaluation: Mapping[str, Any]) -> str:
    """Return a file with the evaluation as a part of a model card in AWS's schema.

    The part is a string, because a pipeline can only read single values of a file and insert them into a
    text.
    """
    parts = [("all rows", evaluation["metrics"])]
    parts += [(f"{each['column']} = {each['value']}"[:63], each["metrics"]) for each in evaluation["slices"]]
    groups = [
        {
            "name": name,
            "metric_data": [
                {"name": metric, "type": "number", "value": value}
                for metric, value in metrics.items()
                if value is not None
            ],
        }
        for name, metrics in parts
    ]
    details = {
        "name": "test data",
        "evaluation_observation": f"{evaluation['rows']:,} rows: {evaluation['reason']}",
        "metric_groups": groups,
    }
    content = {"version": VERSION, "evaluation_details": json.dumps([details], allow_nan=False)}
    return json.dumps(content, indent=2) + "\n"
