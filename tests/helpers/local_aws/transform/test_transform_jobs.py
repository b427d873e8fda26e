"""The contract of transform jobs with the built-in XGBoost, with boto3."""

import io
import subprocess
import tarfile
import time
import uuid
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from helpers.local_aws.xgboost_container.environment import program
from tests.buckets import create_bucket
from tests.helpers.local_aws.roles import create_role, sagemaker_of_role
from tests.helpers.local_aws.training_jobs import IMAGE, TrainingJobs, table

ROWS = [f"{index % 7},{index % 5}" for index in range(10)]


class Transforms:
    """A trained model, and transform jobs with it."""

    def __init__(self, aws: boto3.Session, role: str, bucket: str):
        self.sagemaker, self.s3 = aws.client("sagemaker"), aws.client("s3")
        self._logs = aws.client("logs")
        self.bucket, self.role = bucket, role
        self.jobs = TrainingJobs(aws, role, bucket)
        self.put("train/a.csv", table())
        trained = self.jobs.run(HyperParameters={"objective": "reg:squarederror"})
        assert trained["TrainingJobStatus"] == "Completed", trained.get("FailureReason")
        self.artifacts = trained["ModelArtifacts"]["S3ModelArtifacts"]
        self.model = self.create_model()

    def create_model(self, **container: Any) -> str:
        name = f"model-{uuid.uuid4().hex[:8]}"
        given = {"Image": IMAGE, "ModelDataUrl": self.artifacts, **container}
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer=given)
        return name

    def put(self, key: str, body: str | bytes) -> None:
        self.jobs.put(key, body)

    def read(self, key: str) -> str:
        return str(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode())

    def keys(self, prefix: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [each["Key"].removeprefix(prefix) for each in listed.get("Contents", [])]

    def request(self, prefix: str, **members: Any) -> dict[str, Any]:
        name = f"score-{uuid.uuid4().hex[:8]}"
        model = members.pop("ModelName", self.model)
        return {"TransformJobName": name, **self.jobs.score_request(prefix, model, **members)}

    def run(self, prefix: str, **members: Any) -> dict[str, Any]:
        request = self.request(prefix, **members)
        self.sagemaker.create_transform_job(**request)
        return self.wait(request["TransformJobName"])

    def wait(self, name: str) -> dict[str, Any]:
        while True:
            job = dict(self.sagemaker.describe_transform_job(TransformJobName=name))
            if job["TransformJobStatus"] not in {"InProgress", "Stopping"}:
                return job
            time.sleep(0.05)

    def log(self, name: str) -> str:
        group = {"logGroupName": "/aws/sagemaker/TransformJobs"}
        (stream,) = self._logs.describe_log_streams(**group, logStreamNamePrefix=f"{name}/")["logStreams"]
        events = self._logs.get_log_events(**group, logStreamName=stream["logStreamName"])["events"]
        return "\n".join(event["message"] for event in events)


@pytest.fixture(scope="module")
def transforms(aws: boto3.Session, role: str) -> Transforms:
    name = f"test-{uuid.uuid4().hex}"
    create_bucket(aws.client("s3"), name)
    return Transforms(aws, role, name)


def predictions(transforms: Transforms, folder: Path) -> list[str]:
    """The predictions of xgboost itself for ROWS."""
    key = transforms.artifacts.removeprefix(f"s3://{transforms.bucket}/")
    body = transforms.s3.get_object(Bucket=transforms.bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        archive.extractall(folder, filter="data")
    script = (
        "import numpy, sys, xgboost; model = xgboost.Booster(model_file=sys.argv[1]);"
        "rows = numpy.array([row.split(',') for row in sys.argv[2:]]).astype(float);"
        "print(*model.predict(xgboost.DMatrix(rows)).tolist(), sep='\\n')"
    )
    command = [program("serving")[0], "-c", script, str(folder / "xgboost-model"), *ROWS]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def test_predictions_are_those_of_the_model_to_the_bit(transforms: Transforms, tmp_path: Path) -> None:
    transforms.put("plain/a.csv", "\n".join(ROWS))
    transforms.put("plain/deep/b.csv", f"{ROWS[0]}\n")
    transforms.put("plain/_SUCCESS", "")

    job = transforms.run("plain", Tags=[{"Key": "Owner", "Value": "o"}])

    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TransformStartTime"] <= job["TransformEndTime"]
    expected = predictions(transforms, tmp_path)
    assert len({*expected}) > 5
    assert transforms.read("out/plain/a.csv.out").splitlines() == expected
    assert transforms.read("out/plain/deep/b.csv.out") == f"{expected[0]}\n"
    assert transforms.keys("out/plain/") == ["_SUCCESS.out", "a.csv.out", "deep/b.csv.out"]
    assert transforms.sagemaker.list_tags(ResourceArn=job["TransformJobArn"])["Tags"]
    found = transforms.sagemaker.list_transform_jobs(NameContains=job["TransformJobName"])
    assert [each["TransformJobStatus"] for each in found["TransformJobSummaries"]] == ["Completed"]


def test_keys_are_joined_to_their_predictions(transforms: Transforms, aws: boto3.Session) -> None:
    transforms.put("keyed/a.csv", "".join(f"k{index},{row}\n" for index, row in enumerate(ROWS)))
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]

    job = transforms.run(
        "keyed",
        BatchStrategy="SingleRecord",
        MaxConcurrentTransforms=2,
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
        # The image returns lines regardless of the accept type of a batch.
        output={"KmsKeyId": key, "Accept": "application/json"},
    )

    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    lines = transforms.read("out/keyed/a.csv.out").splitlines()
    assert [line.partition(",")[0] for line in lines] == [f"k{index}" for index in range(len(ROWS))]
    head = transforms.s3.head_object(Bucket=transforms.bucket, Key="out/keyed/a.csv.out")
    assert head["SSEKMSKeyId"] == key


def test_a_bad_record_fails_its_file_alone(transforms: Transforms) -> None:
    transforms.put("mixed/a.csv", f"x,y\n{ROWS[0]}\n")
    transforms.put("mixed/b.csv", f"{ROWS[0]}\n")

    job = transforms.run("mixed")

    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        "AlgorithmError: a.csv: Bad HTTP status received from algorithm: 415"
    )
    assert "could not convert string to float" in job["FailureReason"]
    assert "a.csv: Bad HTTP status" in transforms.log(job["TransformJobName"])
    assert transforms.keys("out/mixed/") == ["b.csv.out"]


