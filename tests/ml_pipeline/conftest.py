"""Parameters, definitions that are built once, and a small project with its stacks."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from helpers.aws import Session
from helpers.environments import Environment
from helpers.infra.stacks.configuration import load_stacks
from helpers.infra.stacks.outputs import stack_outputs
from ml_pipeline import definitions
from ml_pipeline.executions.target import Target
from ml_pipeline.params import (
    DEFAULT_PIPELINE,
    PipelineParams,
    ProcessingParams,
    SparkCode,
    load_parameters,
)
from tests.ml_pipeline.building import OUTPUTS, BuiltElsewhere, build_elsewhere
from tests.ml_pipeline.small_project import FIRST, PIPELINE, REGION, inside, write_project


@pytest.fixture(scope="session")
def outputs() -> dict[str, str]:
    """Outputs of stacks that do not exist."""
    return OUTPUTS


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small project."""
    return write_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="session")
def parameters(outputs: dict[str, str], project: Path) -> ProcessingParams:
    """The parameters of the small project's pipeline in local, for stacks that do not exist."""
    code = SparkCode(project / "spark_jobs")
    found = load_parameters("local", outputs, folder=project / "params", code=code)
    assert isinstance(found, ProcessingParams)
    return found


@pytest.fixture(scope="session")
def definition_text(parameters: PipelineParams, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The definition of the small project's pipeline, built once per session without a cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(definitions, "CACHE", tmp_path_factory.mktemp("definitions"))
        return definitions.pipeline_definition(FIRST, parameters)


@pytest.fixture(scope="session")
def definition(definition_text: str) -> dict[str, Any]:
    """The parsed definition; tests must not change it."""
    found: dict[str, Any] = json.loads(definition_text)
    return found


@pytest.fixture(scope="session")
def built_elsewhere(
    outputs: dict[str, str], tmp_path_factory: pytest.TempPathFactory, repository: Path
) -> BuiltElsewhere:
    """The definition of the repository's first pipeline in local, built by another process."""
    parameters = load_parameters("local", outputs)
    return build_elsewhere(parameters, tmp_path_factory.mktemp("elsewhere"), repository)


@pytest.fixture(scope="module")
def small_project(project: Path) -> Iterator[None]:
    """Work in the small project, with its environments local, trial, live and previews."""
    with inside(project):
        yield


@pytest.fixture(scope="session")
def small_stacks(aws: boto3.Session, role: str, project: Path) -> None:
    """The stacks of the small project's long-lived environments."""
    cloudformation = aws.client("cloudformation", region_name=REGION)
    with inside(project):
        for environment in ("local", "trial", "live"):
            for stack in load_stacks(Environment(environment)):
                cloudformation.create_stack(
                    StackName=stack.name,
                    TemplateBody=stack.template,
                    Parameters=[
                        {"ParameterKey": key, "ParameterValue": value}
                        for key, value in stack.parameters.items()
                    ],
                )


@pytest.fixture(scope="module")
def stack(small_stacks: None, small_project: None) -> Iterator[boto3.Session]:
    """A session in the region of the small project, which is also the default of this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            patch.setenv(name, REGION)
        yield Session(REGION)


@pytest.fixture(scope="module")
def stack_values(stack: boto3.Session) -> Mapping[str, str]:
    """The outputs of the stacks of local."""
    return stack_outputs(stack.client("cloudformation"), Environment("local"))


@pytest.fixture
def stack_parameters(stack_values: Mapping[str, str]) -> ProcessingParams:
    """The parameters of local, for its stacks."""
    found = load_parameters("local", stack_values)
    assert isinstance(found, ProcessingParams)
    return found


@pytest.fixture
def target_of(small_project: None) -> Callable[..., Target]:
    """Returns a pipeline of an environment of the small project, by default the existing one."""

    def target(environment: str, name: str = "") -> Target:
        return Target(Environment(environment), DEFAULT_PIPELINE, name or f"{PIPELINE}-{environment}")

    return target
