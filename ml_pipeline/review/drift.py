"""What differs between an environment and this checkout: computed here, rendered as text or JSON."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.aws import connect
from helpers.command_line import print_line
from helpers.environments import Environment
from helpers.infra.stacks.configuration import load_stacks
from helpers.infra.stacks.drift import StackDrift, find_drift, show_drift
from helpers.infra.stacks.drift import as_document as stacks_document
from helpers.infra.stacks.regional_values import with_regional_values
from ml_pipeline.executions.target import Target
from ml_pipeline.project import Project, open_projects
from ml_pipeline.releases.history import entries, history_folder
from ml_pipeline.releases.registration import registered
from ml_pipeline.review.pipeline_drift import PipelineDrift, lines, pipeline_drift
from ml_pipeline.review.pipeline_drift import as_document as pipeline_document
from ml_pipeline.review.plan import waits_for

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Drift:
    """What differs in an environment."""

    environment: str
    stacks: Sequence[StackDrift]
    pipelines: Sequence[tuple[Target, PipelineDrift]]
    waiting: str = ""
    """Why the pipelines were not compared: the stacks come first."""

    def __bool__(self) -> bool:
        """Return whether there is any drift, or may be."""
        return any(self.stacks) or any(drift for _, drift in self.pipelines)


def environment_drift(environment: Environment, pipelines: str) -> Drift:
    """Return the drift of the stacks, and of a pipeline or `all`; nothing is changed."""
    session = connect(environment)
    stacks = find_drift(
        session.client("cloudformation"),
        session.client("iam"),
        with_regional_values(session.client("ec2"), load_stacks(environment)),
    )
    waiting = waits_for(session, environment)
    found = (
        []
        if waiting
        else [(each.target, _of_pipeline(each)) for each in open_projects(environment, pipelines)]
    )
    return Drift(environment, stacks, found, waiting)


def as_document(drift: Drift) -> dict[str, Any]:
    """Return the drift for programs."""
    return {
        **stacks_document(drift.environment, drift.stacks),
        "drifted": bool(drift),
        "pipelines": [pipeline_document(each) for _, each in drift.pipelines],
    }


def show(drift: Drift, console: "Console") -> None:
    """Print the drift."""
    show_drift(drift.environment, drift.stacks, console)
    if drift.waiting:
        print_line(console, drift.waiting)
    for target, pipeline in drift.pipelines:
        for line in lines(pipeline, target):
            print_line(console, line)


def _of_pipeline(project: Project) -> PipelineDrift:
    there = registered(project.session.client("sagemaker"), project.name)
    folder = history_folder(project.pipeline.name)
    newest = next(entries(project.session.client("s3"), project.artifact_bucket, folder), None)
    return pipeline_drift(project.name, there, newest, project.registration)
