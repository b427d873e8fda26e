"""Names of an environment's pipelines in commands and messages."""

from dataclasses import dataclass

from helpers.command_line import make_command
from helpers.environments import Environment
from helpers.errors import UserError
from ml_pipeline.params import DEFAULT_PIPELINE, files, pipeline_name
from ml_pipeline.params.files import is_enabled, parameter_file
from ml_pipeline.pipelines import Pipeline, find_pipeline, pipeline_names

ALL = "all"
"""Selects all pipelines, instead of the name of one."""


@dataclass(frozen=True)
class Target:
    """A pipeline of an environment."""

    environment: Environment
    pipeline: str
    """Its name in this repository."""
    name: str
    """Its name in SageMaker."""

    def command(self, target: str, **variables: str) -> str:
        """Return the make command for this pipeline."""
        pipeline = {} if self.pipeline == DEFAULT_PIPELINE else {"PIPELINE": self.pipeline}
        return make_command(target, ENV=self.environment, **pipeline, **variables)


def shown_file(pipeline: str) -> str:
    """Return the path of a pipeline's parameter file for messages, relative to the root of the repository."""
    return parameter_file(pipeline).relative_to(files.FOLDER.parents[1]).as_posix()


def select_pipelines(name: str) -> list[Pipeline]:
    """Return the pipeline with a name, or all pipelines for `all`.

    Raises:
        UserError: the pipeline does not exist.
    """
    return [find_pipeline(each) for each in (pipeline_names() if name == ALL else (name,))]


def startable_pipelines(name: str, environment: Environment) -> list[Pipeline]:
    """Return the selected pipelines that are executed in an environment.

    Raises:
        UserError: the pipeline does not exist, or the only selected one is not executed there.
    """
    selected = select_pipelines(name)
    startable = [each for each in selected if is_enabled(environment, each.name)]
    if name != ALL and not startable:
        raise UserError(
            f"The pipeline {name} is not executed in {environment}: {shown_file(name)} has enabled = false",
            hint="Name another environment or pipeline, or remove enabled",
        )
    return startable


def targets(environment: Environment, pipelines: str) -> list[Target]:
    """Return pipelines by name, which needs no stack.

    Raises:
        UserError: the pipeline does not exist, or it has no name.
    """
    return [target_of(environment, each) for each in select_pipelines(pipelines)]


def target_of(environment: Environment, pipeline: Pipeline) -> Target:
    """Return a pipeline with its name in SageMaker.

    Raises:
        UserError: the pipeline has no name.
    """
    return Target(environment, pipeline.name, pipeline_name(environment, pipeline.name))
