"""Steps that train, create a model, score and register, in executions."""

import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.helpers.local_aws.training_jobs import IMAGE, TrainingJobs

CACHE = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P1D"}}
ARTIFACTS = {"Get": "Steps.train.ModelArtifacts.S3ModelArtifacts"}


def train_step(jobs: TrainingJobs) -> dict[str, Any]:
    arguments = jobs.request()
    del arguments["TrainingJobName"]
    return {"Name": "train", "Type": "Training", "Arguments": arguments, **CACHE}


def model_step(role: str, artifacts: Any = ARTIFACTS) -> dict[str, Any]:
    container = {"Image": IMAGE, "ModelDataUrl": artifacts, "Environment": {}}
    arguments = {"ExecutionRoleArn": role, "PrimaryContainer": container}
    return {"Name": "create_model", "Type": "Model", "Arguments": arguments}


def score_step(jobs: TrainingJobs) -> dict[str, Any]:
    arguments = jobs.score_request("test", {"Get": "Steps.create_model.ModelName"})
    return {"Name": "score", "Type": "Transform", "Arguments": arguments, **CACHE}


def register_step(group: str) -> dict[str, Any]:
    specification = {
        "Containers": [{"Image": IMAGE, "ModelDataUrl": ARTIFACTS}],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    scored = {"Get": "Steps.score.TransformOutput.S3OutputPath"}
    arguments = {
        "ModelPackageGroupName": group,
        "InferenceSpecification": specification,
        "ModelApprovalStatus": {"Get": "Parameters.Approval"},
        "ModelMetrics": {"Bias": {}, "Explainability": {}},
        "CustomerMetadataProperties": {"scored": scored},
        "SkipModelValidation": "None",
    }
    return {"Name": "register", "Type": "RegisterModel", "Arguments": arguments}


APPROVAL = [{"Name": "Approval", "Type": "String", "DefaultValue": "PendingManualApproval"}]


def test_a_model_is_trained_scored_and_registered(pipelines, training_jobs, role: str) -> None:
    training_jobs.put("test/a.csv", "1,1\n2,2\n")
    group = f"group-{uuid.uuid4().hex[:8]}"
    rmse = {"Get": "Steps.train.FinalMetricDataList['train:rmse'].Value"}
    good = {
        "Name": "good",
        "Type": "Condition",
        "Arguments": {
            "Conditions": [{"Type": "LessThan", "LeftValue": rmse, "RightValue": 1000}],
            "IfSteps": [register_step(group)],
            "ElseSteps": [{"Name": "bad", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}],
        },
    }
    name = pipelines.create(
        train_step(training_jobs), model_step(role), score_step(training_jobs), good, Parameters=APPROVAL
    )

    first = pipelines.run(name)
    assert first["PipelineExecutionStatus"] == "Succeeded", pipelines.steps(first["PipelineExecutionArn"])
    second = pipelines.run(name, parameters={"Approval": "Approved"})

    steps = [pipelines.steps(each["PipelineExecutionArn"]) for each in (first, second)]
    kinds = {
        "train": "TrainingJob",
        "create_model": "Model",
        "score": "TransformJob",
        "register": "RegisterModel",
    }
    arns = [{step: each[step]["Metadata"][kind]["Arn"] for step, kind in kinds.items()} for each in steps]
    execution = first["PipelineExecutionArn"].rsplit("/", 1)[1]
    assert f":model/pipelines-{execution}-create-model-" in arns[0]["create_model"]
    assert f":transform-job/pipelines-{execution}-score-" in arns[0]["score"]
    # The training is reused. Steps without a cache, or with the model's new name in their key, run again.
    assert [name for name, step in steps[1].items() if "CacheHitResult" in step] == ["train"]
    assert arns[0]["train"] == arns[1]["train"]
    assert arns[0]["create_model"] != arns[1]["create_model"]
    assert arns[0]["score"] != arns[1]["score"]
    packages = [
        pipelines.sagemaker.describe_model_package(ModelPackageName=each["register"]) for each in arns
    ]
    assert [each["ModelPackageVersion"] for each in packages] == [1, 2]
    assert [each["ModelApprovalStatus"] for each in packages] == ["PendingManualApproval", "Approved"]
    assert packages[0]["MetadataProperties"] == {"GeneratedBy": first["PipelineExecutionArn"]}
    scored = packages[0]["CustomerMetadataProperties"]["scored"]
    assert scored == f"s3://{training_jobs.bucket}/out/test"
    containers = [each["InferenceSpecification"]["Containers"][0] for each in packages]
    assert containers[0] == containers[1], "an unchanged execution registers the same model once more"


def test_a_model_without_artifacts_fails_its_step(pipelines, bucket: str, role: str) -> None:
    name = pipelines.create(model_step(role, f"s3://{bucket}/gone/model.tar.gz"))

    execution = pipelines.run(name)

    assert execution["PipelineExecutionStatus"] == "Failed"
    reason = pipelines.steps(execution["PipelineExecutionArn"])["create_model"]["FailureReason"]
    assert reason.startswith("ClientError: Failed to invoke sagemaker:CreateModel. Error Details: Could not")


def test_an_execution_stopped_halfway_leaves_nothing_and_can_be_repeated(
    aws: boto3.Session, pipelines, training_jobs, role: str
) -> None:
    """While it trains, and between two steps, where a callback waits."""
    sagemaker, group = pipelines.sagemaker, f"group-{uuid.uuid4().hex[:8]}"
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    queue = aws.client("sqs").create_queue(QueueName=group)["QueueUrl"]
    train, register = train_step(training_jobs), register_step(group)
    train["Arguments"]["HyperParameters"] = {"num_round": {"Get": "Parameters.Rounds"}}
    del register["Arguments"]["CustomerMetadataProperties"]
    ask = {"Name": "ask", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}, "OutputParameters": []}
    register["DependsOn"] = ["ask"]
    name = pipelines.create(
        *(train, {**ask, "DependsOn": ["create_model"]}, model_step(role), register),
        Parameters=[*APPROVAL, {"Name": "Rounds", "Type": "String", "DefaultValue": "5"}],
    )

    def versions() -> list[int]:
        listed = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
        return [each["ModelPackageVersion"] for each in listed]

    def started(execution: str, step: str) -> dict[str, Any]:
        while not (found := pipelines.steps(execution).get(step, {}).get("Metadata")):
            status = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
            assert status["PipelineExecutionStatus"] == "Executing"
        return dict(found)

    training = pipelines.start(name, parameters={"Rounds": "100000000"})
    job = started(training, "train")["TrainingJob"]["Arn"].rsplit("/", 1)[1]
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=training)
    assert pipelines.wait(training)["PipelineExecutionStatus"] == "Stopped"
    assert pipelines.steps(training).keys() == {"train"}
    assert training_jobs.wait(job)["TrainingJobStatus"] == "Stopped"
    keys = training_jobs.s3.list_objects_v2(Bucket=training_jobs.bucket, Prefix=f"models/{job}")
    assert keys["KeyCount"] == 0, "no artifact of a model that is not trained to the end"

    waiting = pipelines.start(name)
    token = started(waiting, "ask")["Callback"]["CallbackToken"]
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=waiting)
    sagemaker.send_pipeline_execution_step_success(CallbackToken=token)
    assert pipelines.wait(waiting)["PipelineExecutionStatus"] == "Stopped"
    assert pipelines.steps(waiting).keys() == {"train", "create_model", "ask"}
    assert versions() == []

    repeated = pipelines.start(name)
    token = started(repeated, "ask")["Callback"]["CallbackToken"]
    sagemaker.send_pipeline_execution_step_success(CallbackToken=token)
    assert pipelines.wait(repeated)["PipelineExecutionStatus"] == "Succeeded"
    assert "CacheHitResult" in pipelines.steps(repeated)["train"], "what was done is not done again"
    assert versions() == [1]


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        (CACHE, "step 'create_model' has the unknown key 'CacheConfig' for a Model step"),
        (
            {"RetryPolicies": [{"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"]}]},
            "a Model step is not retried for SageMaker.JOB_INTERNAL_ERROR",
        ),
        ({"Arguments": {"PrimaryContainer": {"Image": IMAGE}}}, "ExecutionRoleArn is required"),
        ({"Arguments": {"ModelName": 1}}, "Value at 'ModelName' must be of type string"),
    ],
)
def test_what_a_model_step_may_not_have(pipelines, role: str, members: dict[str, Any], problem: str) -> None:
    step = {**model_step(role, "s3://b/model.tar.gz"), **members}
    with pytest.raises(ClientError, match=problem):
        pipelines.create(step)


