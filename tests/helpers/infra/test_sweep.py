"""Which stacks a sweep considers as the project's, and what it does with them."""

import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from helpers import environments
from helpers.infra.stacks.previews import EXPIRES_AT
from helpers.infra.stacks.sweep import FoundStack, decide, find_stacks, remaining

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parameter files of a project with previews and two long-lived environments."""
    monkeypatch.setattr(environments, "PARAMETERS", tmp_path)
    for name in ("preview", "beta", "live"):
        (tmp_path / f"{name}.json").write_text("{}")


def stack(environment: str, expires: int | None = None, **changes: str) -> FoundStack:
    """A stack of the project `p`; `expires` is in hours from now."""
    tags = {"Project": "p", "Environment": environment}
    if expires is not None:
        tags[EXPIRES_AT] = (NOW + timedelta(hours=expires)).isoformat()
    name = changes.pop("name", f"p-{environment}-keys")
    status = changes.pop("status", "CREATE_COMPLETE")
    return FoundStack(name, environment, status, {**tags, **changes})


def test_a_preview_is_removed_when_the_newest_deployment_of_its_stacks_has_expired() -> None:
    stacks = [stack("pr-7", -1), stack("pr-7", -2), stack("pr-8", -1), stack("pr-8", 1), stack("pr-9")]

    found = decide(stacks, "p", NOW)

    assert found.expired == ("pr-7",)
    assert found.kept == (
        "pr-8: it expires 2026-11-24 13:00 UTC",
        "pr-9: none of its stacks has an expiry",
    )
    assert found.reported == ()


def test_a_long_lived_environment_never_expires() -> None:
    assert decide([stack("live", -1), stack("beta", -1)], "p", NOW) == decide([], "p", NOW)


@pytest.mark.parametrize("tag", ["Project", "Environment"])
def test_what_is_not_tagged_as_the_projects_is_never_removed(tag: str) -> None:
    found = decide([stack("pr-7", -1, **{tag: "other"})], "p", NOW)

    assert found.expired == ()
    assert found.reported == ("p-pr-7-keys: its tags do not name p; it is kept",)


def test_an_invalid_environment_is_reported() -> None:
    found = decide([stack("qa", -1), stack("pr-0", -1), stack("preview", -1)], "p", NOW)

    assert found.expired == ()
    assert found.reported[0] == "p-qa-keys: there is no environment qa"
    assert len(found.reported) == 3


@pytest.mark.parametrize(
    ("status", "is_broken"),
    [
        ("CREATE_COMPLETE", False),
        ("UPDATE_COMPLETE", False),
        ("UPDATE_ROLLBACK_COMPLETE", False),
        ("UPDATE_IN_PROGRESS", False),
        ("REVIEW_IN_PROGRESS", True),
        ("ROLLBACK_COMPLETE", True),
        ("CREATE_FAILED", True),
        ("DELETE_FAILED", True),
        ("UPDATE_ROLLBACK_FAILED", True),
    ],
)
def test_what_is_broken_is_reported_in_every_environment(status: str, is_broken: bool) -> None:
    found = decide([stack("live", status=status), stack("pr-7", 1, status=status)], "p", NOW)

    assert bool(found.reported) == is_broken
    assert len(found.reported) in {0, 2}


def test_only_an_administrator_changes_the_role_of_all_previews() -> None:
    role = stack("preview", name="p-preview-github-oidc", Project="")

    assert decide([role], "p", NOW) == decide([], "p", NOW)


def test_what_remains_of_a_preview_is_what_is_tagged_and_named_as_its() -> None:
    stacks = [stack("pr-7", name="p-pr-7-studio"), stack("pr-7", Project="other"), stack("pr-70")]

    assert remaining(stacks, "p", "pr-7") == ["p-pr-7-studio"]


def test_only_stacks_of_the_project_are_found_with_their_tags(aws: boto3.Session) -> None:
    cloudformation = aws.client("cloudformation")
    project = f"sweep-{uuid.uuid4().hex[:8]}"

    def create(name: str, **tags: str) -> None:
        cloudformation.create_stack(
            StackName=name,
            TemplateBody='{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}',
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )

    create(f"{project}-pr-7-github-oidc", Project=project, Environment="pr-7")
    create(f"{project}-beta-keys")
    create(f"{project}-beta-other-keys", Project=f"{project}-beta")
    create(f"{project}-pr-7-unknown", Project=project, Environment="pr-7")
    create(f"other-{project}-pr-7-keys", Project=project, Environment="pr-7")
    create(f"{project}-pr-8-keys", Project=project, Environment="pr-8")
    cloudformation.delete_stack(StackName=f"{project}-pr-8-keys")

    found = find_stacks(cloudformation, project, ["keys", "github_oidc"])

    assert sorted(found, key=lambda each: each.name) == [
        FoundStack(f"{project}-beta-keys", "beta", "CREATE_COMPLETE", {}),
        FoundStack(
            f"{project}-pr-7-github-oidc",
            "pr-7",
            "CREATE_COMPLETE",
            {"Project": project, "Environment": "pr-7"},
        ),
    ]


def test_a_preview_that_is_being_renewed_is_not_taken_for_expired(
    aws: boto3.Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloudformation, project = aws.client("cloudformation"), f"sweep-{uuid.uuid4().hex[:8]}"
    name = f"{project}-pr-7-keys"

    def tags(expiry: str) -> Any:
        values = {"Project": project, "Environment": "pr-7", EXPIRES_AT: expiry}
        return [{"Key": key, "Value": value} for key, value in values.items()]

    topic = '{"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}'
    cloudformation.create_stack(StackName=name, TemplateBody=topic, Tags=tags("2026-01-01T00:00:00Z"))
    describe = cloudformation.describe_stacks

    def while_it_is_updated(**request: Any) -> Any:
        """Answer once as during the update, which ends before the next request."""
        monkeypatch.setattr(cloudformation, "describe_stacks", describe)
        answer = describe(**request)
        answer["Stacks"][0]["StackStatus"] = "UPDATE_IN_PROGRESS"
        cloudformation.update_stack(
            StackName=name, UsePreviousTemplate=True, Tags=tags("2126-01-01T00:00:00Z")
        )
        return answer

    monkeypatch.setattr(cloudformation, "describe_stacks", while_it_is_updated)

    (found,) = find_stacks(cloudformation, project, ["keys"])

    assert (found.status, found.tags[EXPIRES_AT]) == ("UPDATE_COMPLETE", "2126-01-01T00:00:00Z")
    assert f"Waiting for {name} (UPDATE_IN_PROGRESS)" in capsys.readouterr().err
    assert decide([found], project, NOW).expired == ()
