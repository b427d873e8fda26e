"""Tuning jobs with several training jobs, with boto3."""

import time
import uuid
from copy import deepcopy
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.helpers.local_aws.roles import sagemaker_of_role
from tests.helpers.local_aws.training_jobs import TrainingJobs

RANGES = {
    "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "6"}],
    "ContinuousParameterRanges": [{"Name": "eta", "MinValue": "0.01", "MaxValue": "0.9"}],
}
GRID = {"CategoricalParameterRanges": [{"Name": "eta", "Values": ["0.01", "0.5"]}]}


class TuningJobs:
    """Starts tuning jobs and waits for them."""

    def __init__(self, jobs: TrainingJobs):
        self.sagemaker = jobs.sagemaker
        self.jobs = jobs
        jobs.put("validation/part-0.csv", "3,1,1\n12,2,5\n")

    def request(self, most: int | None = 3, parallel: int = 2, **config: Any) -> dict[str, Any]:
        given = self.jobs.request()
        shared = ("AlgorithmSpecification", "RoleArn", "OutputDataConfig", "ResourceConfig")
        limits = {"MaxParallelTrainingJobs": parallel, **({"MaxNumberOfTrainingJobs": most} if most else {})}
        return {
            "HyperParameterTuningJobName": f"tune-{uuid.uuid4().hex[:8]}",
            "HyperParameterTuningJobConfig": {
                "Strategy": "Random",
                "RandomSeed": 3,
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
                "ParameterRanges": RANGES,
                "ResourceLimits": limits,
                **config,
            },
            "TrainingJobDefinition": {
                **{name: given[name] for name in (*shared, "StoppingCondition")},
                "StaticHyperParameters": {"num_round": "3"},
                "InputDataConfig": [
                    self.jobs.channel("train", "train/"),
                    self.jobs.channel("validation", "validation/"),
                ],
            },
        }

    def describe(self, request: dict[str, Any]) -> dict[str, Any]:
        name = request["HyperParameterTuningJobName"]
        return dict(self.sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name))

    def training_jobs(self, request: dict[str, Any], **members: Any) -> list[dict[str, Any]]:
        name = request["HyperParameterTuningJobName"]
        listed = self.sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name, **members
        )
        return list(listed["TrainingJobSummaries"])

    def run(self, request: dict[str, Any]) -> dict[str, Any]:
        self.sagemaker.create_hyper_parameter_tuning_job(**request)
        return self.wait(request)

    def wait(self, request: dict[str, Any]) -> dict[str, Any]:
        while True:
            job = self.describe(request)
            if job["HyperParameterTuningJobStatus"] not in {"InProgress", "Stopping"}:
                return job
            time.sleep(0.05)


@pytest.fixture
def tuning_jobs(training_jobs: TrainingJobs) -> TuningJobs:
    return TuningJobs(training_jobs)


def test_the_best_of_its_training_jobs_is_found(tuning_jobs: TuningJobs) -> None:
    request = {**tuning_jobs.request(), "Tags": [{"Key": "Owner", "Value": "o"}]}

    job = tuning_jobs.run(request)

    assert job["HyperParameterTuningJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TrainingJobStatusCounters"]["Completed"] == job["ObjectiveStatusCounters"]["Succeeded"] == 3
    ranked = tuning_jobs.training_jobs(request, SortBy="FinalObjectiveMetricValue", SortOrder="Ascending")
    values = [each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in ranked]
    assert values == sorted(values)
    assert len(set(values)) == 3
    assert job["BestTrainingJob"]["TrainingJobName"] == ranked[0]["TrainingJobName"]
    best = tuning_jobs.jobs.describe(ranked[0]["TrainingJobName"])
    assert best["TuningJobArn"] == job["HyperParameterTuningJobArn"]
    assert (
        best["HyperParameters"].items()
        >= {
            **job["BestTrainingJob"]["TunedHyperParameters"],
            "num_round": "3",
            "_tuning_objective_metric": "validation:rmse",
        }.items()
    )
    assert tuning_jobs.sagemaker.list_tags(ResourceArn=best["TrainingJobArn"])["Tags"] == request["Tags"]
    starts = sorted((each["TrainingStartTime"], each["TrainingEndTime"]) for each in ranked)
    assert starts[2][0] >= min(starts[0][1], starts[1][1])  # two at the same time
    names = [
        each["HyperParameterTuningJobName"]
        for each in tuning_jobs.sagemaker.list_hyper_parameter_tuning_jobs(StatusEquals="Completed")[
            "HyperParameterTuningJobSummaries"
        ]
    ]
    assert request["HyperParameterTuningJobName"] in names


def test_a_grid_ends_when_a_target_is_reached(tuning_jobs: TuningJobs) -> None:
    request = tuning_jobs.request(
        None,
        1,
        Strategy="Grid",
        ParameterRanges=GRID,
        TuningJobCompletionCriteria={"TargetObjectiveMetricValue": 100.0},
    )
    job = tuning_jobs.run(request)
    assert job["HyperParameterTuningJobStatus"] == "Completed"
    (only,) = tuning_jobs.training_jobs(request)
    assert only["TunedHyperParameters"] == {"eta": "0.01"}