def test_a_model_that_sdk_3_registers_cannot_be_served(transforms: Transforms) -> None:
    transforms.put("any/a.csv", f"{ROWS[0]}\n")
    # As written into the package of a built-in algorithm by ModelBuilder.register() of SDK 3.27.0.
    model = transforms.create_model(Environment={"SAGEMAKER_PROGRAM": "", "SAGEMAKER_SUBMIT_DIRECTORY": ""})

    job = transforms.run("any", ModelName=model)

    assert job["TransformJobStatus"] == "Failed"
    assert "Model container failed to respond to ping" in job["FailureReason"]
    assert "ValueError: Empty module name" in transforms.log(job["TransformJobName"])


def test_artifacts_that_are_no_archive_fail_the_job(transforms: Transforms) -> None:
    transforms.put("any/a.csv", f"{ROWS[0]}\n")
    transforms.put("broken/model.tar.gz", b"no archive")
    model = transforms.create_model(ModelDataUrl=f"s3://{transforms.bucket}/broken/model.tar.gz")
    transforms_again = transforms.run("any", ModelName=model)
    assert "broken/model.tar.gz is not a tar.gz archive" in transforms_again["FailureReason"]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ModelName": "nothing"}, 'Could not find model "arn:aws:sagemaker:.*model/nothing"'),
        ({"input_": {"SplitType": "RecordIO"}}, "does not support SplitType RecordIO"),
        ({"MaxPayloadInMB": 0}, "does not support MaxPayloadInMB 0"),
        ({"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}, "must not exceed 100 MB"),
        (
            {"DataProcessing": {"InputFilter": "$.a"}},
            "does not support the filter ",
        ),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "output": {"AssembleWith": "None"}},
            "AssembleWith Line",
        ),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "input_": {"ContentType": "application/json"}},
            "DataProcessing of application/json, of text/csv alone",
        ),
        (
            {"Environment": {"SAGEMAKER_INFERENCE_OUTPUT": "x"}},
            "not support the variable SAGEMAKER_INFERENCE",
        ),
        (
            {"Environment": {"SAGEMAKER_PROGRAM": "x.py"}},
            "does not run inference scripts: SAGEMAKER_PROGRAM is x",
        ),
        ({"ModelClientConfig": {"InvocationsMaxRetries": 1}}, "does not support ModelClientConfig"),
        ({"output": {"KmsKeyId": "alias/nothing"}}, "Invalid KMS key"),
    ],
)
def test_what_is_rejected_at_once(transforms: Transforms, members: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        transforms.run("any", **members)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_an_image_that_is_not_executed_is_named(transforms: Transforms) -> None:
    model = transforms.create_model(
        Image="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
    )
    with pytest.raises(
        ClientError, match=r"does not execute the image .*sagemaker-xgboost:1.7-1; it executes"
    ):
        transforms.run("any", ModelName=model)


def test_who_asks_needs_the_permission_and_the_models_role_the_key(
    transforms: Transforms, aws: boto3.Session
) -> None:
    score = {"Effect": "Allow", "Action": "sagemaker:CreateTransformJob", "Resource": "*"}
    elsewhere = {**score, "Condition": {"StringLike": {"sagemaker:InstanceTypes": "ml.c5.*"}}}
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:CreateTransformJob"):
        sagemaker_of_role(aws, elsewhere).create_transform_job(**transforms.request("any"))

    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    reader = create_role(aws, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    container = {"Image": IMAGE, "ModelDataUrl": transforms.artifacts}
    name = f"model-{uuid.uuid4().hex[:8]}"
    transforms.sagemaker.create_model(ModelName=name, ExecutionRoleArn=reader, PrimaryContainer=container)
    with pytest.raises(ClientError, match="not authorized to perform: kms:GenerateDataKey"):
        transforms.run("any", ModelName=name, output={"KmsKeyId": key})
