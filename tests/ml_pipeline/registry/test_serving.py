"""Reasons why a package cannot be served, found before its approval."""

from collections.abc import Callable
from dataclasses import replace

import boto3
import pytest

from ml_pipeline.registry.group import ModelGroup
from ml_pipeline.registry.serving import serving_problems
from tests.ml_pipeline.registry.conftest import IMAGE, REGION, Register, archive

OWN_IMAGE = IMAGE.replace("683313688378", "123456789012")


def problems(group: ModelGroup, version: int = 1) -> list[str]:
    return serving_problems(group, group.find(version))


def test_a_package_with_all_that_it_needs_has_none(group: ModelGroup, register: Register) -> None:
    register()

    assert problems(group) == []


@pytest.mark.parametrize(
    ("image", "problem"),
    [
        (OWN_IMAGE, "its image comes from account 123456789012, from which"),
        (IMAGE.replace(REGION, "ap-south-2"), "its image is in ap-south-2, and its model would be in"),
        ("docker.io/library/xgboost:3.2", "its image is in no registry of Amazon ECR"),
        (f"683313688378.dkr.ecr.{REGION}.amazonaws.com.example.org/x:1", "its image is in no registry"),
    ],
)
def test_an_image_from_elsewhere_is_one(
    group: ModelGroup, register: Register, image: str, problem: str
) -> None:
    register(image=image)

    (found,) = problems(group)

    assert found.startswith(problem)
    assert found.find(image) > 0


def test_an_image_from_an_allowed_account_is_accepted(group: ModelGroup, register: Register) -> None:
    register(image=OWN_IMAGE)
    allowed = replace(group, image_accounts=frozenset({"123456789012"}))

    assert problems(allowed) == []


@pytest.mark.parametrize("name", ["SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY"])
def test_an_empty_name_of_a_script_is_one(group: ModelGroup, register: Register, name: str) -> None:
    register(environment={name: "", "SAGEMAKER_REGION": REGION})

    (found,) = problems(group)

    assert found.startswith(f"its environment has {name}, empty")


@pytest.mark.parametrize(
    ("model", "problem"),
    [
        (b"no archive", "is not a tar.gz that can be read"),
        (archive(model="trees" * 99)[:60], "is not a tar.gz that can be read"),
        (archive(), "has no file in it"),
    ],
    ids=["text", "cut", "empty"],
)
def test_an_artifact_that_is_not_an_archive_is_a_problem(
    group: ModelGroup, register: Register, model: bytes, problem: str
) -> None:
    register(model=model)

    (found,) = problems(group)

    assert problem in found


def test_an_artifact_that_is_gone_or_modified_is_one(
    group: ModelGroup, register: Register, put: Callable[..., str]
) -> None:
    register()
    url = group.find(1).model_data_url
    bucket, key = url.removeprefix("s3://").split("/", 1)

    put(key, archive(model="other trees"))
    assert problems(group) == [f"its artifact was modified since it was registered: {url}"]
    group.s3.delete_object(Bucket=bucket, Key=key)
    assert problems(group) == [f"its artifact is gone: {url}"]


def test_an_artifact_whose_key_is_disabled_is_one(
    aws: boto3.Session, group: ModelGroup, register: Register, put: Callable[..., str]
) -> None:
    kms = aws.client("kms")
    created = kms.create_key()["KeyMetadata"]
    key, key_id = created["Arn"], created["KeyId"]
    url = put(
        "encrypted/model.tar.gz", archive(model="trees"), ServerSideEncryption="aws:kms", SSEKMSKeyId=key
    )
    container = {"Image": IMAGE, "ModelDataUrl": url}
    register(InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["text/csv"]})
    assert problems(group) == []

    kms.disable_key(KeyId=key_id)
    (found,) = problems(group)
    assert found == f"its artifact {url} is encrypted with the key {key}, which is Disabled: enable it"

    kms.schedule_key_deletion(KeyId=key_id)
    (found,) = problems(group)
    assert found.endswith("which is PendingDeletion: cancel its deletion, then enable it")


def test_a_package_without_container_artifact_or_baseline_is_reported(
    group: ModelGroup, register: Register
) -> None:
    register(InferenceSpecification=None)
    container = {"Image": IMAGE}
    register(
        InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["text/csv"]},
        ModelMetrics=None,
    )

    assert problems(group) == ["it has no container: register it with InferenceSpecification"]
    assert [each.split(":")[0] for each in problems(group, 2)] == [
        "it has no artifact",
        "it has no baseline that drift is measured against",
    ]


def test_a_registration_that_has_failed_is_one(group: ModelGroup, register: Register) -> None:
    register()

    found = serving_problems(group, replace(group.find(1), registration="Failed"))

    assert found == ["its registration is Failed"]