def test_without_a_success_it_fails(tuning_jobs: TuningJobs) -> None:
    request = tuning_jobs.request(1, 1)
    request["TrainingJobDefinition"]["StaticHyperParameters"] = {"num_round": "0"}
    job = tuning_jobs.run(request)
    assert job["HyperParameterTuningJobStatus"] == "Failed"
    assert "No training job succeeded after 1 attempts" in job["FailureReason"]
    (failed,) = tuning_jobs.training_jobs(request)
    assert failed["ObjectiveStatus"] == "Failed"
    assert "num_round: 0 is not in [1, +inf)" in failed["FailureReason"]


def test_stopping_it_stops_its_training_jobs(tuning_jobs: TuningJobs) -> None:
    request = tuning_jobs.request(500, 2)
    request["TrainingJobDefinition"]["StaticHyperParameters"]["num_round"] = "1000000"
    tuning_jobs.sagemaker.create_hyper_parameter_tuning_job(**request)
    while not tuning_jobs.training_jobs(request):
        time.sleep(0.05)
    tuning_jobs.sagemaker.stop_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=request["HyperParameterTuningJobName"]
    )
    assert tuning_jobs.wait(request)["HyperParameterTuningJobStatus"] == "Stopped"
    assert {each["TrainingJobStatus"] for each in tuning_jobs.training_jobs(request)} == {"Stopped"}


CONFIG = "HyperParameterTuningJobConfig"


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (f"{CONFIG}.Strategy", "Hyperband", "does not support Strategy Hyperband"),
        (f"{CONFIG}.TrainingJobEarlyStoppingType", "Auto", "support TrainingJobEarlyStoppingType Auto"),
        (f"{CONFIG}.ResourceLimits.MaxParallelTrainingJobs", 9, "9 is more than MaxNumberOfTrainingJobs 3"),
        (f"{CONFIG}.ResourceLimits.MaxRuntimeInSeconds", 600, "support .*MaxRuntimeInSeconds"),
        (f"{CONFIG}.HyperParameterTuningJobObjective.MetricName", "loss", "loss is none of the algorithm's"),
        (f"{CONFIG}.ParameterRanges", {}, "must have a range"),
        ("TrainingJobDefinition.StaticHyperParameters", {"eta": "1"}, "eta is there twice"),
        ("TrainingJobDefinition.CheckpointConfig", {"S3Uri": "s3://b/c"}, "support .*CheckpointConfig"),
        ("TrainingJobDefinition.AlgorithmSpecification.TrainingImage", "img:1", "does not execute the image"),
        ("WarmStartConfig.WarmStartType", "TransferLearning", "WarmStartConfig"),
        (f"{CONFIG}.Strategy", "Grid", "takes categorical ranges alone"),
    ],
)
def test_what_is_rejected(tuning_jobs: TuningJobs, path: str, value: Any, message: str) -> None:
    request = deepcopy(tuning_jobs.request())
    *folders, last = path.split(".")
    part = request
    for name in folders:
        part = part.setdefault(name, {})
    part[last] = value
    if path.startswith("WarmStartConfig"):
        part["ParentHyperParameterTuningJobs"] = [{"HyperParameterTuningJobName": "p"}]
    with pytest.raises(ClientError, match=message):
        tuning_jobs.sagemaker.create_hyper_parameter_tuning_job(**request)


def test_a_tuner_that_drops_keys_and_encryption_is_denied_where_a_training_job_is(
    tuning_jobs: TuningJobs, aws: boto3.Session
) -> None:
    """SDK 3.27.0 writes no VolumeKmsKeyId, isolation or traffic encryption into the definition of a tuner."""
    hardened = {
        "Null": {"sagemaker:VolumeKmsKey": "false"},
        "Bool": {
            "sagemaker:NetworkIsolation": "true",
            "sagemaker:InterContainerTrafficEncryption": "true",
        },
    }
    create = ["sagemaker:CreateTrainingJob", "sagemaker:CreateHyperParameterTuningJob"]
    sagemaker = sagemaker_of_role(
        aws,
        {"Effect": "Allow", "Action": create, "Resource": "*", "Condition": hardened},
        {"Effect": "Allow", "Action": ["iam:PassRole", "kms:*"], "Resource": "*"},
    )
    request = tuning_jobs.request(1, 1)
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:CreateHyperParameterTuning"):
        sagemaker.create_hyper_parameter_tuning_job(**request)
    definition = request["TrainingJobDefinition"]
    definition["EnableNetworkIsolation"] = definition["EnableInterContainerTrafficEncryption"] = True
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    definition["ResourceConfig"] = {**definition["ResourceConfig"], "VolumeKmsKeyId": key}
    assert sagemaker.create_hyper_parameter_tuning_job(**request)["HyperParameterTuningJobArn"]
    assert tuning_jobs.wait(request)["HyperParameterTuningJobStatus"] == "Completed"
