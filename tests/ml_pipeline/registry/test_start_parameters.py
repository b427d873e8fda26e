"""Parameters of an execution that are versions of the registry."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from helpers.environments import Environment
from helpers.errors import UserError
from helpers.s3 import parse
from ml_pipeline.executions.parameters import NotReadyError
from ml_pipeline.executions.registry_parameters import registry_parameters
from ml_pipeline.executions.target import Target
from ml_pipeline.registry import group as groups
from ml_pipeline.registry.group import ModelGroup
from ml_pipeline.registry.packages import Package
from tests.ml_pipeline.registry.conftest import IMAGE, Register

ORIGIN = {"code/prepare": "c1", "data/prepare-rides": {"Get": "Parameters.Fingerprint-prepare-rides"}}
TARGET = Target(Environment("local"), "score", "score-local")
Start = Callable[..., dict[str, str]]


@pytest.fixture
def start(group: ModelGroup, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Returns the values of parameters by name."""
    monkeypatch.setattr(groups, "open_group", lambda _: group)

    def values(
        *names: str, data: str = "d1", training: str = "t1", package: Package | None = None
    ) -> dict[str, str]:
        noted = {"commit": {"Get": "Parameters.Commit"}, **ORIGIN, "training/train": training}
        register = {"Type": "RegisterModel", "Arguments": {"CustomerMetadataProperties": noted}}
        definition = {
            "Parameters": [{"Name": name, "Type": "String"} for name in names],
            "Steps": [
                {"Type": "Model", "Arguments": {"PrimaryContainer": {"Image": IMAGE}}},
                {"Type": "Condition", "Arguments": {"IfSteps": [register]}},
            ],
        }
        return registry_parameters(definition, TARGET, lambda: {"Fingerprint-prepare-rides": data}, package)

    return values


def approve(aws: boto3.Session, group: ModelGroup, version: int, status: str = "Approved") -> str:
    arn = group.find(version).arn
    aws.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)  # type: ignore[arg-type]
    return arn


def test_other_pipelines_start_without_a_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "open_group", lambda _: pytest.fail("the registry was opened"))
    definition = {"Parameters": [{"Name": "ForceRun"}, {"Name": "Fingerprint-clean-rides"}]}

    assert registry_parameters(definition, TARGET, dict) == {}


def test_before_the_first_version_there_is_no_model_to_compare_with(start: Start) -> None:
    assert start("ChampionModelDataUrl", "RegisteredModelDigest") == {
        "ChampionModelDataUrl": "none",
        "RegisteredModelDigest": "none",
    }


def test_the_active_version_is_compared_with(
    aws: boto3.Session, group: ModelGroup, register: Register, start: Start
) -> None:
    first, _ = register(), register()
    approve(aws, group, first)

    assert start("ChampionModelDataUrl") == {"ChampionModelDataUrl": group.find(first).model_data_url}


@pytest.mark.parametrize("first_is", ["Approved", "Rejected"])
def test_a_model_is_registered_once_whatever_became_of_it_and_was_registered_since(
    aws: boto3.Session, group: ModelGroup, register: Register, start: Start, first_is: str
) -> None:
    def noted(data: str, digest: str, training: str = "t1") -> dict[str, str]:
        code = {"code/prepare": "c1", "data/prepare-rides": data, "training/train": training}
        return {**code, "commit": "8edf542", "model-digest": digest}

    first = register(CustomerMetadataProperties=noted("d1", "m1"))
    register(CustomerMetadataProperties=noted("d2", "m2"))
    register(CustomerMetadataProperties=noted("d1", "m3", training="t2"))
    approve(aws, group, first, first_is)

    digests = [
        start("RegisteredModelDigest", data=data, training=training)["RegisteredModelDigest"]
        for data, training in (("d1", "t1"), ("d2", "t1"), ("d1", "t2"), ("d3", "t1"))
    ]

    assert digests == ["m1", "m2", "m3", "m3"], "of the same origin, or else of the newest version"


