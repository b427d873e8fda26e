"""Training jobs, batch transforms, and steps without a job: outcome, summary and verification."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from helpers.environments import Environment
from ml_pipeline.executions import outcome
from ml_pipeline.executions.executions import Snapshot, Step, step_of
from ml_pipeline.executions.jobs import JOB_KINDS, TRAINING, TRANSFORM, describe_job, list_jobs
from ml_pipeline.executions.outcome import StepOutcome, read_outcomes
from ml_pipeline.executions.summary import summary
from ml_pipeline.executions.target import Target
from ml_pipeline.executions.verification import Written, problems, read_written
from tests.buckets import create_bucket

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
KEY = "arn:aws:kms:eu-west-1:123456789012:key/1"
ARTIFACTS = "s3://b/models/train-1/output/model.tar.gz"
PREDICTIONS = "s3://b/predictions/runs/prepare-1/train-1"
TARGET = Target(Environment("local"), "train", "train-local")
DESCRIPTIONS: Mapping[str, dict[str, Any]] = {
    "training": {
        "TrainingJobName": "Train-1",
        "TrainingJobStatus": "Completed",
        "CreationTime": NOON,
        "TrainingStartTime": NOON + timedelta(seconds=5),
        "TrainingEndTime": NOON + timedelta(seconds=15),
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        "ModelArtifacts": {"S3ModelArtifacts": ARTIFACTS},
        "OutputDataConfig": {"KmsKeyId": KEY},
        "FinalMetricDataList": [
            {"MetricName": "train:rmse", "Value": 1.4949},
            {"MetricName": "validation:rmse", "Value": 2.18},
        ],
    },
    "transform": {
        "TransformJobName": "Score-1",
        "TransformJobStatus": "Completed",
        "CreationTime": NOON,
        "TransformStartTime": NOON + timedelta(seconds=5),
        "TransformEndTime": NOON + timedelta(seconds=8),
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2},
        "TransformOutput": {"S3OutputPath": PREDICTIONS, "KmsKeyId": KEY},
    },
}


class Jobs:
    """A session with the jobs in DESCRIPTIONS."""

    def client(self, _: str) -> Any:
        return self

    def describe_training_job(self, TrainingJobName: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        assert TrainingJobName == "train-1"
        return DESCRIPTIONS["training"]

    def describe_transform_job(self, TransformJobName: str) -> dict[str, Any]:  # noqa: N803 - boto3's
        assert TransformJobName == "score-1"
        return DESCRIPTIONS["transform"]


SESSION: Any = Jobs()


def entry(name: str, metadata: dict[str, Any], status: str = "Succeeded", **more: Any) -> Step:
    return step_of({"StepName": name, "StepStatus": status, "Metadata": metadata, **more})


def arn(kind: str, name: str) -> str:
    return f"arn:aws:sagemaker:eu-west-1:123456789012:{kind}/{name}"


TRAIN = entry("train", {"TrainingJob": {"Arn": arn("training-job", "train-1")}})
SCORE = entry("score", {"TransformJob": {"Arn": arn("transform-job", "score-1")}})
PACKAGE = entry("register", {"RegisterModel": {"Arn": arn("model-package", "fares/3")}})


@pytest.fixture(autouse=True)
def _logs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each job an empty log."""
    monkeypatch.setattr(outcome, "read_lines", lambda *_: iter([]))


def outcomes(*steps: Step) -> list[StepOutcome]:
    return read_outcomes(SESSION, Snapshot("arn", "Succeeded", steps=steps))


def test_each_kind_of_job_is_described_by_its_own_names() -> None:
    training = describe_job(SESSION, TRAIN.job_arn)
    transform = describe_job(SESSION, SCORE.job_arn)

    assert (training.kind, training.name, training.instances) == (TRAINING, "Train-1", 1)
    assert (transform.kind, transform.name, transform.instance_type) == (TRANSFORM, "Score-1", "ml.m5.xlarge")
    assert (training.created, training.started, training.ended) == (
        NOON,
        NOON + timedelta(seconds=5),
        NOON + timedelta(seconds=15),
    )
    assert {kind.log_group for kind in JOB_KINDS} == {
        f"/aws/sagemaker/{kind}Jobs" for kind in ("Processing", "Training", "Transform")
    }


@pytest.mark.parametrize("kind", JOB_KINDS, ids=lambda kind: kind.name)
def test_each_kind_of_job_is_listed(kind: Any, aws: boto3.Session) -> None:
    assert list(list_jobs(aws.client("sagemaker"), kind, "000000000000", NOON)) == []


