"""Approval and rejection of versions, including concurrent ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import boto3
import pytest

from helpers.errors import UserError
from ml_pipeline.params.execution_parameters import CHAMPION_MODEL_DATA_URL, EXECUTION_PARAMETERS
from ml_pipeline.params.package_properties import COMPARED_WITH
from ml_pipeline.registry import champion
from ml_pipeline.registry.approval import approve, reject
from ml_pipeline.registry.group import ModelGroup
from ml_pipeline.registry.packages import PROMOTED_FROM, SAMPLE_SCORED_IN
from tests.ml_pipeline.registry.conftest import Register


def active(group: ModelGroup) -> int | None:
    found = champion(group.sagemaker, group.name)
    return found and found.version


def statuses(group: ModelGroup, *versions: int) -> list[str]:
    return [group.find(version).status for version in versions]


@contextmanager
def after_the_update(group: ModelGroup, act: Callable[[], object]) -> Iterator[None]:
    """Run an action of another person between a command's update and its check of the result."""
    events, name = group.sagemaker.meta.events, "after-call.sagemaker.UpdateModelPackage"

    def once(**_: object) -> None:
        events.unregister(name, once)
        act()

    events.register(name, once)
    yield


def set_status(group: ModelGroup, version: int, status: str) -> None:
    arn = group.find(version).arn
    verb = status.lower()
    group.sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus=status,
        CustomerMetadataProperties={f"{verb}-by": "arn:aws:iam::123456789012:user/ann"},
    )


def test_an_approved_version_is_active_and_shows_who_approved_it(
    group: ModelGroup, register: Register
) -> None:
    version = register(CustomerMetadataProperties={"commit": "abc"})

    found = approve(group, version)

    package = group.find(version)
    assert active(group) == version
    assert package.properties.keys() == {"commit", "approved-by", "approved-at"}
    assert package.approved_by.startswith("arn:aws:")
    assert found == "Version 1 is approved and active. Score with it: make run ENV=local PIPELINE=score"
    assert approve(group, version) == f"Version 1 is approved already, by {package.approved_by}."


def test_an_approval_that_starts_scoring_shows_what_it_starts(group: ModelGroup, register: Register) -> None:
    scoring = replace(group, scoring_pipeline="score-local")

    assert (
        approve(scoring, register()) == "Version 1 is approved and active. Its approval starts score-local."
    )


def test_the_model_card_follows_the_decision(
    aws: boto3.Session, group: ModelGroup, register: Register
) -> None:
    """Its content stays; what has no card is decided on as well."""
    content = '{"intended_uses": {"risk_rating": "Low"}}'
    register(ModelCard={"ModelCardContent": content, "ModelCardStatus": "PendingReview"})
    register()

    def card(version: int) -> object:
        described = aws.client("sagemaker").describe_model_package(ModelPackageName=group.find(version).arn)
        return described.get("ModelCard")

    approve(group, 1)
    assert card(1) == {"ModelCardContent": content, "ModelCardStatus": "Approved"}
    reject(group, 1)
    assert card(1) == {"ModelCardContent": content, "ModelCardStatus": "Archived"}
    approve(group, 2)
    assert card(2) is None


