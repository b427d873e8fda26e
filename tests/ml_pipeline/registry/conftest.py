"""Model package groups, and versions that can be served."""

import io
import json
import tarfile
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest

from helpers.environments import Environment
from helpers.project_settings import project_settings
from ml_pipeline.registry.group import ModelGroup
from tests.buckets import create_bucket

ACCOUNT = "683313688378"
REGION = project_settings().region
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/sagemaker-xgboost:3.2-0"
Register = Callable[..., int]


def archive(**files: str) -> bytes:
    """Return a model.tar.gz with some files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content.encode()))
    return buffer.getvalue()


def evaluation(rmse: float = 2.0, rows: int = 10, **members: Any) -> dict[str, Any]:
    """Return an evaluation.json of a model that is right for half of the rows."""
    metrics = {"rmse": rmse, "r2": 0.5}
    halves = [
        {"column": "sex", "value": value, "rows": rows // 2, "metrics": metrics} for value in ("F", "M")
    ]
    return {"version": 1, "label": "rings", "rows": rows, "metrics": metrics, "slices": halves, **members}


@pytest.fixture
def bucket(aws: boto3.Session) -> str:
    name = f"models-{uuid.uuid4().hex[:8]}"
    create_bucket(aws.client("s3"), name)
    return name


@pytest.fixture
def group(aws: boto3.Session, bucket: str) -> ModelGroup:
    """An empty group of the environment local."""
    name = f"group-{uuid.uuid4().hex[:8]}"
    aws.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
    return ModelGroup(Environment("local"), aws, name, frozenset({ACCOUNT}), bucket)


@pytest.fixture
def put(aws: boto3.Session, bucket: str) -> Callable[..., str]:
    """Writes an object and returns its URI."""

    def write(key: str, body: bytes | Mapping[str, Any], **arguments: Any) -> str:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=content, **arguments)
        return f"s3://{bucket}/{key}"

    return write


@pytest.fixture
def register(aws: boto3.Session, group: ModelGroup, put: Callable[..., str]) -> Register:
    """Registers a version that can be served, and returns its number."""

    def create(
        rmse: float = 2.0,
        image: str = IMAGE,
        model: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        **members: Any,
    ) -> int:
        folder = uuid.uuid4().hex
        url = put(f"{folder}/model.tar.gz", archive(model="trees") if model is None else model)
        document = {"ContentType": "application/json"}
        statistics = {**document, "S3Uri": put(f"{folder}/statistics.json", {})}
        metrics = {**document, "S3Uri": put(f"{folder}/evaluation.json", evaluation(rmse))}
        put(f"{folder}/columns.json", {"version": 1})
        put(f"{folder}/sample.csv", b"9.5,0.1,0.2\n")
        container = {"Image": image, "ModelDataUrl": url, "Environment": environment or {}}
        request: dict[str, Any] = {
            "InferenceSpecification": {"Containers": [container], "SupportedContentTypes": ["text/csv"]},
            "ModelMetrics": {
                "ModelQuality": {"Statistics": metrics},
                "ModelDataQuality": {"Statistics": statistics},
            },
            "ModelApprovalStatus": "PendingManualApproval",
            **members,
        }
        given = {name: value for name, value in request.items() if value is not None}
        arn = aws.client("sagemaker").create_model_package(ModelPackageGroupName=group.name, **given)
        return int(arn["ModelPackageArn"].rpartition("/")[2])

    return create
