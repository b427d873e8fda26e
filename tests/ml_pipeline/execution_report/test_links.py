"""Links of a report: the console on AWS, commands in all environments."""

from types import SimpleNamespace
from typing import Any

import pytest

from helpers.environments import Environment
from ml_pipeline.execution_report.links import execution_links, step_links
from ml_pipeline.executions.executions import Step
from ml_pipeline.executions.job_report import Report
from ml_pipeline.executions.outcome import StepOutcome
from ml_pipeline.executions.target import Target
from ml_pipeline.params import DEFAULT_PIPELINE

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/execution/w1sz65lhdni1"


def project(endpoint: str) -> Any:
    client = SimpleNamespace(meta=SimpleNamespace(endpoint_url=endpoint, region_name="eu-west-1"))
    return SimpleNamespace(
        target=Target(Environment("local"), DEFAULT_PIPELINE, "p"),
        session=SimpleNamespace(client=lambda service: client, region_name="eu-west-1"),
    )


AWS, EMBEDDED = project("https://api.sagemaker.eu-west-1.amazonaws.com"), project("http://127.0.0.1:4566")
REPORT = Report(version=2, application_id="app", outputs={})
FULL = StepOutcome(
    Step("clean", "Succeeded"),
    job="pipelines-x-clean-1",
    event_logs="s3://b/logs",
    report=REPORT,
    report_uri="s3://b/report.json",
)


def test_on_aws_the_log_is_a_page_of_the_console_too() -> None:
    log, ui, event_log, of_job = step_links(AWS, ARN, FULL)

    assert log.url == (
        "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/"
        "$252Faws$252Fsagemaker$252FProcessingJobs$3FlogStreamNameFilter$3Dpipelines-x-clean-1"
    )
    assert log.command == f"make logs ENV=local STEP=clean ARGS='--execution {ARN}'"
    assert ui.command == f"make spark-ui ENV=local STEP=clean ARGS='--execution {ARN}'"
    assert (event_log.command, of_job.command) == ("aws s3 ls s3://b/logs/", "aws s3 cp s3://b/report.json -")
    assert execution_links(AWS, ARN)[1].url.startswith("https://eu-west-1.console.aws.amazon.com/sagemaker/")


def test_on_the_embedded_aws_there_are_commands_only() -> None:
    assert [link.url for link in (*step_links(EMBEDDED, ARN, FULL), *execution_links(EMBEDDED, ARN))] == [
        ""
    ] * 5


def test_the_log_of_a_reused_result_is_that_of_its_execution() -> None:
    reused = StepOutcome(Step("clean", "Succeeded", reused_from="arn:earlier"), job="job")

    (log,) = step_links(EMBEDDED, ARN, reused)

    assert log.command.endswith("ARGS='--execution arn:earlier'")


@pytest.mark.parametrize("project", [AWS, EMBEDDED])
def test_without_a_job_there_is_nothing_to_lead_to(project: Any) -> None:
    assert step_links(project, ARN, StepOutcome(Step("clean", "Failed"))) == ()