def test_an_approval_in_a_workflow_names_its_run(
    group: ModelGroup, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, repository, run = "https://github.com", "owner/name", "7"
    monkeypatch.setenv("GITHUB_SERVER_URL", server)
    monkeypatch.setenv("GITHUB_REPOSITORY", repository)
    monkeypatch.setenv("GITHUB_RUN_ID", run)

    approve(group, register())

    assert group.find(1).properties["approved-in"] == f"{server}/{repository}/actions/runs/{run}"


def test_rejecting_the_active_version_restores_the_one_before(group: ModelGroup, register: Register) -> None:
    for _ in range(3):
        register()
    approve(group, 1)
    reject(group, 2)
    approve(group, 3)

    found = reject(group, 3)

    assert statuses(group, 1, 2, 3) == ["Approved", "Rejected", "Rejected"]
    assert active(group) == 1
    assert found.startswith("Version 3 is rejected, and version 1 is active again.")
    assert reject(group, 3) == "Version 3 is rejected already. Version 1 is active."
    assert reject(group, 1).startswith("Version 1 is rejected, and no approved version is left")
    assert group.find(3).approved_by == ""


def test_rejecting_another_version_leaves_the_active_one(group: ModelGroup, register: Register) -> None:
    approve(group, register())

    assert reject(group, register()) == "Version 2 is rejected. Version 1 is active."
    assert active(group) == 1


def test_an_approval_can_follow_a_rejection(group: ModelGroup, register: Register) -> None:
    reject(group, register())

    approve(group, 1)

    assert active(group) == 1


def test_a_version_older_than_the_active_one_is_not_approved(group: ModelGroup, register: Register) -> None:
    register()
    approve(group, register())

    with pytest.raises(
        UserError, match=r"Version 2 is approved and newer than 1, .*\nHint: .* ENV=local MODEL=2$"
    ):
        approve(group, 1)

    assert statuses(group, 1, 2) == ["PendingManualApproval", "Approved"]


def test_a_version_that_an_event_trained_is_compared_with_the_active_one_before_it_is_approved(
    group: ModelGroup, register: Register
) -> None:
    """The default of ChampionModelDataUrl shows that nobody looked for the active version."""
    not_given = EXECUTION_PARAMETERS[CHAMPION_MODEL_DATA_URL]
    trained = {COMPARED_WITH: not_given}
    approve(group, register(CustomerMetadataProperties=trained))  # there is nothing to compare it with
    approve(group, register(CustomerMetadataProperties={COMPARED_WITH: group.find(1).model_data_url}))
    register(CustomerMetadataProperties=trained)

    with pytest.raises(UserError) as rejected:
        approve(group, 3)

    assert str(rejected.value) == (
        "Version 3 was not compared with version 2, which is active: an event started its training, and no "
        "event has the active version\n"
        "Hint: Compare them: make compare ENV=local MODEL=3 WITH=2, then approve it with: make approve "
        "ENV=local MODEL=3 ARGS=--uncompared"
    )
    assert (active(group), statuses(group, 3)) == (2, ["PendingManualApproval"])
    assert approve(group, 3, uncompared=True).startswith("Version 3 is approved and active.")
    # In the environment that it is promoted from, somebody has decided that.
    promoted = {PROMOTED_FROM: group.find(3).arn, SAMPLE_SCORED_IN: "arn:aws:sagemaker:execution"}
    register(CustomerMetadataProperties={**trained, **promoted})
    assert approve(group, 4).startswith("Version 4 is approved and active.")


@pytest.mark.parametrize("act", [approve, reject])
def test_an_unknown_version_is_named_with_those_there_are(
    group: ModelGroup, register: Register, act: Callable[[ModelGroup, int], str]
) -> None:
    with pytest.raises(UserError, match="has no version 1; it has none yet"):
        act(group, 1)
    for _ in range(2):
        register()

    with pytest.raises(UserError, match=r"has no version 9; it has 1, 2\nHint: .*make models ENV=local"):
        act(group, 9)

    assert statuses(group, 1, 2) == ["PendingManualApproval"] * 2


def test_what_cannot_be_served_is_not_approved(
    aws: boto3.Session, group: ModelGroup, register: Register
) -> None:
    register(environment={"SAGEMAKER_PROGRAM": ""}, ModelMetrics=None)

    with pytest.raises(UserError) as rejected:
        approve(group, 1)

    lines = str(rejected.value).splitlines()
    assert lines[0] == "Version 1 cannot be used, and was not approved:"
    assert [line.split(",")[0] for line in lines[1:]] == [
        "  - its environment has SAGEMAKER_PROGRAM",
        "  - it has no baseline that drift is measured against: register it with "
        "ModelMetrics.ModelDataQuality.Statistics",
        "Hint: Approve another version; list them with: make models ENV=local",
    ]
    assert group.find(1).status == "PendingManualApproval"
    assert group.find(1).properties == {}


def test_a_rejection_reports_that_the_version_before_cannot_be_served_any_more(
    group: ModelGroup, register: Register
) -> None:
    approve(group, register())
    approve(group, register())
    bucket, key = group.find(1).model_data_url.removeprefix("s3://").split("/", 1)
    group.s3.delete_object(Bucket=bucket, Key=key)

    with pytest.raises(UserError, match="Version 2 is rejected, but version 1, which is active again, can"):
        reject(group, 2)

    assert statuses(group, 1, 2) == ["Approved", "Rejected"]


def test_two_versions_approved_at_once_leave_the_newer_one_active(
    group: ModelGroup, register: Register
) -> None:
    register()
    register()

    with after_the_update(group, lambda: set_status(group, 2, "Approved")):
        found = approve(group, 1)

    assert active(group) == 2
    assert found == (
        "Version 1 is approved. Version 2 was approved at the same time, by "
        "arn:aws:iam::123456789012:user/ann, and is the active one."
    )


def test_a_version_rejected_while_it_is_approved_is_rejected(group: ModelGroup, register: Register) -> None:
    register()

    with (
        after_the_update(group, lambda: set_status(group, 1, "Rejected")),
        pytest.raises(UserError, match=r"Version 1 was rejected at the same time, by .*user/ann"),
    ):
        approve(group, 1)

    assert statuses(group, 1) == ["Rejected"]


def test_a_version_approved_while_it_is_rejected_is_approved(group: ModelGroup, register: Register) -> None:
    register()

    with (
        after_the_update(group, lambda: set_status(group, 1, "Approved")),
        pytest.raises(UserError, match=r"Version 1 was approved at the same time, by .*user/ann"),
    ):
        reject(group, 1)

    assert active(group) == 1