def test_versions_without_a_hash_are_those_of_another_model(register: Register, start: Start) -> None:
    register()

    assert start("RegisteredModelDigest") == {"RegisteredModelDigest": "none"}


def test_the_active_version_scores_and_drift_is_measured_against_its_baseline(
    aws: boto3.Session, group: ModelGroup, register: Register, start: Start
) -> None:
    first = register()
    arn = approve(aws, group, first)
    register()

    assert start("ModelPackageArn", "BaselineStatisticsUrl", "ForceRun") == {
        "ModelPackageArn": arn,
        "BaselineStatisticsUrl": group.find(first).baselines.statistics,
    }


def test_the_sample_of_a_version_is_scored_before_it_is_approved(
    aws: boto3.Session, group: ModelGroup, register: Register, start: Start
) -> None:
    active, pending = register(), register()
    approve(aws, group, active)

    for number, package in ((active, None), (pending, group.find(pending))):
        found = group.find(number)
        assert start("ModelDataUrl", "SampleUrl", package=package) == {
            "ModelDataUrl": found.model_data_url,
            "SampleUrl": found.metrics.replace("evaluation.json", "sample.csv"),
        }


@pytest.mark.parametrize(
    ("registered", "served"),
    [
        ({"image": IMAGE.replace("3.2-0", "3.0-5")}, r"sagemaker-xgboost:3\.0-5, and"),
        ({"environment": {"SAGEMAKER_PROGRAM": "serve.py"}}, "with the variables SAGEMAKER_PROGRAM, and"),
    ],
)
def test_a_sample_is_scored_with_the_image_of_its_version(
    group: ModelGroup, register: Register, start: Start, registered: dict[str, Any], served: str
) -> None:
    package = group.find(register(**registered))

    with pytest.raises(
        UserError, match=rf"{served} score-local has .*:3.2-0 without variables\nHint: Change"
    ):
        start("ModelDataUrl", package=package)


def test_a_version_without_a_sample_is_named(
    aws: boto3.Session, group: ModelGroup, register: Register, start: Start
) -> None:
    package = group.find(register())
    bucket, key = parse(package.metrics.replace("evaluation.json", "sample.csv"))
    aws.client("s3").delete_object(Bucket=bucket, Key=key)

    with pytest.raises(NotReadyError, match=r"Version 1 of .* has no sample whose predictions"):
        start("SampleUrl", package=package)


def test_without_an_approved_version_nothing_is_scored(register: Register, start: Start) -> None:
    register()

    with pytest.raises(NotReadyError) as rejected:
        start("ModelPackageArn")

    message = str(rejected.value)
    assert "is approved, so there is no model to score with" in message
    assert "make models ENV=local" in message
    assert "make approve ENV=local MODEL=N" in message
    assert message.count("\n") == 1, "the error and its hint"


def test_a_version_whose_artifact_is_gone_is_not_scored_with(
    aws: boto3.Session, group: ModelGroup, register: Register, start: Start
) -> None:
    version = register()
    approve(aws, group, version)
    uri = parse(group.find(version).model_data_url)
    aws.client("s3").delete_object(Bucket=uri.bucket, Key=uri.key)

    with pytest.raises(UserError) as rejected:
        start("ModelPackageArn")

    message = str(rejected.value)
    assert f"Version {version} of {group.name} is approved, but cannot be used" in message
    assert f"its artifact is gone: {uri}" in message
    assert f"make reject ENV=local MODEL={version}" in message


def test_a_version_without_a_baseline_is_not_scored_with(
    aws: boto3.Session, group: ModelGroup, register: Register, start: Start
) -> None:
    approve(aws, group, register(ModelMetrics=None))

    with pytest.raises(UserError, match="it has no baseline that drift is measured against"):
        start("ModelPackageArn", "BaselineStatisticsUrl")
