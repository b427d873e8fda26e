"""Opens the pipelines of an environment for commands: AWS session, parameters, code and stack outputs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations, product
from typing import TYPE_CHECKING

import boto3

from helpers.aws import connect
from helpers.environments import Environment
from helpers.errors import UserError, one_per_line
from helpers.infra.stacks import stack_outputs
from helpers.s3 import overlap
from ml_pipeline.definitions import Registration, registration_of
from ml_pipeline.executions.target import Target, select_pipelines
from ml_pipeline.params import PipelineParams, SparkCode, code_hashes, load_parameters
from ml_pipeline.params.spark_code import hash_of
from ml_pipeline.pipelines import Pipeline

if TYPE_CHECKING:
    from helpers.spark.packages.bundle import Bundle


@dataclass(frozen=True)
class Project:
    """A pipeline in an environment."""

    environment: Environment
    session: boto3.Session
    pipeline: Pipeline
    code: SparkCode
    parameters: PipelineParams
    outputs: Mapping[str, str] = field(default_factory=dict)
    """The outputs of the environment's stacks."""

    @property
    def name(self) -> str:
        """The name of the pipeline in SageMaker."""
        return self.parameters.pipeline_name

    @property
    def target(self) -> Target:
        """The pipeline as the target of commands."""
        return Target(self.environment, self.pipeline.name, self.name)

    @property
    def code_hash(self) -> str:
        """The content hash of the code of all steps."""
        return combined_hash(code_hashes(self.environment, self.pipeline.name, self.code))

    @property
    def files(self) -> dict[str, bytes]:
        """The code files of all steps, by the S3 URI to which they are uploaded."""
        return {
            uri: self.code.read(name)
            for step in self.parameters.spark_steps.values()
            for uri, name in step.files.items()
        }

    @property
    def bundles(self) -> "dict[str, Bundle]":
        """The packages and jars of all steps, by the S3 URI of the folder to which they are uploaded."""
        return {
            step.package_folder: bundle
            for step in self.parameters.spark_steps.values()
            if step.package_folder and (bundle := self.code.bundle(step.requirements, step.jars))
        }

    @property
    def artifact_bucket(self) -> str:
        """The bucket for code, packages and the history of pipelines."""
        return self.parameters.artifact_bucket

    @cached_property
    def registration(self) -> Registration:
        """The attributes with which this checkout would register the pipeline."""
        return registration_of(self.pipeline, self.parameters)


def open_projects(environment: Environment, pipelines: str) -> list[Project]:
    """Connect to an environment, and read the parameters of one pipeline or all pipelines.

    Args:
        environment: the environment.
        pipelines: the name of a pipeline, or `all`.

    Raises:
        UserError: a stack is missing, parameters are not valid, or pipelines have the same name or output.
    """
    selected = select_pipelines(pipelines)
    session = connect(environment)
    outputs = stack_outputs(session.client("cloudformation"), environment)
    code = SparkCode()
    projects, problems = [], []
    for pipeline in selected:
        try:
            parameters = load_parameters(
                environment, outputs, pipeline.name, steps=pipeline.step_types, code=code
            )
        except UserError as error:
            problems.append(error.message)
        else:
            projects.append(Project(environment, session, pipeline, code, parameters, outputs))
    problems += _conflicts(projects)
    if problems:
        raise UserError(
            "\n".join(problems),
            hint=f"Correct the files in ml_pipeline/params, then run: make plan ENV={environment}",
        )
    return projects


def open_project(environment: Environment, pipeline: str) -> Project:
    """Connect to an environment, and read the parameters of one pipeline; see `open_projects`."""
    (project,) = open_projects(environment, pipeline)
    return project


def combined_hash(hashes: Mapping[str, str]) -> str:
    """Return one hash of several hashes. A single hash is returned unchanged."""
    if len(hashes) == 1:
        return next(iter(hashes.values()))
    return hash_of((name, value.encode()) for name, value in hashes.items())


def _conflicts(projects: Sequence[Project]) -> list[str]:
    """Return the conflicts between pipelines: equal names and overlapping outputs."""
    problems = []
    for one, other in combinations(projects, 2):
        both = f"{one.pipeline.name} and {other.pipeline.name}"
        if one.name == other.name:
            problems.append(f"pipeline_name {one.name} is in the parameter files of {both}; change one")
        problems += [
            f"outputs {taken} and {uri} in the parameter files of {both} overlap; change one"
            for taken, uri in product(one.parameters.outputs, other.parameters.outputs)
            if overlap(taken, uri)
        ]
    return [f"Pipelines conflict:{one_per_line(problems)}"] if problems else []
