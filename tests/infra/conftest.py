"""All stacks of the environment `local`, deployed on the embedded AWS."""

from collections.abc import Iterator
from dataclasses import replace

import boto3
import pytest
from rich.console import Console

from helpers.infra.stacks import StackConfiguration, load_stacks, teardown
from helpers.infra.stacks.deploy import deploy_all


@pytest.fixture(scope="module")
def stacks() -> tuple[StackConfiguration, ...]:
    return tuple(
        replace(
            stack,
            name=stack.name.replace("pyspark-processing", "templates"),
            parameters={**stack.parameters, "ProjectName": "templates"},
        )
        for stack in load_stacks("local")
    )


@pytest.fixture(scope="module")
def outputs(aws: boto3.Session, stacks: tuple[StackConfiguration, ...]) -> Iterator[dict[str, str]]:
    console = Console(quiet=True)
    yield deploy_all(aws.client("cloudformation"), stacks, console)
    teardown(aws, stacks, console)
    remaining = aws.client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"]
    names = [tag["Value"] for vpc in remaining for tag in vpc.get("Tags", []) if tag["Key"] == "Name"]
    assert "templates-local" not in names
