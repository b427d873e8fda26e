"""All stacks, deployed on the embedded AWS, with their policies and the requests to hold against them."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
import request_table
from policies import ACCOUNT, PROJECT, Policies, collect
from rich.console import Console

from helpers.infra.stacks import load_stacks, teardown
from helpers.infra.stacks.deploy import deploy_all

BREAK_GLASS = f"arn:aws:iam::{ACCOUNT}:role/break-glass"


@pytest.fixture(scope="session")
def outputs(aws: boto3.Session) -> Iterator[dict[str, str]]:
    given = {"ProjectName": PROJECT, "BreakGlassPrincipalArns": BREAK_GLASS, "ProtectsBoundaries": "true"}
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


@pytest.fixture(scope="session")
def policies(aws: boto3.Session, outputs: dict[str, str]) -> Policies:
    return collect(aws, f"{PROJECT}-local", outputs)


@pytest.fixture(scope="session")
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
        "Project": PROJECT,
        "Subnet0": subnets[0],
        "Subnet1": subnets[1],
        "BreakGlass": BREAK_GLASS,
        "DefaultGroup": default["GroupId"],
        "FlowLogGroupArn": f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{flow_log['LogGroupName']}",
    }
    return request_table.load(policies, names)
