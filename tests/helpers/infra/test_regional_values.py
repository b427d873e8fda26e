"""Regional values: found for the region of an environment, rejected if they belong to another."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import boto3
import pytest

from helpers import environments
from helpers.algorithm_images import algorithm_image_accounts
from helpers.errors import UserError
from helpers.infra.stacks import StackConfiguration, load_stacks, plan_all, teardown
from helpers.infra.stacks.__main__ import main
from helpers.infra.stacks.configuration import image_accounts
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.spark.images import spark_image_accounts
from tests.infra_folder import write_project
from tests.quiet_console import QuietConsole

REGION, OTHER = "eu-west-1", "ap-northeast-2"
TEMPLATE = """
Parameters:
  S3PrefixListId: {Type: String}
  ImageAccountIds: {Type: CommaDelimitedList}
Resources:
  Topic: {Type: AWS::SNS::Topic}
Outputs:
  PrefixList: {Value: !Ref S3PrefixListId}
  Accounts: {Value: !Join [",", !Ref ImageAccountIds]}
"""
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes the parameter file of an environment in a region, and returns the folder of its project."""
    monkeypatch.setattr(environments, "PARAMETERS", tmp_path / "parameters")
    folder = write_project(tmp_path, "regional")
    (tmp_path / "jobs.yaml").write_text(TEMPLATE)

    def written(region: str = REGION, **parameters: str) -> Path:
        content = {"Region": region, "Stacks": ["jobs"], "Parameters": parameters}
        (folder / "local.json").write_text(json.dumps(content))
        return tmp_path

    return written


def prefix_list(aws: boto3.Session, region: str) -> str:
    """The ID of S3's prefix list in a region."""
    lists = aws.client("ec2", region_name=region).describe_managed_prefix_lists()["PrefixLists"]
    (found,) = [
        each["PrefixListId"] for each in lists if each["PrefixListName"] == f"com.amazonaws.{region}.s3"
    ]
    return found


@pytest.mark.parametrize("region", [REGION, OTHER])
def test_a_deployment_has_the_values_of_its_region(
    write: Write, aws: boto3.Session, capsys: pytest.CaptureFixture[str], region: str
) -> None:
    infra = write(region)
    there = ("--env", "local", "--infra", str(infra))

    assert main(["deploy", *there]) == 0
    capsys.readouterr()
    assert main(["outputs", "--json", *there]) == 0

    assert json.loads(capsys.readouterr().out) == {
        "PrefixList": prefix_list(aws, region),
        "Accounts": ",".join(image_accounts(region)),
    }
    assert main(["plan", *there]) == 0
    assert "No changes" in capsys.readouterr().out
    assert main(["drift", *there]) == 0
    in_region = boto3.Session(region_name=region)
    teardown(in_region, load_stacks("local", infra), QuietConsole())


@pytest.mark.parametrize("command", ["plan", "deploy", "drift"])
def test_the_prefix_list_of_another_region_is_rejected(
    write: Write, aws: boto3.Session, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    infra = write(REGION, S3PrefixListId=prefix_list(aws, OTHER))

    assert main([command, "--env", "local", "--infra", str(infra)]) == 1

    output = capsys.readouterr().err
    assert f"infra/parameters/local.json: S3PrefixListId is {prefix_list(aws, OTHER)}" in output
    assert f"that of {REGION} is {prefix_list(aws, REGION)}\nHint: Remove " in output


def test_the_prefix_list_of_the_region_may_be_given(write: Write, aws: boto3.Session) -> None:
    given = prefix_list(aws, REGION)
    stacks = load_stacks("local", write(REGION, S3PrefixListId=given))

    (stack,) = with_regional_values(aws.client("ec2", region_name=REGION), stacks)

    assert stack.parameters["S3PrefixListId"] == given


def test_the_images_of_spark_and_of_the_algorithm_come_from_accounts_of_their_own() -> None:
    assert image_accounts("us-east-1") == ("173754725891", "683313688378")
    assert image_accounts("xx-north-9") == ()


@pytest.mark.parametrize("accounts", [spark_image_accounts, algorithm_image_accounts])
def test_the_image_account_of_another_region_is_rejected_before_aws_is_asked(
    write: Write, accounts: Callable[[], Mapping[str, str]]
) -> None:
    foreign = accounts()[OTHER]

    with pytest.raises(UserError) as raised:
        load_stacks("local", write(REGION, ImageAccountIds=f"123456789012,{foreign}"))

    assert "local.json cannot be used" in str(raised.value)
    assert f"ImageAccountIds has {foreign}, the account of the images in {OTHER}, but" in str(raised.value)
    assert f"runs in {REGION}: remove it" in str(raised.value)


def test_images_may_come_from_accounts_of_your_own(write: Write) -> None:
    own = f"123456789012,{spark_image_accounts()[REGION]}"

    (stack,) = load_stacks("local", write(REGION, ImageAccountIds=own))

    assert stack.parameters["ImageAccountIds"] == own


def test_a_region_is_asked_for_no_values_that_no_stack_needs(aws: boto3.Session) -> None:
    stack = StackConfiguration("local", "x", "Resources: {}", {}, {})  # type: ignore[arg-type]
    nowhere = aws.client("ec2", endpoint_url="http://127.0.0.1:9")

    assert with_regional_values(nowhere, [stack]) == (stack,)


def test_a_plan_without_the_values_names_those_that_it_waits_for(write: Write, aws: boto3.Session) -> None:
    (plan,) = plan_all(aws.client("cloudformation"), load_stacks("local", write()))

    assert "It waits for S3PrefixListId" in plan.note
