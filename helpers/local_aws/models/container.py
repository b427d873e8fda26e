"""The container of a model, from its own definition or from an approved model package."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.local_aws.api.response import ApiError
from helpers.local_aws.registry.model_package import APPROVED, ModelPackage
from helpers.local_aws.xgboost_container.container import image_problem

_NOT_SERVED = ("SAGEMAKER_INFERENCE_OUTPUT", "SAGEMAKER_MULTI_MODEL")


@dataclass(frozen=True)
class ModelContainer:
    """The container that serves a model.

    Attributes:
        model_data_url: URL of the model artifacts, if any.
        environment: the environment variables of the container.
    """

    image: str
    model_data_url: str | None
    environment: Mapping[str, str]


def own_container(definition: Mapping[str, Any]) -> ModelContainer:
    """Return the container of a ContainerDefinition that names an image."""
    return ModelContainer(
        definition["Image"], definition.get("ModelDataUrl"), definition.get("Environment") or {}
    )


def container_of_package(definition: Mapping[str, Any], package: ModelPackage) -> ModelContainer:
    """Return the container of a ContainerDefinition that names a package, with the variables of both.

    Raises:
        ApiError: ValidationException if the package is not approved or cannot be served, or if the definition
            sets members that the package defines.
    """
    if twice := [name for name in ("Image", "ModelDataUrl") if definition.get(name)]:
        raise ApiError(
            "ValidationException",
            f"PrimaryContainer has ModelPackageName and {' and '.join(twice)}, which the package gives",
        )
    if package.approval_status != APPROVED:
        raise ApiError(
            "ValidationException",
            f"The model package {package.arn} is {package.approval_status}; its ModelApprovalStatus must be "
            f"{APPROVED} to deploy the model",
        )
    containers = (package.content.get("InferenceSpecification") or {}).get("Containers") or []
    if len(containers) != 1:
        raise ApiError(
            "ValidationException",
            f"The embedded AWS serves model packages of one container; {package.arn} has {len(containers)}",
        )
    (container,) = containers
    environment = {**(container.get("Environment") or {}), **(definition.get("Environment") or {})}
    return ModelContainer(container["Image"], container.get("ModelDataUrl"), environment)


def container_problems(container: ModelContainer, variables: Mapping[str, str]) -> Iterator[str]:
    """Yield why a model's container is not executed.

    Args:
        container: the container of the model.
        variables: the variables that a request adds.
    """
    if problem := image_problem(container.image):
        yield problem
    environment = {**container.environment, **variables}
    if program := environment.get("SAGEMAKER_PROGRAM"):
        yield f"The embedded AWS does not run inference scripts: SAGEMAKER_PROGRAM is {program}"
    yield from (
        f"The embedded AWS does not support the variable {name}"
        for name in _NOT_SERVED
        if name in environment
    )
