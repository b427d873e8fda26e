"""A stack of each template, deployed on the embedded AWS."""

from collections.abc import Iterator

import boto3
import pytest

from helpers.infra.stacks import StackConfiguration, teardown
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.regional_values import with_regional_values
from tests.infra_folder import every_stack
from tests.quiet_console import QuietConsole

UNWEAKENED = "settings without security meaning"


@pytest.fixture(scope="module")
def stacks(aws: boto3.Session) -> tuple[StackConfiguration, ...]:
    return with_regional_values(aws.client("ec2"), every_stack("templates"))


@pytest.fixture(scope="module")
def outputs(aws: boto3.Session, stacks: tuple[StackConfiguration, ...]) -> Iterator[dict[str, str]]:
    console = QuietConsole()
    yield deploy_all(aws.client("cloudformation"), stacks, console)
    teardown(aws, stacks, console)
    remaining = aws.client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"]
    names = [tag["Value"] for vpc in remaining for tag in vpc.get("Tags", []) if tag["Key"] == "Name"]
    assert "templates-local" not in names


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Report the number of weakenings that tests detected, and of settings that are not weakened."""
    ended = {
        outcome: [
            report
            for report in terminalreporter.getreports(outcome)
            if "test_weakened_templates.py" in report.nodeid
        ]
        for outcome in ("passed", "failed", "error")
    }
    every = [report for reports in ended.values() for report in reports]
    weakened = {each.nodeid for each in every if "turns_its_test_red" in each.nodeid}
    unnoticed = {each.nodeid for outcome in ("failed", "error") for each in ended[outcome]} & weakened
    listed = [value for each in every for name, value in each.user_properties if name == UNWEAKENED]
    if weakened:
        noticed = f"{len(weakened - unnoticed)} of {len(weakened)} weakenings turn a test red"
        terminalreporter.write_line(f"{noticed}; {sum(listed)} settings listed as without security meaning")
