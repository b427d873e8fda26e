"""Links to the AWS console, and commands, which also work on the embedded AWS."""

from typing import TYPE_CHECKING
from urllib.parse import quote

from helpers.s3 import join
from ml_pipeline.execution_report.model import Link

if TYPE_CHECKING:
    from ml_pipeline.executions.outcome import StepOutcome
    from ml_pipeline.project import Project


def execution_links(project: "Project", arn: str) -> tuple[Link, ...]:
    """Return the links and commands of an execution."""
    command = project.target.command("verify")
    return (Link("Verify outputs, checks and encryption", command=command), *_console(project, arn))


def step_links(project: "Project", arn: str, outcome: "StepOutcome") -> tuple[Link, ...]:
    """Return the links and commands for the log, Spark UI and report of a step's job, if it has a job."""
    if not outcome.job:
        return ()
    options = {"STEP": outcome.step.name, "ARGS": f"--execution {outcome.step.reused_from or arn}"}
    links = [Link("Log", _log_url(project, outcome), project.target.command("logs", **options))]
    if outcome.event_logs:
        links += [
            Link("Spark UI", command=project.target.command("spark-ui", **options)),
            Link("Spark event log", command=f"aws s3 ls {join(outcome.event_logs)}/"),
        ]
    if outcome.report:
        links.append(Link("Report of the job", command=f"aws s3 cp {outcome.report_uri} -"))
    return tuple(links)


def _console_host(project: "Project") -> str:
    """Return the host of the AWS console in the region, or an empty string on the embedded AWS."""
    client = project.session.client("sagemaker").meta
    is_aws = str(client.endpoint_url).endswith(".amazonaws.com")
    return f"{client.region_name}.console.aws.amazon.com" if is_aws else ""


def _console(project: "Project", arn: str) -> tuple[Link, ...]:
    host = _console_host(project)
    region = project.session.region_name
    url = f"https://{host}/sagemaker/home?region={region}#/pipelines/{quote(arn, safe='')}"
    return (Link("Execution in the AWS console", url),) if host else ()


def _log_url(project: "Project", outcome: "StepOutcome") -> str:
    host = _console_host(project)
    if not host:
        return ""
    names = outcome.job_kind.log_group, outcome.job
    group, prefix = (quote(quote(text, safe=""), safe="").replace("%", "$") for text in names)
    region = project.session.region_name
    return (
        f"https://{host}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}"
        f"$3FlogStreamNameFilter$3D{prefix}"
    )
