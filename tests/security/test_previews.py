"""The role that manages previews of pull requests can access only previews, not other environments."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from policies import ACCOUNT, PROJECT, simulate

from helpers.environments import LOCAL, Environment
from helpers.infra.stacks import StackConfiguration, deploy, teardown
from tests.infra_folder import every_stack
from tests.quiet_console import QuietConsole

ROLE = f"{PROJECT}-preview-ci-deploy"
AWS = f"{Environment(LOCAL).settings.region}:{ACCOUNT}"
BOUNDED = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/{PROJECT}-pr-7-boundary"}
KEY = f"arn:aws:kms:{AWS}:key/01234567-89ab-cdef-0123-456789abcdef"


@pytest.fixture(scope="module")
def stack(aws: boto3.Session, outputs: dict[str, str]) -> StackConfiguration:
    """The template as an administrator deploys it for previews, in addition to the tests' environment."""
    (provider,) = aws.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    parameters = {
        "ProjectName": PROJECT,
        "Environment": "pr-*",
        "Protected": "false",
        "GitHubRepository": "owner/name",
        "ExistingOidcProviderArn": provider["Arn"],
        "ProtectsBoundaries": "false",
    }
    local = every_stack(PROJECT)[-1]
    return replace(local, name=f"{PROJECT}-preview-github-oidc", parameters=parameters, needs=frozenset())


@pytest.fixture(scope="module")
def documents(aws: boto3.Session, stack: StackConfiguration) -> Iterator[dict[str, Any]]:
    """The policies of the role by name."""
    iam, console = aws.client("iam"), QuietConsole()
    deploy(aws.client("cloudformation"), stack, console)
    found = {}
    for attached in iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        found[attached["PolicyName"]] = document
    yield found
    teardown(aws, [stack], console)


def decision(documents: dict[str, Any], action: str, resource: str, context: dict[str, Any]) -> str:
    request = {
        "principal": f"arn:aws:iam::{ACCOUNT}:role/{ROLE}",
        "action": action,
        "resource": resource,
        "account": ACCOUNT,
        "context": context,
        "identity": list(documents),
        # Key policies delegate to the account, whose policies allow this role.
        "resourcePolicy": "open" if action.startswith("kms:") else None,
    }
    trusting = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
    (found,), _ = simulate({**documents, "open": trusting}, [request])
    assert not found["ignored"], "a key that is ignored proves nothing"
    return str(found["result"])


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("cloudformation:DeleteStack", f"arn:aws:cloudformation:{AWS}:stack/{PROJECT}-{{}}-keys/1", {}),
        ("cloudformation:CreateChangeSet", f"arn:aws:cloudformation:{AWS}:stack/{PROJECT}-{{}}-keys/1", {}),
        ("s3:DeleteObject", f"arn:aws:s3:::{PROJECT}-{{}}-storage-databucket-x/y", {}),
        ("logs:DeleteLogGroup", f"arn:aws:logs:{AWS}:log-group:{PROJECT}-{{}}-network-x", {}),
        (
            "sagemaker:DescribeProcessingJob",
            f"arn:aws:sagemaker:{AWS}:processing-job/{PROJECT}-{{}}-s-e-t-0",
            {},
        ),
        (
            "logs:GetLogEvents",
            f"arn:aws:logs:{AWS}:log-group:/aws/sagemaker/ProcessingJobs:log-stream:{PROJECT}-{{}}-s-e-t-0/algo-1",
            {},
        ),
        ("iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/{PROJECT}-{{}}-processing-job", BOUNDED),
        ("iam:CreatePolicyVersion", f"arn:aws:iam::{ACCOUNT}:policy/{PROJECT}-{{}}-boundary", {}),
        ("kms:DeleteAlias", f"arn:aws:kms:{AWS}:alias/{PROJECT}-{{}}/DataKey", {}),
        ("sagemaker:UpdatePipeline", f"arn:aws:sagemaker:{AWS}:pipeline/Fares-{{}}", {}),
        ("sagemaker:StartPipelineExecution", f"arn:aws:sagemaker:{AWS}:pipeline/Fares-{{}}", {}),
        (
            "sagemaker:StopPipelineExecution",
            f"arn:aws:sagemaker:{AWS}:pipeline/Fares-{{}}/execution/x",
            {},
        ),
        (
            "iam:PassRole",
            f"arn:aws:iam::{ACCOUNT}:role/{PROJECT}-{{}}-pipeline-execution",
            {"iam:PassedToService": "sagemaker.amazonaws.com"},
        ),
    ],
)
def test_the_names_of_previews_and_no_other_are_within_reach(
    documents: dict[str, Any], action: str, resource: str, context: dict[str, str]
) -> None:
    reached = {
        environment: decision(documents, action, resource.format(environment), context) == "Allowed"
        for environment in ("pr-7", "pr-123456", "dev", "prod", "preview", "local")
    }

    assert [environment for environment, allowed in reached.items() if allowed] == ["pr-7", "pr-123456"]


