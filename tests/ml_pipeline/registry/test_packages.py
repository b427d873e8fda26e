import boto3
import pytest

from helpers.errors import UserError
from ml_pipeline.registry import champion, list_packages
from ml_pipeline.registry.group import ModelGroup
from tests.ml_pipeline.registry.conftest import IMAGE, Register


def test_a_group_without_versions_has_no_champion(aws: boto3.Session, group: ModelGroup) -> None:
    sagemaker = aws.client("sagemaker")

    assert champion(sagemaker, group.name) is None
    assert list(list_packages(sagemaker, group.name)) == []


def test_a_group_that_is_missing_is_named_with_the_fix(aws: boto3.Session) -> None:
    with pytest.raises(UserError, match="no model package group nowhere"):
        champion(aws.client("sagemaker"), "nowhere")


def test_the_champion_is_the_newest_approved_version(
    aws: boto3.Session, group: ModelGroup, register: Register
) -> None:
    sagemaker = aws.client("sagemaker")
    for status in ("Approved", "Rejected", "Approved", "PendingManualApproval"):
        register(ModelApprovalStatus=status)

    active = champion(sagemaker, group.name)

    assert active
    assert active.version == 3
    assert [each.version for each in list_packages(sagemaker, group.name)] == [4, 3, 2, 1]


def test_versions_are_in_numerical_order(aws: boto3.Session, group: ModelGroup, register: Register) -> None:
    for _ in range(11):
        register(InferenceSpecification=None, ModelMetrics=None)

    assert [each.version for each in list_packages(aws.client("sagemaker"), group.name)][:3] == [11, 10, 9]


def test_a_package_has_what_serves_it_and_what_drift_is_measured_against(
    aws: boto3.Session, group: ModelGroup, register: Register
) -> None:
    register(environment={"A": "b"}, CustomerMetadataProperties={"commit": "abc"})

    package = next(list_packages(aws.client("sagemaker"), group.name))

    assert package.image == IMAGE
    assert package.model_data_url.endswith("/model.tar.gz")
    assert len(package.model_data_etag) == 32
    assert package.environment == {"A": "b"}
    assert package.metrics.endswith("/evaluation.json")
    assert package.baselines.statistics.endswith("/statistics.json")
    assert package.baselines.constraints == ""
    assert package.properties == {"commit": "abc"}
    assert package.approved_by == ""


def test_a_package_of_no_model_is_described_all_the_same(
    aws: boto3.Session, group: ModelGroup, register: Register
) -> None:
    register(InferenceSpecification=None, ModelMetrics=None)

    package = next(list_packages(aws.client("sagemaker"), group.name))

    assert (package.image, package.model_data_url, package.metrics) == ("", "", "")


@pytest.mark.parametrize("change", ["reject", "delete"])
def test_a_version_that_changes_while_it_is_read_is_not_the_champion(
    aws: boto3.Session, group: ModelGroup, register: Register, change: str
) -> None:
    for _ in range(2):
        register(ModelApprovalStatus="Approved")
    sagemaker, last = aws.client("sagemaker"), group.find(2).arn
    events, name = sagemaker.meta.events, "after-call.sagemaker.ListModelPackages"

    def once(**_: object) -> None:
        events.unregister(name, once)
        if change == "reject":
            sagemaker.update_model_package(ModelPackageArn=last, ModelApprovalStatus="Rejected")
        else:
            sagemaker.delete_model_package(ModelPackageName=last)

    events.register(name, once)

    active = champion(sagemaker, group.name)

    assert active
    assert active.version == 1
