"""All stacks, deployed on the embedded AWS, with their policies and the requests to evaluate."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import request_table
from checkers.rendering import render_all
from checkers.tools import (
    CDK_NAG,
    CHECKOV,
    CONTROL_TOWER,
    Result,
    run_cdk_nag,
    run_checkov,
    run_control_tower,
    run_on_policies,
)
from checkers.weakening import weakened_policies, weakened_templates
from policies import ACCOUNT, PREFIX, PROJECT, Policies, collect

from helpers.algorithm_images import algorithm_image_accounts
from helpers.infra.stacks import StackConfiguration, teardown
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.spark.images import spark_image_accounts
from tests.infra_folder import every_stack
from tests.quiet_console import QuietConsole

BREAK_GLASS = f"arn:aws:iam::{ACCOUNT}:role/break-glass"


FIGURES = "figures"


@pytest.fixture
def report(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Prints a line at the end of the run, whether the test passes or not."""
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
    console = QuietConsole()
    yield deploy_all(aws.client("cloudformation"), stacks, console)
    teardown(aws, stacks, console)


@pytest.fixture(scope="session")
def rendered(
    aws: boto3.Session,
    stacks: tuple[StackConfiguration, ...],
    outputs: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """A folder with the deployed and the weakened templates, so that one run of a checker covers both."""
    folder = tmp_path_factory.mktemp("rendered")
    # A year, the default of the template; environments with a shorter retention set it in their files.
    yearly = tuple(replace(each, parameters={**each.parameters, "FlowLogDays": "365"}) for each in stacks)
    templates = render_all(yearly, outputs, aws.region_name)
    for name, template in {**templates, **weakened_templates(templates)}.items():
        (folder / f"{name}.json").write_text(json.dumps(template), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def policies(aws: boto3.Session, outputs: dict[str, str]) -> Policies:
    return collect(aws)


@pytest.fixture(scope="session")
def results(rendered: Path, policies: Policies) -> Mapping[str, Result]:
    """The result of each checker."""
    of_roles = {name for names in policies.of_role.values() for name in names} | {*policies.boundary.values()}
    asked = {
        "identity": {name: policies.documents[name] for name in of_roles} | weakened_policies(),
        "resource": {name: each for name, each in policies.documents.items() if name not in of_roles},
    }
    return {
        CHECKOV: run_checkov(rendered),
        CONTROL_TOWER: run_control_tower(rendered),
        CDK_NAG: run_cdk_nag(rendered),
        **dict(run_on_policies(asked)),
    }


@pytest.fixture(scope="session")
def requests(aws: boto3.Session, policies: Policies, outputs: dict[str, str]) -> list[dict[str, Any]]:
    ec2, subnets = aws.client("ec2"), outputs["PrivateSubnetIds"].split(",")
    in_vpc = {"Name": "vpc-id", "Values": [outputs["VpcId"]]}
    (default,) = ec2.describe_security_groups(
        Filters=[in_vpc, {"Name": "group-name", "Values": ["default"]}]
    )["SecurityGroups"]
    of_vpc = [{"Name": "resource-id", "Values": [outputs["VpcId"]]}]
    (flow_log,) = ec2.describe_flow_logs(Filters=of_vpc)["FlowLogs"]
    (trail,) = (
        each
        for each in aws.client("cloudtrail").describe_trails()["trailList"]
        if each["Name"] == f"{PREFIX}-data-events"
    )
    rules = aws.client("events").list_rules(NamePrefix=f"{PREFIX}-")["Rules"]
    names = {
        **outputs,
        **{f"{rule['Name'].split('-')[3]}Arn": rule["Arn"] for rule in rules},
        "Account": ACCOUNT,
        "Region": aws.region_name,
        "ImageAccount": spark_image_accounts()[aws.region_name],
        "AlgorithmAccount": algorithm_image_accounts()[aws.region_name],
        "Prefix": PREFIX,
        "Project": PROJECT,
        "Subnet0": subnets[0],
        "Subnet1": subnets[1],
        "BreakGlass": BREAK_GLASS,
        "DefaultGroup": default["GroupId"],
        "TrailLogGroupArn": trail["CloudWatchLogsLogGroupArn"].removesuffix(":*"),
        "FlowLogGroupArn": f"arn:aws:logs:{aws.region_name}:{ACCOUNT}:log-group:{flow_log['LogGroupName']}",
    }
    return request_table.load(policies, names)
