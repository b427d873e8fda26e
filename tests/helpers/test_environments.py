import json
from pathlib import Path

import botocore.session
import pytest

from helpers import environments
from helpers.environments import Environment, file_of, is_preview, read_settings
from helpers.errors import UserError
from helpers.project_settings import partition_problems, project_settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with its own environments."""
    monkeypatch.setattr(environments, "PARAMETERS", tmp_path)
    for name, order in (("sandbox", None), ("qa", 5), ("live", 20), ("beta", 10)):
        (tmp_path / f"{name}.json").write_text(json.dumps({"PromotionOrder": order} if order else {}))
    return tmp_path


def test_environments_are_the_files_in_promotion_order(folder: Path) -> None:
    assert environments.names() == ("sandbox", "qa", "beta", "live")
    assert environments.promoted() == ("qa", "beta", "live")


def test_a_file_adds_an_environment(folder: Path) -> None:
    with pytest.raises(
        UserError, match=r"unknown environment 'uat'.*\nHint: .*create infra/parameters/uat\.json"
    ):
        Environment("uat")

    (folder / "uat.json").write_text('{"PromotionOrder": 15, "Approval": true}')

    assert environments.promoted() == ("qa", "beta", "uat", "live")
    assert Environment("uat").settings.approval


def test_previews_exist_where_they_have_a_file(folder: Path) -> None:
    assert not is_preview("pr-7")
    with pytest.raises(UserError, match=r"expected one of sandbox, qa, beta, live\n"):
        Environment("pr-7")

    (folder / "preview.json").write_text('{"DaysToLive": 3}')

    assert Environment("pr-7").is_preview
    assert Environment("pr-7").settings.days_to_live == 3
    with pytest.raises(UserError, match=r"live, pr-<number>\n"):
        Environment("preview")


@pytest.mark.parametrize("name", ["", "none", "pr-", "pr-0", "pr-01", "pr-1234567", "pr-7\n", "Sandbox"])
def test_no_other_name_is_one(folder: Path, name: str) -> None:
    (folder / "preview.json").write_text("{}")

    with pytest.raises(UserError, match="unknown environment"):
        Environment(name)


@pytest.mark.parametrize("name", ["pr", "Live", "2nd", "in-between", "thirteenchars"])
def test_a_file_of_another_form_of_name_is_rejected(folder: Path, name: str) -> None:
    """Including `pr`: stacks named <project>-pr-<template> would be accessible to the role of previews."""
    (folder / f"{name}.json").write_text("{}")

    with pytest.raises(UserError, match=f"the environment's name {name} must match"):
        environments.names()


def test_previews_share_their_file_of_parameters() -> None:
    assert [file_of(name) for name in ("pr-7", "pr-8", "live")] == [
        "preview.json",
        "preview.json",
        "live.json",
    ]


SESSION = botocore.session.get_session()
REGIONS = {each: SESSION.get_available_regions("ec2", each) for each in SESSION.get_available_partitions()}


def test_regions_of_other_partitions_are_rejected_and_those_of_aws_are_not() -> None:
    """Based on botocore: a new partition makes this test fail."""
    assert {"aws", "aws-cn", "aws-us-gov"} <= REGIONS.keys()
    for partition, regions in REGIONS.items():
        rejected = [region for region in regions if partition_problems(region)]
        assert rejected == ([] if partition == "aws" else regions), partition


def test_a_region_of_another_partition_is_rejected_with_the_reason(folder: Path) -> None:
    (folder / "china.json").write_text('{"Region": "cn-north-1"}')

    with pytest.raises(UserError, match=r"china\.json cannot be used:\n  - Region is cn-north-1, which is"):
        environments.names()

    project = {"ProjectName": "fares", "Owner": "us", "Repository": "a/b", "Region": "us-gov-west-1"}
    (folder / "project").write_text(json.dumps(project))
    with pytest.raises(UserError, match="Region is us-gov-west-1, which is not in the partition aws"):
        project_settings(folder / "project")


def test_all_problems_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "Live-2.json"
    path.write_text(
        '{"Region": "Erin", "PromotionOrder": 0, "Approval": "yes", "SampleData": "maybe", "DaysToLive": 3}'
    )

    with pytest.raises(UserError) as raised:
        read_settings(path)

    for output in (
        str(path),
        "[a-z]",
        "Region",
        "PromotionOrder is 0",
        'Approval is "yes"',
        "when-empty",
        "previews only",
    ):
        assert output in str(raised.value)
