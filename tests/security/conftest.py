"""All stacks, deployed on the embedded AWS, with their policies and the requests to hold against them."""

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
import request_table
from policies import ACCOUNT, PREFIX, PROJECT, Policies, collect
from rich.console import Console

from helpers.infra.stacks import StackConfiguration, teardown
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.spark.images import spark_image_accounts
from tests.infra_folder import every_stack

BREAK_GLASS = f"arn:aws:iam::{ACCOUNT}:role/break-glass"


FIGURES = "figures"


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Has a line told at the end of the run, whether the test passes or not."""
    return lambda line: record_property(FIGURES, line)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = [
        value
        for outcome in ("passed", "failed")
        for test in terminalreporter.getreports(outcome)
        for name, value in test.user_properties
        if name == FIGURES
    ]
    if lines:
        terminalreporter.section("figures")
    for line in lines:
        terminalreporter.write_line(str(line))


@pytest.fixture(scope="session")
def stacks(aws: boto3.Session) -> tuple[StackConfiguration, ...]:
    given = {"BreakGlassPrincipalArns": BREAK_GLASS, "ProtectsBoundaries": "true"}
    return with_regional_values(aws.client("ec2"), every_stack(PROJECT, **given))


@pytest.fixture(scope="session")
def outputs(aws: boto3.Session, stacks: tuple[StackConfiguration, ...]) -> Iterator[dict[str, str]]:
    console = Console(quiet=True)
    yield deploy_all(aws.client("cloudformation"), stacks, console)
    teardown(aws, stacks, console)


@pytest.fixture(scope="session")
def policies(aws: boto3.Session, outputs: dict[str, str]) -> Policies:
    return collect(aws)


@pytest.fixture(scope="session")
def requests(aws: boto3.Session, policies: Policies, outputs: dict[str, str]) -> list[dict[str, Any]]:
    ec2, subnets = aws.client("ec2"), outputs["PrivateSubnetIds"].split(",")
    in_vpc = {"Name": "vpc-id", "Values": [outputs["VpcId"]]}
    (default,) = ec2.describe_security_groups(
        Filters=[in_vpc, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    of_vpc = [{"Name": "resource-id", "Values": [outputs["VpcId"]]}]
    (flow_log,) = ec2.describe_flow_logs(Filters=of_vpc)["FlowLogs"]
    rules = aws.client("events").list_rules(NamePrefix=f"{PREFIX}-operations-")["Rules"]
    names = {
        **outputs,
        **{f"{rule['Name'].split('-')[3]}Arn": rule["Arn"] for rule in rules},
        "Account": ACCOUNT,
        "Region": aws.region_name,
        "ImageAccount": spark_image_accounts()[aws.region_name],
        "Prefix": PREFIX,
        "Project": PROJECT,
        "Subnet0": subnets[0],
        "Subnet1": subnets[1],
        "BreakGlass": BREAK_GLASS,
        "DefaultGroup": default["GroupId"],
        "FlowLogGroupArn": f"arn:aws:logs:{aws.region_name}:{ACCOUNT}:log-group:{flow_log['LogGroupName']}",
    }
    return request_table.load(policies, names)
