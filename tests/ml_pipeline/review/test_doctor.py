"""The checks of an account before the first deployment, with remedies."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from helpers.environments import Environment
from helpers.infra.stacks.configuration import image_accounts
from ml_pipeline.__main__ import main
from ml_pipeline.executions.quotas import JobInstances
from ml_pipeline.review import doctor
from ml_pipeline.review.doctor import CHECKS, Account, Finding, actions, run_checks
from tests.infra_folder import TEMPLATES, every_stack


@pytest.fixture
def account(aws: boto3.Session) -> Account:
    """An account without deployments, for all stacks of the templates."""
    session = boto3.Session(region_name="us-east-1")
    images = ",".join(image_accounts("us-east-1"))  # in any region of this repository
    return given(Account(Environment("local"), session, every_stack("doctor")), ImageAccountIds=images)


@pytest.fixture
def provider(aws: boto3.Session) -> Iterator[str]:
    """An existing OIDC provider of GitHub in the account."""
    iam = aws.client("iam")
    made = iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ThumbprintList=["0" * 40]
    )
    arn = made["OpenIDConnectProviderArn"]
    yield arn
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)


def given(account: Account, **parameters: str) -> Account:
    stacks = [replace(each, parameters={**each.parameters, **parameters}) for each in account.stacks]
    return replace(account, stacks=stacks)


def test_an_account_without_anything_is_ready_for_a_plan(account: Account) -> None:
    found = {name: check(account) for name, check in CHECKS.items()}

    assert {name for name, finding in found.items() if finding.actions} == {"stacks"}
    assert found["stacks"].message == f"0 of {len(TEMPLATES)} are deployed"
    assert found["stacks"].actions == [
        "Review the changes with: make plan ENV=local",
        "Deploy them with: make deploy ENV=local",
    ]
    assert "USD a month even if nothing runs" in found["costs"].message
    assert found["OIDC provider"].message == "none yet: the stack creates it"


def test_a_provider_that_is_there_is_to_be_used(account: Account, provider: str) -> None:
    finding = CHECKS["OIDC provider"](account)

    assert finding.actions == [f"Set ExistingOidcProviderArn to {provider} in infra/parameters/local.json"]
    assert not CHECKS["OIDC provider"](given(account, ExistingOidcProviderArn=provider)).actions


def test_a_provider_that_is_not_there_is_not_to_be_named(account: Account) -> None:
    named = given(account, ExistingOidcProviderArn="arn:aws:iam::123456789012:oidc-provider/gone")

    assert CHECKS["OIDC provider"](named).actions == [
        "Remove ExistingOidcProviderArn from infra/parameters/local.json"
    ]


def test_images_of_another_region_are_found(account: Account) -> None:
    spark, algorithm = image_accounts("us-east-1")

    assert CHECKS["images"](given(account, ImageAccountIds="999999999999")).actions == [
        f"Add {spark} and {algorithm} to ImageAccountIds in infra/parameters/local.json"
    ]
    assert CHECKS["images"](given(account, ImageAccountIds=spark)).actions == [
        f"Add {algorithm} to ImageAccountIds in infra/parameters/local.json"
    ]
    nowhere = replace(account, session=boto3.Session(region_name="xx-north-9"))
    assert CHECKS["images"](nowhere).message == "SageMaker has no Spark image in xx-north-9"


def test_alarms_need_an_address(account: Account) -> None:
    assert CHECKS["alarms"](given(account, AlarmEmail="")).actions == [
        "Set AlarmEmail in infra/parameters/local.json to be notified of failures"
    ]


def test_logs_of_jobs_are_to_have_a_key_and_a_retention_where_the_environment_is_protected(
    account: Account,
) -> None:
    # Jobs of other tests write to this log group, in the region of `account`.
    account = replace(account, session=boto3.Session(region_name="ap-northeast-3"))
    protected = replace(account, stacks=[replace(each, protected=True) for each in account.stacks])
    logs, group = account.session.client("logs"), "/aws/sagemaker/ProcessingJobs"
    key = account.session.client("kms").create_key()["KeyMetadata"]["Arn"]

    assert not CHECKS["job logs"](account).actions
    assert CHECKS["job logs"](protected).actions == [
        "Deploy infra/account/job_logs.yaml once in the account and region, as its first lines describe"
    ]
    logs.create_log_group(logGroupName=group, kmsKeyId=key)
    try:
        assert CHECKS["job logs"](protected).message == "have no encryption key or no retention"
        logs.put_retention_policy(logGroupName=group, retentionInDays=365)
        found = CHECKS["job logs"](protected)
    finally:
        logs.delete_log_group(logGroupName=group)
    assert (found.message, found.actions) == (f"are kept for 365 days, encrypted with {key}", ())


def test_zones_and_quotas_are_those_of_the_configured_instances(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        doctor, "instances_needed", lambda *_: {JobInstances("ml.m5.xlarge", "Processing"): 2}
    )
    monkeypatch.setattr(
        doctor, "insufficient_quotas", lambda _, needed: [f"raise {each.quota}" for each in needed]
    )
    somewhere = given(account, AvailabilityZones="us-east-1a,us-east-1e")

    (zone,) = CHECKS["zones"](somewhere).actions
    quotas = CHECKS["quotas"](somewhere)

    assert "The zone us-east-1e does not offer the instance type ml.m5.xlarge" in zone
    assert (quotas.message, quotas.actions) == (
        "1 are too low for 2 x ml.m5.xlarge",
        ["raise ml.m5.xlarge for processing job usage"],
    )


def test_what_may_not_be_read_is_reported_and_stops_no_other_check(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(_: Account) -> Finding:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListX")

    monkeypatch.setattr(doctor, "CHECKS", {"zones": denied, "costs": CHECKS["costs"]})
    monkeypatch.setattr(doctor, "load_stacks", lambda _: account.stacks)

    found = list(run_checks(account.environment, lambda _: account.session))

    assert [finding.check for finding in found] == ["credentials", "zones", "costs"]
    assert found[1].message == "not checked: ListX failed with AccessDenied: no"


def test_without_credentials_there_is_one_thing_to_do() -> None:
    def connect(_: Environment) -> Any:
        raise NoCredentialsError

    (finding,) = run_checks(Environment("local"), connect)

    assert finding.message.startswith("No usable AWS credentials")
    assert finding.actions == ["Sign in (aws sso login), or set AWS_PROFILE"]


def test_steps_are_in_the_order_of_the_checks_and_each_is_named_once() -> None:
    findings = [Finding("a", "", ["first", "second"]), Finding("b", ""), Finding("c", "", ["first", "third"])]

    assert actions(findings) == ["first", "second", "third"]


def test_the_command_ends_with_an_ordered_list(
    small_stacks: None, stack: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["doctor", "--env", "trial"])

    output = capsys.readouterr().out
    assert code == 0
    assert [line.split("  ")[0] for line in output.splitlines()[:3]] == ["credentials", "region", "images"]
    assert output.splitlines()[-1] == "Nothing to do."
