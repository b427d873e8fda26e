"""The parameter values of an execution from the model registry: model versions, and files."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from helpers.errors import UserError
from ml_pipeline.executions.parameters import NotReadyError
from ml_pipeline.executions.target import Target
from ml_pipeline.params.execution_parameters import (
    BASELINE_STATISTICS_URL,
    CHAMPION_MODEL_DATA_URL,
    EXECUTION_PARAMETERS,
    MODEL_DATA_URL,
    MODEL_PACKAGE_ARN,
    NO_MODEL,
    REGISTERED_MODEL_DIGEST,
    SAMPLE_URL,
)
from ml_pipeline.params.package_properties import ORIGINS

if TYPE_CHECKING:
    from ml_pipeline.registry import Package
    from ml_pipeline.registry.group import ModelGroup


def registry_parameters(
    definition: Mapping[str, Any],
    target: Target,
    data: Callable[[], Mapping[str, str]],
    package: "Package | None" = None,
) -> dict[str, str]:
    """Return the values of a definition's parameters from the registry.

    Args:
        definition: the registered definition of the pipeline.
        target: the pipeline.
        data: returns the fingerprints of its data by parameter.
        package: the version to score with; by default, the active one.

    Raises:
        NotReadyError: there is no approved version or sample, which the definition needs.
        UserError: there is no model registry, or the version cannot be served.
    """
    wanted = {parameter["Name"] for parameter in definition.get("Parameters", [])}
    if not wanted & EXECUTION_PARAMETERS.keys():
        return {}
    # Imported here, because other pipelines start without a registry.
    from ml_pipeline.registry import champion  # noqa: PLC0415
    from ml_pipeline.registry.group import open_group  # noqa: PLC0415

    group = open_group(target.environment)
    active = champion(group.sagemaker, group.name)
    values = {}
    if CHAMPION_MODEL_DATA_URL in wanted:
        values[CHAMPION_MODEL_DATA_URL] = _model_data_url(active)
    if REGISTERED_MODEL_DIGEST in wanted:
        values[REGISTERED_MODEL_DIGEST] = _registered_digest(group, _origin(definition, data()))
    if {MODEL_PACKAGE_ARN, BASELINE_STATISTICS_URL, MODEL_DATA_URL, SAMPLE_URL} & wanted:
        scored = package or _servable(group, active)
        served = {MODEL_PACKAGE_ARN: scored.arn, BASELINE_STATISTICS_URL: scored.baselines.statistics}
        values |= {name: value for name, value in served.items() if name in wanted}
        if MODEL_DATA_URL in wanted:
            values[MODEL_DATA_URL] = _artifact(scored, target, _images(definition))
        if SAMPLE_URL in wanted:
            values[SAMPLE_URL] = _sample(group, scored)
    return values


def _origin(definition: Mapping[str, Any], data: Mapping[str, str]) -> dict[str, str]:
    """Return the code, data and training that a version would record if it was registered now."""
    for step in definition.get("Steps", []):
        for branch in (step, *step.get("Arguments", {}).get("IfSteps", [])):
            if branch.get("Type") == "RegisterModel":
                noted = branch["Arguments"].get("CustomerMetadataProperties", {})
                return {
                    name: value
                    if isinstance(value, str)
                    else data.get(value.get("Get", "").removeprefix("Parameters."), "")
                    for name, value in noted.items()
                    if name.startswith(ORIGINS)
                }
    return {}


def _images(definition: Mapping[str, Any]) -> set[str]:
    """Return the images of a definition's models."""
    return {
        str(step["Arguments"]["PrimaryContainer"].get("Image"))
        for step in definition.get("Steps", [])
        if step["Type"] == "Model"
    }


def _artifact(package: "Package", target: Target, images: set[str]) -> str:
    """Return the artifacts of a version that a pipeline can serve with its own models' images."""
    if {package.image} != images or package.environment:
        variables = f" with the variables {', '.join(package.environment)}" if package.environment else ""
        raise UserError(
            f"Version {package.version} is served by {package.image}{variables}, and {target.name} has "
            f"{', '.join(images)} without variables",
            hint=f"Change algorithm or version of its step of type Model in ml_pipeline/params/pipelines/"
            f"{target.pipeline}.json, then run: {target.command('upsert')}",
        )
    return package.model_data_url


def _sample(group: "ModelGroup", package: "Package") -> str:
    from ml_pipeline.registry.sample import sample_uri  # noqa: PLC0415 - as above

    if uri := sample_uri(group, package):
        return uri
    raise NotReadyError(
        f"Version {package.version} of {group.name} has no sample whose predictions could be compared",
        hint=f"Train and register it again with: {group.command('run', PIPELINE='train')}",
    )


def _model_data_url(package: "Package | None") -> str:
    return package.model_data_url if package and package.model_data_url else NO_MODEL


def _registered_digest(group: "ModelGroup", origin: Mapping[str, str]) -> str:
    """Return the hash of the newest version with an origin; otherwise, that of the newest version.

    The pipeline compares it with the hash of its own model, which is known only after training. A version
    with the same origin is the same model, even if others were registered since.
    """
    from ml_pipeline.registry import list_packages  # noqa: PLC0415 - as above

    digest = NO_MODEL
    for index, package in enumerate(list_packages(group.sagemaker, group.name)):
        if package.digest and package.origin == origin:
            return package.digest
        if index == 0:
            digest = package.digest or NO_MODEL
    return digest


def _servable(group: "ModelGroup", active: "Package | None") -> "Package":
    from ml_pipeline.registry.serving import serving_problems  # noqa: PLC0415 - as above

    if active is None:
        raise NotReadyError(
            f"No version of {group.name} is approved, so there is no model to score with",
            hint=f"Approve one of those that {group.command('models')} lists: "
            f"{group.command('approve', MODEL='N')}",
        )
    if problems := serving_problems(group, active):
        restore = group.command("reject", MODEL=str(active.version))
        raise UserError(
            f"Version {active.version} of {group.name} is approved, but cannot be used: "
            f"{'; '.join(problems)}",
            hint=f"Correct this, or return to the version that was approved before it: {restore}",
        )
    return active