@pytest.mark.parametrize(
    ("action", "tag"), [("kms:ScheduleKeyDeletion", "ResourceTag"), ("kms:CreateKey", "RequestTag")]
)
@pytest.mark.parametrize(("environment", "allowed"), [("pr-7", True), ("prod", False), ("preview", False)])
def test_the_keys_of_previews_and_no_other_are_within_reach(
    documents: dict[str, Any], action: str, tag: str, environment: str, allowed: bool
) -> None:
    context = {
        f"aws:{tag}/Project": PROJECT,
        f"aws:{tag}/Environment": environment,
        "aws:CalledVia": ["cloudformation.amazonaws.com"],
    }

    found = decision(documents, action, "*" if action == "kms:CreateKey" else KEY, context)

    assert (found == "Allowed") == allowed


@pytest.mark.parametrize(
    ("action", "context", "allowed"),
    [
        ("kms:UntagResource", {"aws:TagKeys": ["ExpiresAt"]}, True),
        ("kms:TagResource", {"aws:RequestTag/ExpiresAt": "later"}, True),
        ("kms:UntagResource", {"aws:TagKeys": ["ExpiresAt", "Environment"]}, False),
        ("kms:TagResource", {"aws:RequestTag/Environment": "prod"}, False),
    ],
)
def test_a_preview_lives_longer_by_a_tag_of_its_keys_and_cannot_give_them_away(
    documents: dict[str, Any], action: str, context: dict[str, Any], allowed: bool
) -> None:
    own = {"aws:ResourceTag/Project": PROJECT, "aws:ResourceTag/Environment": "pr-7"}

    assert (decision(documents, action, KEY, {**own, **context}) == "Allowed") == allowed


@pytest.mark.parametrize(("environment", "allowed"), [("pr-7", True), ("prod", False)])
def test_keys_are_used_by_the_aliases_of_previews(
    documents: dict[str, Any], environment: str, allowed: bool
) -> None:
    context = {"kms:ResourceAliases": [f"alias/{PROJECT}-{environment}/DataKey"]}

    assert (decision(documents, "kms:GenerateDataKey", KEY, context) == "Allowed") == allowed


def test_a_role_needs_the_boundary_of_a_preview(documents: dict[str, Any]) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/{PROJECT}-pr-7-processing-job"
    other = {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/{PROJECT}-dev-boundary"}

    assert decision(documents, "iam:CreateRole", role, BOUNDED) == "Allowed"
    assert decision(documents, "iam:CreateRole", role, other) != "Allowed"
    assert decision(documents, "iam:CreateRole", role, {}) != "Allowed"


@pytest.mark.parametrize(
    "action",
    [
        "sagemaker:CreateDomain",  # part: Studio
        "sns:CreateTopic",
        "cloudtrail:CreateTrail",
    ],
)
def test_a_right_that_no_preview_needs_is_missing(documents: dict[str, Any], action: str) -> None:
    assert action not in str(documents)


def test_github_is_trusted_for_the_environment_preview_and_pull_requests_are_not(
    documents: dict[str, Any], aws: boto3.Session
) -> None:
    iam = aws.client("iam")
    (statement,) = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]["Statement"]
    issuer = "token.actions.githubusercontent.com"

    assert statement["Condition"] == {
        "StringEquals": {
            f"{issuer}:aud": "sts.amazonaws.com",
            f"{issuer}:sub": "repo:owner/name:environment:preview",
        }
    }
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_role(RoleName=f"{PROJECT}-preview-ci-plan")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"ProtectsBoundaries": "true"}, "ProtectsBoundaries must be false"),
        ({"Environment": "p*"}, "Environment"),
        ({"Environment": "*"}, "Environment"),
    ],
)
def test_a_role_cannot_be_given_the_resources_of_more_environments(
    aws: boto3.Session, stack: StackConfiguration, changes: dict[str, str], message: str
) -> None:
    other = replace(stack, name=f"{PROJECT}-rejected", parameters={**stack.parameters, **changes})

    with pytest.raises(ClientError, match=message):
        deploy(aws.client("cloudformation"), other, QuietConsole())
