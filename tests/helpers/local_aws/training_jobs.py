"""Training jobs for tests, with a small table."""

import time
import uuid
from typing import Any

import boto3

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"


def table(rows: int = 120) -> str:
    """CSV without a header; the label is first and depends on both features."""
    return "".join(f"{index % 7 + 2 * (index % 5)},{index % 7},{index % 5}\n" for index in range(rows))


class TrainingJobs:
    """Starts training jobs and waits for them."""

    def __init__(self, aws: boto3.Session, role: str, bucket: str):
        self.sagemaker = aws.client("sagemaker")
        self.s3 = aws.client("s3")
        self.bucket = bucket
        self._logs = aws.client("logs")
        self._role = role

    def put(self, key: str, body: str | bytes) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)

    def channel(self, name: str, key: str, content_type: str | None = "text/csv") -> dict[str, Any]:
        source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/{key}"}
        given = {"ContentType": content_type} if content_type else {}
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **given}

    def request(self, **members: Any) -> dict[str, Any]:
        hyperparameters = {"num_round": "5", **members.pop("HyperParameters", {})}
        return {
            "TrainingJobName": f"train-{uuid.uuid4().hex[:8]}",
            "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
            "RoleArn": self._role,
            "HyperParameters": hyperparameters,
            "InputDataConfig": [self.channel("train", "train/")],
            "OutputDataConfig": {"S3OutputPath": f"s3://{self.bucket}/models"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            **members,
        }

    def score_request(self, prefix: str, model: Any, **members: Any) -> dict[str, Any]:
        """The request of CreateTransformJob without the name: scores `prefix/` into `out/prefix`."""
        source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{self.bucket}/{prefix}/"}}
        given = {"ContentType": "text/csv", "SplitType": "Line", **members.pop("input_", {})}
        output = {"S3OutputPath": f"s3://{self.bucket}/out/{prefix}", "AssembleWith": "Line"}
        return {
            "ModelName": model,
            "TransformInput": {"DataSource": source, **given},
            "TransformOutput": {**output, **members.pop("output", {})},
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **members,
        }

    def start(self, **members: Any) -> str:
        request = self.request(**members)
        self.sagemaker.create_training_job(**request)
        return str(request["TrainingJobName"])

    def describe(self, name: str) -> dict[str, Any]:
        return dict(self.sagemaker.describe_training_job(TrainingJobName=name))

    def run(self, **members: Any) -> dict[str, Any]:
        return self.wait(self.start(**members))

    def wait(self, name: str) -> dict[str, Any]:
        while True:
            job = self.describe(name)
            if job["TrainingJobStatus"] not in {"InProgress", "Stopping"}:
                return job
            time.sleep(0.05)

    def log(self, name: str) -> list[str]:
        group = {"logGroupName": "/aws/sagemaker/TrainingJobs"}
        streams = self._logs.describe_log_streams(**group, logStreamNamePrefix=f"{name}/")["logStreams"]
        return [
            event["message"]
            for stream in streams
            for event in self._logs.get_log_events(
                **group, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]
