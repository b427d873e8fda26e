"""What an image starts before the inputs of its job are downloaded."""

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from helpers.local_aws.containers.container_job import ContainerExit
from helpers.local_aws.processing import images, processing_jobs
from helpers.local_aws.processing.images import Image
from helpers.local_aws.processing.processing_jobs import ProcessingJob


def test_what_a_job_needs_starts_before_its_inputs_arrive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def run(job: Any, _log: object, _stop: threading.Event) -> ContainerExit:
        seen.append(f"run {job.name}")
        return ContainerExit(0)

    image = Image(run, lambda job: seen.append(f"expect {job.name} on {job.instance_count}"))
    monkeypatch.setattr(images, "IMAGES", {"etl": image})
    monkeypatch.setattr(processing_jobs, "download_prefix", lambda _s3, uri, *_: seen.append(uri))
    request = {
        "AppSpecification": {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/etl:1"},
        "ProcessingInputs": [{"S3Input": {"S3Uri": "s3://data/in", "LocalPath": "/opt/ml/processing/in"}}],
        "ProcessingResources": {"ClusterConfig": {"InstanceCount": 2, "InstanceType": "ml.m5.large"}},
    }
    running: Any = SimpleNamespace(
        root=tmp_path,
        endpoint="http://127.0.0.1",
        region="us-east-1",
        credentials=None,
        s3=None,
        objects=None,
        log=None,
        run=lambda container, _outputs: container(),
    )

    processing_jobs._run(ProcessingJob("one", "arn", request), running)

    assert seen == ["expect one on 2", "s3://data/in", "run one"]
