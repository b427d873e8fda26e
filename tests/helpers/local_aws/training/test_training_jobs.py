"""The contract of training jobs with the built-in XGBoost, with boto3."""

import io
import tarfile
from typing import Any

import pyarrow as pa
import pytest
from botocore.exceptions import ClientError
from pyarrow import parquet

from tests.helpers.local_aws.roles import create_role, sagemaker_of_role


def test_a_model_is_trained_and_measured(training_jobs, aws) -> None:
    training_jobs.put("validation/part-0.csv", "3,1,1\n12,2,5\n")
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    output = {"S3OutputPath": f"s3://{training_jobs.bucket}/models", "KmsKeyId": key}

    job = training_jobs.run(
        HyperParameters={"objective": "reg:squarederror"},
        InputDataConfig=[
            training_jobs.channel("train", "train/"),
            training_jobs.channel("validation", "validation/"),
        ],
        OutputDataConfig=output,
        EnableNetworkIsolation=True,
        Tags=[{"Key": "Owner", "Value": "o"}],
    )

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Completed", job.get("FailureReason")
    assert [each["Status"] for each in job["SecondaryStatusTransitions"]] == [
        *("Starting", "Downloading", "Training", "Uploading", "Completed")
    ]
    assert job["EnableNetworkIsolation"] is True
    name = job["TrainingJobName"]
    artifacts = f"s3://{training_jobs.bucket}/models/{name}/output/model.tar.gz"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == artifacts
    metrics = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    assert set(metrics) == {"train:rmse", "validation:rmse"}
    lines = training_jobs.log(name)
    assert "Train matrix has 120 rows and 2 columns" in lines
    assert [line for line in lines if line.startswith("[4]\ttrain-rmse:")]
    stored = training_jobs.s3.get_object(
        Bucket=training_jobs.bucket, Key=artifacts.removeprefix(f"s3://{training_jobs.bucket}/")
    )
    assert stored["SSEKMSKeyId"] == key
    with tarfile.open(fileobj=io.BytesIO(stored["Body"].read())) as archive:
        assert archive.getnames() == ["xgboost-model"]
    assert aws.client("sagemaker").list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]


def test_a_header_becomes_a_row_as_in_the_image(training_jobs) -> None:
    training_jobs.put("header/part-0.csv", "label,a,b\n1,1,1\n2,2,2\n")
    job = training_jobs.run(InputDataConfig=[training_jobs.channel("train", "header/")])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "Train matrix has 3 rows and 2 columns" in training_jobs.log(job["TrainingJobName"])


def test_early_stopping_needs_a_metric(training_jobs) -> None:
    training_jobs.put("validation/part-0.csv", "900,1,1\n-900,2,5\n")
    both = [training_jobs.channel("train", "train/"), training_jobs.channel("validation", "validation/")]
    given = {"num_round": "40", "early_stopping_rounds": "2"}

    ignored = training_jobs.run(HyperParameters=given, InputDataConfig=both)
    stopped = training_jobs.run(
        HyperParameters={**given, "objective": "reg:squarederror", "eval_metric": "rmse,mae"},
        InputDataConfig=both,
    )

    rounds = [
        sum(line.startswith("[") for line in training_jobs.log(job["TrainingJobName"]))
        for job in (ignored, stopped)
    ]
    assert rounds[0] == 40
    assert rounds[1] < 40
    assert {"train:mae", "validation:mae"} < {each["MetricName"] for each in stopped["FinalMetricDataList"]}


@pytest.mark.parametrize(
    ("content_type", "files", "hyperparameters", "message"),
    [
        ("text/csv", {"a.csv": "1,2\n"}, {"eta": "2"}, "Hyperparameter eta: 2.0 is not in [0, 1]"),
        ("text/csv", {"a.csv": "1,2\n", "_SUCCESS": ""}, {}, "marksuccessfuljobs=false"),
        (
            None,
            {"a.csv": "9,0.5,1\n"},
            {},
            "First line '9,0.5,1\n...' of file 'a.csv' is not 'LIBSVM' format",
        ),
        ("text/csv", {"a.csv": ""}, {}, "No data in training channel path /opt/ml/input/data/train"),
        ("text/csv", {"a.csv": "1,2\n"}, {"_kfold": "3"}, "does not execute cross-validation: _kfold"),
    ],
)
def test_how_a_job_fails(training_jobs, content_type, files, hyperparameters, message) -> None:
    for name, body in files.items():
        training_jobs.put(f"bad/{name}", body)

    job = training_jobs.run(
        HyperParameters=hyperparameters,
        InputDataConfig=[training_jobs.channel("train", "bad/", content_type)],
    )

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: framework error: \nUserError: ")
    assert job["FailureReason"].endswith(", exit code: 1")
    assert message in job["FailureReason"]
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == ""
    listed = training_jobs.s3.list_objects_v2(Bucket=training_jobs.bucket, Prefix="models/")
    assert listed["KeyCount"] == 0


