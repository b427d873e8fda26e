"""The policies of the deployed stacks, evaluated together; and what each of their statements is worth.

Studio's and GitHub's stacks are not among them yet.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
import request_table
from policies import EVERYTHING, Policies, collect, mutants_of, simulate
from rich.console import Console

from helpers.infra.stacks import load_stacks, teardown
from helpers.infra.stacks.deploy import deploy_all

PROJECT, ACCOUNT = "policies", "123456789012"
BREAK_GLASS = f"arn:aws:iam::{ACCOUNT}:role/break-glass"


@pytest.fixture(scope="module")
def outputs(aws: boto3.Session) -> Iterator[dict[str, str]]:
    given = {"ProjectName": PROJECT, "BreakGlassPrincipalArns": BREAK_GLASS}
    stacks = [
        replace(
            stack,
            name=stack.name.replace("pyspark-processing", PROJECT),
            parameters={
                **stack.parameters,
                **{key: value for key, value in given.items() if key in stack.template},
            },
        )
        for stack in load_stacks("local")
    ]
    declared = [{key for key in given if f"\n  {key}:" in stack.template} for stack in stacks]
    stacks = [
        replace(stack, parameters={k: v for k, v in stack.parameters.items() if k not in given or k in names})
        for stack, names in zip(stacks, declared, strict=True)
    ]
    console = Console(quiet=True)
    yield deploy_all(aws.client("cloudformation"), stacks, console)
    teardown(aws, stacks, console)


@pytest.fixture(scope="module")
def policies(aws: boto3.Session, outputs: dict[str, str]) -> Policies:
    return collect(aws, f"{PROJECT}-local", outputs)


@pytest.fixture(scope="module")
def requests(aws: boto3.Session, policies: Policies, outputs: dict[str, str]) -> list[dict[str, Any]]:
    ec2, subnets = aws.client("ec2"), outputs["PrivateSubnetIds"].split(",")
    in_vpc = {"Name": "vpc-id", "Values": [outputs["VpcId"]]}
    (default,) = ec2.describe_security_groups(
        Filters=[in_vpc, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    of_vpc = [{"Name": "resource-id", "Values": [outputs["VpcId"]]}]
    (flow_log,) = ec2.describe_flow_logs(Filters=of_vpc)["FlowLogs"]
    names = {
        **outputs,
        "Account": ACCOUNT,
        "Region": "us-east-1",
        "Prefix": f"{PROJECT}-local",
        "Subnet0": subnets[0],
        "Subnet1": subnets[1],
        "BreakGlass": BREAK_GLASS,
        "DefaultGroup": default["GroupId"],
        "FlowLogGroupArn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{flow_log['LogGroupName']}",
    }
    return request_table.load(policies, names)


@pytest.fixture(scope="module")
def evaluation(
    policies: Policies, requests: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[tuple[str, dict[str, str]]]]:
    mutants = [mutant for name, text in policies.documents.items() for mutant in mutants_of(name, text)]
    verdicts, results = simulate({**policies.documents, **EVERYTHING}, requests, mutants)
    named = [f"{mutant.document}: {mutant.what}" for mutant in mutants]
    return verdicts, list(zip(named, results, strict=True))


def test_every_request_gets_the_verdict_that_is_expected(
    requests: list[dict[str, Any]], evaluation: tuple[list[dict[str, Any]], Any]
) -> None:
    wrong = [
        f"{request['title']}: expected {request['gives']}, got {verdict}"
        for request, verdict in zip(requests, evaluation[0], strict=True)
        if not is_as_expected(request["gives"], verdict)
    ]

    assert not wrong, "\n".join(wrong)
    assert len(requests) >= 60


def is_as_expected(gives: str, verdict: dict[str, Any]) -> bool:
    if "error" in verdict or verdict["ignored"]:  # a key that is ignored proves nothing
        return False
    match gives:
        case "allowed":
            return bool(verdict["result"] == "Allowed")
        case "denied":
            return bool(verdict["result"] == "ImplicitlyDenied")
        case sid:
            return bool(verdict["result"] == "ExplicitlyDenied" and verdict["denies"] == [sid])


def test_every_deny_is_the_only_one_that_stops_some_request(
    policies: Policies, requests: list[dict[str, Any]]
) -> None:
    denies = {
        statement["Sid"]
        for document in policies.documents.values()
        for statement in document["Statement"]
        if statement["Effect"] == "Deny"
    }

    assert denies - {request["gives"] for request in requests} == set()


def test_no_statement_and_no_condition_can_go_unnoticed(
    evaluation: tuple[list[dict[str, Any]], list[tuple[str, dict[str, str]]]],
) -> None:
    """A policy without one of its statements, or one of its conditions, changes a verdict."""
    verdicts, mutants = evaluation
    survivors = [
        name
        for name, results in mutants
        if all(verdicts[int(index)].get("result") == result for index, result in results.items())
    ]

    print(f"{len(mutants) - len(survivors)} of {len(mutants)} mutants are killed")
    assert not survivors, "\n".join(survivors)
