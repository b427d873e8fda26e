"""The commands that delete: the pipeline, and the whole environment with it."""

from typing import TYPE_CHECKING
from uuid import uuid4

from helpers.aws import connect
from helpers.environments import Environment, is_preview
from helpers.errors import UserError
from helpers.infra.stacks.configuration import load_stacks
from helpers.infra.stacks.teardown import refuse_protected, teardown
from ml_pipeline.executions import list_executions, stop
from ml_pipeline.invocation import invocation
from ml_pipeline.params import pipeline_name
from ml_pipeline.project import Project, say
from ml_pipeline.registration import registered
from ml_pipeline.waiting import wait

if TYPE_CHECKING:
    from boto3 import Session
    from rich.console import Console


def delete(project: Project, console: "Console") -> int:
    """Delete the pipeline; what it has written stays."""
    _delete_pipeline(project.session, project.name, project.environment, console)
    return 0


def _delete_pipeline(session: "Session", name: str, environment: Environment, console: "Console") -> None:
    """Delete a pipeline, if there is one.

    Raises:
        UserError: an execution runs. That of a preview is stopped instead: nobody waits for it.
    """
    sagemaker = session.client("sagemaker")
    if registered(sagemaker, name) is None:
        say(console, f"There is no pipeline {name}.")
        return
    for running in [e for e in list_executions(sagemaker, name, environment) if e.active]:
        if not is_preview(environment):
            stopping = invocation(environment, "stop")
            raise UserError(f"An execution is {running.status}: {running.arn}. Stop it first: {stopping}")
        stop(sagemaker, running.arn)
        wait(sagemaker, session.client("logs"), running.arn, console)
    sagemaker.delete_pipeline(PipelineName=name, ClientRequestToken=str(uuid4()))
    say(console, f"Pipeline {name} deleted.")


def tear_down(
    environment: Environment,
    console: "Console",
    *,
    ask: bool,
    allow_protected: bool = False,
    with_github: bool = False,
) -> int:
    """Delete the pipeline, then the stacks that it stands on; GitHub's way in only when asked."""
    stacks = load_stacks(environment)
    refuse_protected(stacks, allowed=allow_protected)
    session = connect(environment)
    name = pipeline_name(environment)
    teardown(
        session,
        stacks,
        console,
        confirm=input if ask else None,
        before=lambda: _delete_pipeline(session, name, environment, console),
        with_github=with_github,
    )
    return 0