def test_libsvm_and_parquet_are_read(training_jobs, tmp_path) -> None:
    training_jobs.put("libsvm/a", "1 0:1 1:2\n2 0:2 1:3\n")
    parquet.write_table(pa.table({"label": [1.0, 2.0, 3.0], "a": [1, 2, 3]}), tmp_path / "a.parquet")
    training_jobs.put("parquet/a.parquet", (tmp_path / "a.parquet").read_bytes())
    training_jobs.put("parquet/_SUCCESS", "")

    libsvm = training_jobs.run(InputDataConfig=[training_jobs.channel("train", "libsvm/", None)])
    channel = training_jobs.channel("train", "parquet/", "application/x-parquet")
    table = training_jobs.run(InputDataConfig=[channel])

    assert "Train matrix has 2 rows and 2 columns" in training_jobs.log(libsvm["TrainingJobName"])
    assert "Train matrix has 3 rows and 1 columns" in training_jobs.log(table["TrainingJobName"])
    assert table["TrainingJobStatus"] == "Completed", table.get("FailureReason")


def test_a_stopped_job_has_the_model_that_it_saved(training_jobs) -> None:
    endless = {"num_round": "100000000", "save_model_on_termination": "true"}
    name = training_jobs.start(HyperParameters=endless)
    while not any(line.startswith("[3]") for line in training_jobs.log(name)):
        assert training_jobs.describe(name)["TrainingJobStatus"] == "InProgress"
    training_jobs.sagemaker.stop_training_job(TrainingJobName=name)

    job = training_jobs.wait(name)

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    assert job["ModelArtifacts"]["S3ModelArtifacts"].endswith("/output/model.tar.gz")


def test_a_job_that_runs_too_long_is_stopped(training_jobs) -> None:
    job = training_jobs.run(
        HyperParameters={"num_round": "100000000"}, StoppingCondition={"MaxRuntimeInSeconds": 1}
    )
    assert job["TrainingJobStatus"] == "Stopped"
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == ""


SCRIPT = {"TrainingImage": "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:2.3"}


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("AlgorithmSpecification", {**SCRIPT, "TrainingInputMode": "File"}, "does not execute the image"),
        ("AlgorithmSpecification.TrainingInputMode", "Pipe", "does not support TrainingInputMode Pipe"),
        (
            "AlgorithmSpecification.MetricDefinitions",
            [{"Name": "x", "Regex": "x"}],
            "You can't override the metric definitions",
        ),
        ("OutputDataConfig.CompressionType", "NONE", "OutputDataConfig.CompressionType NONE"),
        ("CheckpointConfig", {"S3Uri": "s3://b/c"}, "does not support CheckpointConfig"),
        ("EnableManagedSpotTraining", True, "does not support EnableManagedSpotTraining"),
        ("RoleArn", "arn:aws:iam::123456789012:role/nobody", "Could not assume role"),
        ("ResourceConfig.VolumeKmsKeyId", "alias/nothing", "Invalid KMS key"),
        ("OutputDataConfig.KmsKeyId", "alias/nothing", "Invalid KMS key"),
        ("VpcConfig", {"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]}, "subnet-1' does not exist"),
    ],
)
def test_what_is_rejected_at_once(training_jobs, path: str, value: Any, message: str) -> None:
    request = training_jobs.request()
    *parents, member = path.split(".")
    node = request
    for name in parents:
        node[name] = dict(node[name])
        node = node[name]
    node[member] = value

    with pytest.raises(ClientError, match=message) as caught:
        training_jobs.sagemaker.create_training_job(**request)

    assert caught.value.response["Error"]["Code"] == "ValidationException"
    with pytest.raises(ClientError, match="Requested resource not found"):
        training_jobs.describe(request["TrainingJobName"])


def test_channels_have_names_of_their_own(training_jobs) -> None:
    channel = training_jobs.channel("train", "train/")
    with pytest.raises(ClientError, match=r"Duplicate channel names found: \[train\]"):
        training_jobs.start(InputDataConfig=[channel, channel])


def test_jobs_are_listed_by_status(training_jobs) -> None:
    job = training_jobs.run()
    asked = {"NameContains": job["TrainingJobName"]}
    found = training_jobs.sagemaker.list_training_jobs(StatusEquals="Completed", **asked)
    assert [each["TrainingJobArn"] for each in found["TrainingJobSummaries"]] == [job["TrainingJobArn"]]
    none = training_jobs.sagemaker.list_training_jobs(StatusEquals="Failed", **asked)
    assert none["TrainingJobSummaries"] == []
    with pytest.raises(ClientError, match="Job name must be unique"):
        training_jobs.start(TrainingJobName=job["TrainingJobName"])


def test_who_asks_needs_the_permission_to_train_with_a_role(training_jobs, aws) -> None:
    train = {"Effect": "Allow", "Action": "sagemaker:CreateTrainingJob", "Resource": "*"}
    isolated = {**train, "Condition": {"Bool": {"sagemaker:NetworkIsolation": "true"}}}
    request = training_jobs.request()

    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:CreateTrainingJob"):
        sagemaker_of_role(aws, isolated).create_training_job(**request)
    with pytest.raises(ClientError, match="not authorized to perform: iam:PassRole"):
        sagemaker_of_role(aws, train).create_training_job(**request)


def test_the_role_of_a_job_must_use_the_key_of_its_output(training_jobs, aws) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    output = {"S3OutputPath": f"s3://{training_jobs.bucket}/models", "KmsKeyId": key}
    role = create_role(aws, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    with pytest.raises(ClientError, match="not authorized to perform: kms:GenerateDataKey"):
        training_jobs.start(RoleArn=role, OutputDataConfig=output)
