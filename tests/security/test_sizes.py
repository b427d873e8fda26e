"""With the longest permitted names, policies fit IAM's size limit, and the limit of policies per role."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from policies import ACCOUNT

from helpers.environments import NAME
from helpers.infra.stacks import teardown
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.project_settings import KEYS as PROJECT_KEYS
from tests.infra_folder import every_stack
from tests.quiet_console import QuietConsole

PROJECT = "a-project-of-the-longest"  # 24 characters
ENVIRONMENT = "longestname0"  # 12 characters
LONGEST_REGION = "ap-southeast-1"
# Quotas of IAM; white space does not count. The number of policies per role is the default quota.
MOST_CHARACTERS, MOST_POLICIES = 6144, 10
GIVEN = {
    "ZoneCount": "4",
    "ProtectsBoundaries": "true",
    "ExistingOidcProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
}


@pytest.fixture(scope="module")
def iam(aws: boto3.Session) -> Iterator[Any]:
    """IAM with the roles of an environment with the longest name."""
    stacks = with_regional_values(aws.client("ec2"), every_stack(PROJECT, ENVIRONMENT, **GIVEN))
    console = QuietConsole()
    deploy_all(aws.client("cloudformation"), stacks, console)
    yield aws.client("iam")
    teardown(aws, stacks, console)


def test_the_names_are_the_longest_there_are() -> None:
    project = PROJECT_KEYS["ProjectName"][1]
    for pattern, name in ((NAME, ENVIRONMENT), (project, PROJECT)):
        assert pattern.fullmatch(name)
        assert not pattern.fullmatch(f"{name}0")


def test_every_policy_is_small_enough(aws: boto3.Session, iam: Any, report: Callable[[str], None]) -> None:
    sizes = {}
    for page in iam.get_paginator("list_policies").paginate(Scope="Local"):
        for policy in page["Policies"]:
            if policy["PolicyName"].startswith(PROJECT):
                version = iam.get_policy_version(
                    PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"]
                )
                text = json.dumps(version["PolicyVersion"]["Document"]).replace(
                    aws.region_name, LONGEST_REGION
                )
                sizes[policy["PolicyName"]] = len(re.sub(r"\s", "", text))

    assert {f"{PROJECT}-{ENVIRONMENT}-{name}" for name in ("boundary", "network-boundary")} <= sizes.keys()
    for name, size in sorted(sizes.items(), key=lambda found: -found[1])[:3]:
        report(f"size of {name}: {size} of {MOST_CHARACTERS} characters")
    assert {name: size for name, size in sizes.items() if size > MOST_CHARACTERS} == {}


def test_no_role_has_more_policies_than_it_may(iam: Any) -> None:
    attached = {
        role["RoleName"]: len(iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"])
        for page in iam.get_paginator("list_roles").paginate()
        for role in page["Roles"]
        if role["RoleName"].startswith(PROJECT)
    }

    assert f"{PROJECT}-{ENVIRONMENT}-ci-deploy" in attached
    assert {role: number for role, number in attached.items() if number > MOST_POLICIES} == {}