def test_what_is_not_emulated_is_rejected_when_an_execution_starts(pipelines, training_jobs) -> None:
    step = train_step(training_jobs)
    step["Arguments"]["CheckpointConfig"] = {"S3Uri": "s3://b/checkpoints"}
    name = pipelines.create(step)
    with pytest.raises(ClientError, match=r"CheckpointConfig \(step 'train'\)"):
        pipelines.start(name)


def test_a_model_of_the_best_training_job_is_created(pipelines, training_jobs, role: str) -> None:
    training_jobs.put("validation/part-0.csv", "3,1,1\n12,2,5\n")
    given = training_jobs.request()
    shared = ("AlgorithmSpecification", "OutputDataConfig", "ResourceConfig", "RoleArn", "StoppingCondition")
    tune = {
        "Name": "tune_depth",
        "Type": "Tuning",
        "Arguments": {
            "HyperParameterTuningJobConfig": {
                "Strategy": "Grid",
                "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:rmse"},
                "ResourceLimits": {"MaxParallelTrainingJobs": 2},
                "ParameterRanges": {
                    "CategoricalParameterRanges": [{"Name": "eta", "Values": ["0.01", "0.5"]}]
                },
            },
            "TrainingJobDefinition": {
                **{name: given[name] for name in shared},
                "StaticHyperParameters": {"num_round": "3"},
                "InputDataConfig": [
                    training_jobs.channel(name, f"{name}/") for name in ("train", "validation")
                ],
            },
        },
        **CACHE,
    }
    # As written by the SDK's get_top_model_s3_uri().
    best = {"Get": "Steps.tune_depth.TrainingJobSummaries[0].TrainingJobName"}
    models = f"s3://{training_jobs.bucket}/models"
    artifacts = {"Std:Join": {"On": "/", "Values": [models, best, "output/model.tar.gz"]}}
    name = pipelines.create(tune, model_step(role, artifacts))

    first = pipelines.run(name)

    assert first["PipelineExecutionStatus"] == "Succeeded", first.get("FailureReason")
    steps = pipelines.steps(first["PipelineExecutionArn"])
    tuning_arn = steps["tune_depth"]["Metadata"]["TuningJob"]["Arn"]
    tuning_name = tuning_arn.rpartition("/")[2]
    assert "-tune-de-" in tuning_name
    tuned = training_jobs.sagemaker.describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=tuning_name
    )
    assert tuned["BestTrainingJob"]["TunedHyperParameters"] == {"eta": "0.5"}
    assert "TrainingJobSummaries" not in tuned
    model = training_jobs.sagemaker.describe_model(
        ModelName=steps["create_model"]["Metadata"]["Model"]["Arn"].rpartition("/")[2]
    )
    assert (
        model["PrimaryContainer"]["ModelDataUrl"].split("/")[4] == tuned["BestTrainingJob"]["TrainingJobName"]
    )

    again = pipelines.run(name)["PipelineExecutionArn"]
    assert pipelines.steps(again)["tune_depth"]["CacheHitResult"]["SourcePipelineExecutionArn"]
