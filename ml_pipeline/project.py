"""What every command works on: an environment, its parameters, the code of this checkout."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import boto3

from helpers.aws import connect
from helpers.environments import Environment
from helpers.infra.stacks import stack_outputs
from ml_pipeline.params import PipelineParams, load_parameters
from ml_pipeline.pipeline import DESCRIPTION, pipeline_definition
from ml_pipeline.registration import Registration
from ml_pipeline.s3_uri import parse
from ml_pipeline.staging import code_hash, read_code

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Project:
    """An environment with everything that its commands work on."""

    environment: Environment
    session: boto3.Session
    code: Mapping[str, bytes]
    parameters: PipelineParams
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Of the environment's stacks."""

    @property
    def name(self) -> str:
        """The name of the pipeline."""
        return self.parameters.pipeline_name

    @property
    def code_hash(self) -> str:
        """The hash of the code in this checkout."""
        return code_hash(self.code)

    @property
    def artifact_bucket(self) -> str:
        """The bucket that code is staged in, and history kept."""
        return parse(self.parameters.pyspark_process_code).bucket

    @cached_property
    def registration(self) -> Registration:
        """The pipeline as this checkout has it. Building it takes some seconds."""
        return Registration(
            pipeline_definition(self.parameters),
            DESCRIPTION,
            self.parameters.pipeline_role,
            self.parameters.tags,
        )


def open_project(environment: Environment) -> Project:
    """Connect to an environment and read its parameters.

    Raises:
        UserError: there is no stack, or the parameters are not valid.
    """
    session = connect(environment)
    outputs = stack_outputs(session.client("cloudformation"), environment)
    code = read_code()
    parameters = load_parameters(environment, outputs, code_hash(code))
    return Project(environment, session, code, parameters, outputs)


def say(console: "Console", text: str) -> None:
    """Print text as it is: no markup, no wrapping of what people copy."""
    console.print(text, markup=False, highlight=False, soft_wrap=True)
