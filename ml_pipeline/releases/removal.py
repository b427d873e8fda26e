"""Deletes pipelines, or a complete environment."""

from typing import TYPE_CHECKING
from uuid import uuid4

from helpers.aws import connect
from helpers.command_line import print_line
from helpers.environments import Environment
from helpers.errors import UserError
from helpers.infra.stacks.configuration import load_stacks
from helpers.infra.stacks.teardown import reject_protected, teardown
from helpers.project_settings import project_settings
from ml_pipeline.executions.executions import active_executions, stop
from ml_pipeline.executions.target import ALL, Target, targets
from ml_pipeline.executions.waiting import wait
from ml_pipeline.releases.registration import registered

if TYPE_CHECKING:
    from boto3 import Session
    from rich.console import Console


def delete_pipeline(session: "Session", target: Target, console: "Console") -> None:
    """Delete a pipeline if it exists; its outputs are kept.

    Raises:
        UserError: an execution is running. Executions of previews are stopped instead.
    """
    sagemaker = session.client("sagemaker")
    if registered(sagemaker, target.name) is None:
        print_line(console, f"There is no pipeline {target.name}.")
        return
    for running in active_executions(sagemaker, target):
        if not target.environment.is_preview:
            raise UserError(
                f"An execution is {running.status}: {running.arn}",
                hint=f"Stop it first with: {target.command('stop')}",
            )
        stop(sagemaker, running.arn)
        wait(session, running.arn, target, console)
    sagemaker.delete_pipeline(PipelineName=target.name, ClientRequestToken=str(uuid4()))
    print_line(console, f"Pipeline {target.name} deleted.")


def tear_down(
    environment: Environment,
    console: "Console",
    *,
    ask: bool,
    allow_protected: bool = False,
    with_github: bool = False,
) -> None:
    """Delete the pipelines, then the stacks; delete the stack of GitHub's roles only on request."""
    stacks = load_stacks(environment)
    reject_protected(stacks, allowed=allow_protected)
    session = connect(environment)
    known = targets(environment, ALL)

    def delete_pipelines() -> None:
        for target in [*known, *_former_pipelines(session, environment, known)]:
            delete_pipeline(session, target, console)

    teardown(
        session,
        stacks,
        console,
        confirm=input if ask else None,
        before=delete_pipelines,
        with_github=with_github,
    )


def _former_pipelines(session: "Session", environment: Environment, known: list[Target]) -> list[Target]:
    """Return the environment's pipelines that no longer have a module in this checkout."""
    sagemaker = session.client("sagemaker")
    wanted = {"Project": project_settings().project_name, "Environment": str(environment)}
    found = []
    for page in sagemaker.get_paginator("list_pipelines").paginate():
        for pipeline in page["PipelineSummaries"]:
            name, arn = pipeline["PipelineName"], pipeline["PipelineArn"]
            if not name.endswith(f"-{environment}") or name in {each.name for each in known}:
                continue
            pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
            tags = {tag["Key"]: tag["Value"] for each in pages for tag in each["Tags"]}
            if wanted.items() <= tags.items():
                found.append(Target(environment, name, name))
    return found
