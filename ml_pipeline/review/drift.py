"""Detects drift between an environment and this checkout, and scorings that published nothing.

Drift is rendered as text or JSON.
"""

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
from ml_pipeline.review.scoring import Scoring, scoring_of
from ml_pipeline.review.scoring import as_document as scoring_document
from ml_pipeline.review.scoring import lines as scoring_lines

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Drift:
    """The drift of an environment."""

    environment: str
    stacks: Sequence[StackDrift]
    pipelines: Sequence[tuple[Target, PipelineDrift]]
    scoring: Sequence[tuple[Target, Scoring]] = ()
    """The scoring pipelines, with the latest execution if it published nothing."""
    waiting: str = ""
    """Why the pipelines were not compared: stacks are missing."""

    def __bool__(self) -> bool:
        """Return whether there is drift, or whether a stack could not be compared."""
        return (
            any(self.stacks)
            or any(drift for _, drift in self.pipelines)
            or any(not scoring.published for _, scoring in self.scoring)
        )


def environment_drift(environment: Environment, pipelines: str) -> Drift:
    """Return the drift of an environment's stacks and pipelines. Nothing is changed.

    Args:
        environment: the environment.
        pipelines: the name of a pipeline, or `all`.

    Raises:
        UserError: the parameters of a stack or a pipeline are not valid.
    """
    session = connect(environment)
    stacks = find_drift(
        session.client("cloudformation"),
        session.client("iam"),
        with_regional_values(session.client("ec2"), load_stacks(environment)),
    )
    waiting = waits_for(session, environment)
    projects = [] if waiting else open_projects(environment, pipelines)
    sagemaker = session.client("sagemaker")
    return Drift(
        environment,
        stacks,
        [(each.target, _of_pipeline(each)) for each in projects],
        [
            (each.target, scoring_of(sagemaker, each.target))
            for each in projects
            if each.parameters.needs_active_model
        ],
        waiting,
    )


def as_document(drift: Drift) -> dict[str, Any]:
    """Return the drift as a JSON document."""
    return {
        **stacks_document(drift.environment, drift.stacks),
        "drifted": bool(drift),
        "pipelines": [pipeline_document(each) for _, each in drift.pipelines],
        "scoring": [scoring_document(each) for _, each in drift.scoring],
    }


def show(drift: Drift, console: "Console") -> None:
    """Print the drift."""
    show_drift(drift.environment, drift.stacks, console)
    if drift.waiting:
        print_line(console, drift.waiting)
    for target, pipeline in drift.pipelines:
        for line in lines(pipeline, target):
            print_line(console, line)
    for target, scoring in drift.scoring:
        for line in scoring_lines(scoring, target):
            print_line(console, line)


def _of_pipeline(project: Project) -> PipelineDrift:
    there = registered(project.session.client("sagemaker"), project.name)
    folder = history_folder(project.pipeline.name)
    newest = next(entries(project.session.client("s3"), project.artifact_bucket, folder), None)
    return pipeline_drift(project.name, there, newest, project.registration)
