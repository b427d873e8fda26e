"""The group of an environment: the model whose versions are registered there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from helpers.aws import connect
from helpers.command_line import make_command
from helpers.environments import Environment
from helpers.errors import UserError
from helpers.infra.stacks import stack_outputs
from helpers.infra.stacks.configuration import StackConfiguration, load_stacks
from ml_pipeline.registry.packages import Package, list_packages

if TYPE_CHECKING:
    from boto3 import Session
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient

GROUP_OUTPUT = "ModelPackageGroupName"
"""The output of the stack `models` that names the group."""


@dataclass(frozen=True)
class ModelGroup:
    """A model package group of an environment."""

    environment: Environment
    session: "Session"
    name: str
    image_accounts: frozenset[str]
    """The accounts that images of jobs and models may come from."""
    artifact_bucket: str
    scoring_pipeline: str = ""
    """The pipeline that an approval starts; empty if it starts none."""

    @property
    def sagemaker(self) -> "SageMakerClient":
        """A client."""
        return self.session.client("sagemaker")

    @property
    def s3(self) -> "S3Client":
        """A client."""
        return self.session.client("s3")

    def command(self, target: str, **variables: str) -> str:
        """Return the make command that a person types for this environment."""
        return make_command(target, ENV=self.environment, **variables)

    def find(self, version: int) -> Package:
        """Return a version.

        Raises:
            UserError: there is no such version, or no such group.
        """
        versions = []
        for package in list_packages(self.sagemaker, self.name):
            if package.version == version:
                return package
            versions.append(str(package.version))
        known = f"it has {', '.join(reversed(versions))}" if versions else "it has none yet"
        raise UserError(
            f"{self.name} has no version {version}; {known}",
            hint=f"List the versions with: {self.command('models')}",
        )


def open_group(environment: Environment) -> ModelGroup:
    """Connect to an environment and return its group.

    Raises:
        UserError: a stack is missing, or the environment has no stack `models`.
    """
    session = connect(environment)
    outputs = stack_outputs(session.client("cloudformation"), environment)
    return ModelGroup(
        environment,
        session,
        group_name(outputs, environment),
        _image_accounts(environment),
        outputs["ArtifactBucketName"],
        scoring_pipeline(load_stacks(environment)),
    )


def group_name(outputs: Mapping[str, str], environment: Environment) -> str:
    """Return the name of the group by the outputs of an environment's stacks.

    Raises:
        UserError: the environment has no stack `models`.
    """
    if name := outputs.get(GROUP_OUTPUT):
        return name
    raise UserError(
        f"{environment} has no model registry",
        hint=f"Add models to Stacks in infra/parameters/{environment.file}, and deploy it with: "
        f"{make_command('deploy', ENV=environment)}",
    )


def _image_accounts(environment: Environment) -> frozenset[str]:
    values = (stack.parameters.get("ImageAccountIds", "") for stack in load_stacks(environment))
    return frozenset(account for value in values for account in value.split(",") if account)


def scoring_pipeline(stacks: Iterable[StackConfiguration]) -> str:
    """Return the pipeline that an approval starts by the parameters of stacks; empty if it starts none."""
    values = (stack.parameters.get("ScoringPipelineName", "") for stack in stacks)
    return next(filter(None, values), "")
