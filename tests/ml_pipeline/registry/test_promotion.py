"""Promotion of versions from the registry of one environment to that of another."""

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
from ml_pipeline.registry.sample import beside, needs_scoring, record_scoring, sample_uri
from ml_pipeline.registry.serving import serving_problems
from tests.buckets import create_bucket
from tests.ml_pipeline.registry.conftest import ACCOUNT, Register

Target = ModelGroup
CARD = '{"intended_uses":{"intended_uses":"Estimate the age of abalones."}}'
EXECUTION = "arn:aws:sagemaker:eu-north-1:123456789012:pipeline/score-sample-local/execution/abcdefghijkl"


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
    """The folder of an exported approved version."""
    card = {"ModelCardContent": CARD, "ModelCardStatus": "Approved"}
    register(CustomerMetadataProperties={"commit": "abc"}, ModelCard=card)
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
    imported = import_package(target, exported)

    one, other = group.find(1), target.find(1)
    assert imported == other
    assert other.card == CARD
    assert other.status == "PendingManualApproval"
    assert champion(target.sagemaker, target.name) is None
    assert (other.image, other.environment) == (one.image, one.environment)
    for uri, copy in (
        (one.model_data_url, other.model_data_url),
        (one.metrics, other.metrics),
        (one.baselines.statistics, other.baselines.statistics),
        (
            beside(one.baselines.statistics, "columns.json"),
            beside(other.baselines.statistics, "columns.json"),
        ),
        (sample_uri(group, one), sample_uri(target, other)),
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
    record_scoring(target, target.find(1), EXECUTION)
    approve(target, 1)
    assert target.find(1).properties["source-approved-by"] == source.approved_by


def test_a_promoted_version_is_approved_after_its_sample_was_scored(target: Target, exported: Path) -> None:
    package = import_package(target, exported)

    with pytest.raises(UserError) as rejected:
        approve(target, 1)

    assert str(rejected.value) == (
        "Version 1 was promoted, and its sample has not been scored in local\n"
        "Hint: Score it with: make promote ENV=local FROM=local MODEL=1"
    )
    assert champion(target.sagemaker, target.name) is None
    record_scoring(target, package, EXECUTION)
    assert target.find(1).status == "PendingManualApproval"
    assert approve(target, 1).startswith("Version 1 is approved and active.")


def test_what_was_scored_in_one_environment_is_scored_again_in_the_next_one(
    target: Target, exported: Path, tmp_path_factory: pytest.TempPathFactory, group: ModelGroup
) -> None:
    record_scoring(target, import_package(target, exported), EXECUTION)
    approve(target, 1)
    folder = tmp_path_factory.mktemp("next")
    export_package(target, 1, folder)

    third = import_package(group, folder)

    assert third.properties["promoted-from"] == target.find(1).arn
    assert needs_scoring(third)


def test_a_version_is_promoted_once(target: Target, exported: Path) -> None:
    import_package(target, exported)

    assert import_package(target, exported) == target.find(1)
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


@pytest.mark.parametrize("name", ["evaluation.json", "sample.csv", "columns.json"])
def test_a_file_that_is_gone_is_named(
    group: ModelGroup, register: Register, tmp_path: Path, name: str
) -> None:
    register()
    approve(group, 1)
    uri = beside(group.find(1).metrics, name)
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    group.s3.delete_object(Bucket=bucket, Key=key)

    with pytest.raises(
        UserError, match=rf"Version 1 of local was not promoted: there is no {uri}\nHint: Train"
    ):
        export_package(group, 1, tmp_path)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["model.tar.gz", "evaluation.json", "statistics.json", "sample.csv"])
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
