"""Stacks of previews: created from one parameter file, with a time to live."""

import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import boto3
import pytest

from helpers import environments
from helpers.errors import UserError
from helpers.infra.stacks import load_stacks
from helpers.infra.stacks.__main__ import main
from helpers.infra.stacks.configuration import StackConfiguration
from helpers.infra.stacks.previews import EXPIRES_AT, expiry, tags_of, with_deployed_expiry, with_new_expiry
from tests.infra_folder import write_project
from tests.stack_creation import create_stack

NOW = datetime(2026, 11, 24, 12, 30, 15, 999, tzinfo=UTC)
TEMPLATE = """
Parameters: {ProjectName: {Type: String}, Environment: {Type: String}}
Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Environment}}}
Outputs: {TopicArn: {Value: !Ref Topic}}
"""


@pytest.fixture
def infra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(environments, "PARAMETERS", tmp_path / "parameters")
    write_project(tmp_path, f"test-{uuid.uuid4().hex[:8]}")
    (tmp_path / "topic.yaml").write_text(TEMPLATE)
    return write(write(tmp_path, "local"))


def write(infra: Path, name: str = "preview", **more: object) -> Path:
    content = {"Stacks": ["topic"], "Parameters": {}, "Tags": {"Of": "${Owner}: ${Environment}"}, **more}
    (infra / "parameters" / f"{name}.json").write_text(json.dumps(content))
    return infra


def test_the_name_of_a_preview_takes_its_place_in_parameters_tags_and_names(infra: Path) -> None:
    (stack,) = load_stacks("pr-7", infra)

    assert stack.name.endswith("-pr-7-topic")
    assert stack.parameters["Environment"] == "pr-7"
    assert (stack.tags["Environment"], stack.tags["Of"]) == ("pr-7", "a-team: pr-7")
    assert stack.time_to_live == timedelta(days=3)


def test_the_days_to_live_are_those_of_the_file(infra: Path) -> None:
    assert load_stacks("pr-7", write(infra, DaysToLive=1))[0].time_to_live == timedelta(days=1)


@pytest.mark.parametrize("days", [0, 91, 1.5, "3", True, None])
def test_invalid_days_are_rejected(infra: Path, days: object) -> None:
    with pytest.raises(UserError, match=r"preview\.json cannot be used:\n  - DaysToLive is .* from 1 to 90"):
        load_stacks("pr-7", write(infra, DaysToLive=days))


def test_only_previews_have_a_time_to_live(infra: Path) -> None:
    with pytest.raises(UserError, match="DaysToLive applies to previews only"):
        load_stacks("standing", write(infra, "standing", DaysToLive=3))
    (stack,) = with_new_expiry(load_stacks("standing", write(infra, "standing")), NOW)
    assert EXPIRES_AT not in stack.tags


@pytest.fixture
def stack(infra: Path) -> StackConfiguration:
    return load_stacks("pr-7", infra)[0]


def test_a_deployment_prints_the_expiry_of_a_preview_in_utc(stack: StackConfiguration) -> None:
    (found,) = with_new_expiry([stack], NOW.astimezone(timezone(timedelta(hours=5))))

    assert found.tags == {**stack.tags, EXPIRES_AT: "2026-11-27T12:30:15Z"}
    assert expiry(found.tags) == NOW.replace(microsecond=0) + timedelta(days=3)


def test_a_comparison_takes_the_expiry_of_what_is_deployed(stack: StackConfiguration) -> None:
    deployed = {"Tags": [{"Key": EXPIRES_AT, "Value": "2026-01-01T00:00:00Z"}]}

    assert with_deployed_expiry(stack, deployed).tags[EXPIRES_AT] == "2026-01-01T00:00:00Z"  # type: ignore[arg-type]
    assert with_deployed_expiry(stack, None) == with_deployed_expiry(stack, {}) == stack  # type: ignore[typeddict-item]


@pytest.mark.parametrize("text", [None, "", "soon"])
def test_what_has_no_expiry_never_expires(text: str | None) -> None:
    assert expiry({} if text is None else {EXPIRES_AT: text}) is None


def test_each_deployment_renews_a_preview_and_neither_plan_nor_drift_sees_the_time_pass(
    infra: Path, stack: StackConfiguration, aws: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    cloudformation = aws.client("cloudformation")
    on_preview = ("--env", "pr-7", "--infra", str(infra))
    yesterday = replace(
        with_new_expiry([stack], datetime.now(UTC) - timedelta(days=1))[0], parameters=stack.parameters
    )
    create_stack(cloudformation, yesterday)

    assert main(["plan", *on_preview]) == 0
    assert "No changes" in capsys.readouterr().out
    assert main(["drift", *on_preview]) == 0
    assert main(["deploy", *on_preview]) == 0

    (found,) = cloudformation.describe_stacks(StackName=stack.name)["Stacks"]
    left = expiry(tags_of(found)) - datetime.now(UTC)
    assert timedelta(days=3, minutes=-5) < left <= timedelta(days=3)
