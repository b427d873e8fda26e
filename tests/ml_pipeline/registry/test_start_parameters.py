"""What an execution starts with: versions of the registry, and the commit of the pipeline."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest

from helpers.environments import Environment
from helpers.errors import UserError
from helpers.s3 import parse
from ml_pipeline.executions.parameters import COMMIT_TAG, NoActiveModelError, start_parameters
from ml_pipeline.executions.target import Target
from ml_pipeline.registry import group as groups
from ml_pipeline.registry.group import ModelGroup
from ml_pipeline.registry.packages import Package
from tests.ml_pipeline.registry.conftest import IMAGE, Register

TARGET = Target(Environment("local"), "score", "score-local")
Start = Callable[..., dict[str, str]]


@pytest.fixture
def start(aws: boto3.Session, group: ModelGroup, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Return the values of parameters, given their names."""
    monkeypatch.setattr(groups, "open_group", lambda _: group)

    def values(*names: str, package: Package | None = None) -> dict[str, str]:
        definition = {
            "Parameters": [{"Name": name, "Type": "String"} for name in names],
            "Steps": [{"Type": "Model", "Arguments": {"PrimaryContainer": {"Image": IMAGE}}}],
        }
        return start_parameters(aws, "arn", definition, TARGET, package)

    return values


def approve(aws: boto3.Session, group: ModelGroup, version: int, status: str = "Approved") -> str:
    arn = group.find(version).arn
    aws.client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)  # type: ignore[arg-type]
    return arn


def test_other_pipelines_start_without_a_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups, "open_group", lambda _: pytest.fail("the registry was opened"))
    definition = {"Parameters": [{"Name": "ForceRun"}, {"Name": "Fingerprint-clean-rides"}]}

    assert start_parameters(boto3.Session(), "arn", definition, TARGET) == {}


def test_before_the_first_version_there_is_no_model_to_compare_with(start: Start) -> None:
    assert start("ChampionModelDataUrl", "RegisteredModelDataUrl") == {
        "ChampionModelDataUrl": "none",
        "RegisteredModelDataUrl": "none",
    }


def test_the_active_version_is_compared_with_and_the_newest_is_not_registered_again(
    aws: boto3.Session, group: ModelGroup, register: Register, start: Start
) -> None:
    first, second = register(), register()
    approve(aws, group, first)

    assert start("ChampionModelDataUrl", "RegisteredModelDataUrl") == {
        "ChampionModelDataUrl": group.find(first).model_data_url,
        "RegisteredModelDataUrl": group.find(second).model_data_url,
    }


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

    with pytest.raises(NoActiveModelError, match=r"Version 1 of .* has no sample whose predictions"):
        start("SampleUrl", package=package)


def test_without_an_approved_version_nothing_is_scored(register: Register, start: Start) -> None:
    register()

    with pytest.raises(NoActiveModelError) as rejected:
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
    approve(aws, group, register(DriftCheckBaselines=None))

    with pytest.raises(UserError, match="it has no baseline that drift is measured against"):
        start("ModelPackageArn", "BaselineStatisticsUrl")


@pytest.mark.parametrize(
    ("tags", "commit"), [({COMMIT_TAG: "8edf542"}, "8edf542"), ({"Owner": "riders"}, "unknown")]
)
def test_the_commit_is_that_which_the_pipeline_is_marked_with(tags: dict[str, str], commit: str) -> None:
    class Session:
        def client(self, _: str) -> Any:
            return self

        def get_paginator(self, _: str) -> Any:
            return self

        def paginate(self, **asked: str) -> list[dict[str, Any]]:
            assert asked == {"ResourceArn": "arn:pipeline"}
            return [{"Tags": []}, {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]

    session: Any = Session()
    assert start_parameters(session, "arn:pipeline", {"Parameters": [{"Name": "Commit"}]}, TARGET) == {
        "Commit": commit
    }
