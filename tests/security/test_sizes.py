"""Policies at the longest names that the templates permit: IAM takes them, and as many on one role."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from policies import ACCOUNT
from rich.console import Console

from helpers.infra.stacks import StackConfiguration, load_stacks, teardown
from helpers.infra.stacks.deploy import deploy_all
from tests.renamed_stacks import of_project

PROJECT = "a-project-of-the-longest"  # 24 characters
LONGEST_REGION = "ap-southeast-1"
# Of IAM; white space does not count. The number of policies of a role is what an account has without asking.
MOST_CHARACTERS, MOST_POLICIES = 6144, 10
GIVEN = {
    "ZoneCount": "4",
    "ExistingOidcProviderArn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
}


def at_the_longest(stack: StackConfiguration, **more: str) -> StackConfiguration:
    renamed = of_project(stack, PROJECT, **GIVEN, **more)
    return replace(renamed, name=renamed.name.replace("local", "staging"))


@pytest.fixture(scope="module")
def iam(aws: boto3.Session) -> Iterator[Any]:
    """IAM with the roles of a preview of the longest number, and those of GitHub for `staging`."""
    stacks = [
        *(at_the_longest(stack) for stack in load_stacks("pr-999999")),
        at_the_longest(load_stacks("local")[-1], Environment="staging", ProtectsBoundaries="true"),
    ]
    console = Console(quiet=True)
    deploy_all(aws.client("cloudformation"), stacks, console)
    yield aws.client("iam")
    teardown(aws, stacks, console)


def test_every_policy_is_small_enough(iam: Any, report: Callable[[str], None]) -> None:
    sizes = {}
    for page in iam.get_paginator("list_policies").paginate(Scope="Local"):
        for policy in page["Policies"]:
            if policy["PolicyName"].startswith(PROJECT):
                version = iam.get_policy_version(
                    PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"]
                )
                text = json.dumps(version["PolicyVersion"]["Document"]).replace("us-east-1", LONGEST_REGION)
                sizes[policy["PolicyName"]] = len(re.sub(r"\s", "", text))

    assert {f"{PROJECT}-pr-999999-boundary", f"{PROJECT}-pr-999999-network-boundary"} <= sizes.keys()
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

    assert f"{PROJECT}-staging-ci-deploy" in attached
    assert {role: number for role, number in attached.items() if number > MOST_POLICIES} == {}