@pytest.mark.parametrize(
    ("metadata", "results"),
    [
        ({"Model": {"Arn": "arn:model"}}, (("Model", "arn:model"),)),
        ({"RegisterModel": {"Arn": "arn:package/3"}}, (("Model package", "arn:package/3"),)),
        ({"Condition": {"Outcome": "False"}}, (("Conditions hold", "False"),)),
        ({"ProcessingJob": {"Arn": "arn:job"}}, ()),
        ({}, ()),
    ],
)
def test_a_step_without_a_job_has_a_result(metadata: dict[str, Any], results: Any) -> None:
    assert entry("it", metadata).results == results


def test_the_summary_has_artifacts_metrics_and_predictions() -> None:
    lines = summary(Snapshot("arn", "Succeeded"), outcomes(TRAIN, SCORE), TARGET).splitlines()

    assert f"Artifacts        {ARTIFACTS}" in lines
    assert "Metrics          train:rmse 1.495, validation:rmse 2.18" in lines
    assert f"Predictions      {PREDICTIONS}" in lines
    assert "Log              /aws/sagemaker/TrainingJobs: Train-1/… is empty" in lines
    assert "Log              /aws/sagemaker/TransformJobs: Score-1/… is empty" in lines
    assert not [line for line in lines if line.startswith("Note")], "they write no report"


def test_a_version_that_was_registered_is_shown_with_how_it_is_approved() -> None:
    lines = summary(Snapshot("arn", "Succeeded"), outcomes(PACKAGE), TARGET).splitlines()

    assert lines[-2:] == [
        f"Model package    {arn('model-package', 'fares/3')}",
        "Approve it       make approve ENV=local MODEL=3",
    ]


def test_a_training_job_that_failed_is_shown_with_where_its_parameters_are() -> None:
    reason = "AlgorithmError: framework error:\nUserError: Hyperparameter eta: 2.0 is not in [0, 1]"
    failed = entry(
        "train",
        {"TrainingJob": {"Arn": arn("training-job", "train-1")}},
        status="Failed",
        FailureReason=reason,
    )

    lines = summary(Snapshot("arn", "Failed"), outcomes(failed), TARGET).splitlines()

    assert f"Reason           {reason.replace(chr(10), ' ')}" in lines, "in one line"
    assert "Parameters       steps.train in ml_pipeline/params/pipelines/train.json" in lines


def test_an_execution_that_was_ended_is_shown_with_the_figures_and_no_log() -> None:
    reason = "rmse 2.6 is above the limit 2.5."
    ended = entry("reject", {"Fail": {"ErrorMessage": reason}}, status="Failed", FailureReason=reason)

    lines = summary(Snapshot("arn", "Failed"), outcomes(ended), TARGET).splitlines()

    assert f"Reason           {reason}" in lines
    assert not [line for line in lines if "logs" in line]


def verified(**written: list[Written]) -> list[str]:
    found = {ARTIFACTS: [Written(ARTIFACTS, KEY)], PREDICTIONS: [Written(f"{PREDICTIONS}/1.out", KEY)]}
    found |= {
        {"artifacts": ARTIFACTS, "predictions": PREDICTIONS}[name]: each for name, each in written.items()
    }
    done = Snapshot("arn", "Succeeded")
    return problems(done, outcomes(TRAIN, SCORE, PACKAGE), found, "another key, of reports")


def test_what_jobs_without_a_report_wrote_is_verified() -> None:
    assert verified() == []
    (gone,) = verified(artifacts=[])
    assert gone.startswith(f"step train: {ARTIFACTS} does not exist")
    (other,) = verified(predictions=[Written(f"{PREDICTIONS}/1.out", "")])
    assert other == (f"step score: expected encryption with {KEY}, found no KMS key: {PREDICTIONS}/1.out")


def test_other_files_next_to_the_predictions_of_a_run_are_not_predictions(aws: boto3.Session) -> None:
    s3 = aws.client("s3")
    create_bucket(s3, "predictions-of-tests")
    for key in ("runs/a/1.out", "runs/ab/2.out", "model.tar.gz", "model.tar.gz.bak"):
        s3.put_object(Bucket="predictions-of-tests", Key=key, Body=b"")
    uris = [f"s3://predictions-of-tests/{name}" for name in ("runs/a", "model.tar.gz")]

    found = read_written(s3, [StepOutcome(TRAIN, written=tuple((uri, KEY) for uri in uris))])

    assert {uri: [each.uri for each in written] for uri, written in found.items()} == {
        uris[0]: [f"{uris[0]}/1.out"],
        uris[1]: [uris[1]],
    }
