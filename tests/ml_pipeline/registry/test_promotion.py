"""Versions on their way from the registry of one environment to that of another."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from helpers.environments import Environment
from helpers.errors import UserError
from ml_pipeline.registry import champion, list_packages
from ml_pipeline.registry.approval import approve
from ml_pipeline.registry.group import ModelGroup
from ml_pipeline.registry.promotion import MANIFEST, export_package, import_package
from ml_pipeline.registry.serving import serving_problems
from tests.buckets import create_bucket
from tests.ml_pipeline.registry.conftest import ACCOUNT, Register

Target = ModelGroup


@pytest.fixture
def target(aws: boto3.Session, group: ModelGroup) -> Target:
    """The empty group of another environment, whose artifacts are in another bucket."""
    name, bucket = group.name.replace("group", "target"), group.artifact_bucket.replace("models", "target")
    create_bucket(aws.client("s3"), bucket)
    aws.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
    environment = Environment("local")
    return ModelGroup(environment, aws, name, frozenset({ACCOUNT}), bucket)


@pytest.fixture
def exported(group: ModelGroup, register: Register, tmp_path: Path) -> Path:
    """The folder of an approved version."""
    register(CustomerMetadataProperties={"commit": "abc"})
    approve(group, 1)
    export_package(group, 1, tmp_path)
    return tmp_path


def read(group: ModelGroup, uri: str) -> bytes:
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    return group.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def versions(group: ModelGroup) -> list[int]:
    return [each.version for each in list_packages(group.sagemaker, group.name)]


def test_all_of_a_version_gets_there_and_waits_for_approval(
    group: ModelGroup, target: Target, exported: Path
) -> None:
    found = import_package(target, exported)

    one, other = group.find(1), target.find(1)
    assert found == f"{one.arn} is version 1 of local. Approve it: make approve ENV=local MODEL=1"
    assert other.status == "PendingManualApproval"
    assert champion(target.sagemaker, target.name) is None
    assert (other.image, other.environment) == (one.image, one.environment)
    for uri, copy in (
        (one.model_data_url, other.model_data_url),
        (one.metrics, other.metrics),
        (one.baselines.statistics, other.baselines.statistics),
    ):
        assert copy.startswith(f"s3://{target.artifact_bucket}/models/promoted/")
        assert read(target, copy) == read(group, uri)
    assert serving_problems(target, other) == []


def test_who_approved_it_where_it_comes_from_stays_on_record(
    group: ModelGroup, target: Target, exported: Path
) -> None:
    import_package(target, exported)

    properties, source = target.find(1).properties, group.find(1)
    assert properties["commit"] == "abc"
    assert properties["promoted-from"] == source.arn
    assert properties["source-approved-by"] == source.approved_by
    assert properties["source-approved-at"] == source.properties["approved-at"]
    assert "approved-by" not in properties, "nobody has, here"
    approve(target, 1)
    assert target.find(1).properties["source-approved-by"] == source.approved_by


def test_a_version_is_promoted_once(target: Target, exported: Path) -> None:
    import_package(target, exported)

    assert import_package(target, exported).endswith("is version 1 of local already: PendingManualApproval.")
    assert versions(target) == [1]


def test_a_promotion_that_was_interrupted_is_continued(
    target: Target, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("ml_pipeline.registry.promotion._register", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            import_package(target, exported)
    assert versions(target) == []

    import_package(target, exported)

    assert versions(target) == [1]


def test_what_is_not_approved_or_cannot_be_served_is_not_promoted(
    group: ModelGroup, register: Register, tmp_path: Path
) -> None:
    register()
    register(model=b"no archive", ModelApprovalStatus="Approved")

    with pytest.raises(UserError, match=r"Version 1 of local is PendingManualApproval, .*\nHint: .*MODEL=1$"):
        export_package(group, 1, tmp_path)
    with pytest.raises(UserError, match=r"Version 2 cannot be used, and was not promoted:\n  - its artifact"):
        export_package(group, 2, tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["model.tar.gz", "evaluation.json", "statistics.json"])
@pytest.mark.parametrize("modify", [lambda path: path.write_bytes(b"other"), lambda path: path.unlink()])
def test_a_file_that_was_modified_or_is_gone_registers_nothing(
    target: Target, exported: Path, name: str, modify: Callable[[Path], object]
) -> None:
    modify(exported / name)

    with pytest.raises(UserError, match=rf"not promoted to local:\n  - {name} is not the file that"):
        import_package(target, exported)

    assert versions(target) == []
    assert "Contents" not in target.s3.list_objects_v2(Bucket=target.artifact_bucket)


def test_an_image_that_the_environment_does_not_allow_registers_nothing(
    target: Target, exported: Path
) -> None:
    strict = replace(target, image_accounts=frozenset({"123456789012"}))

    with pytest.raises(UserError, match="its image comes from account 683313688378"):
        import_package(strict, exported)

    assert versions(target) == []


def test_another_content_under_the_name_of_a_file_is_an_error(target: Target, exported: Path) -> None:
    import_package(target, exported)
    uri = target.find(1).model_data_url
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    target.sagemaker.delete_model_package(ModelPackageName=target.find(1).arn)
    target.s3.put_object(Bucket=bucket, Key=key, Body=b"other")

    with pytest.raises(UserError, match="differs from the file that is promoted"):
        import_package(target, exported)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda path: path.unlink(), "is missing\nHint: Export a version"),
        (lambda path: path.write_text("{"), "is not an exported version: the document: Invalid JSON"),
        (lambda path: path.write_text(json.dumps({"version": 2})), "is not an exported version: version"),
    ],
)
def test_a_folder_without_a_version_is_named(
    target: Target, exported: Path, change: Callable[[Path], Any], problem: str
) -> None:
    change(exported / MANIFEST)

    with pytest.raises(UserError, match=rf"package\.json {problem}"):
        import_package(target, exported)
