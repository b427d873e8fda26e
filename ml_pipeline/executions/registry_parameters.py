"""The values that an execution starts with from the model registry: versions of the model, and files."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from helpers.errors import UserError
from ml_pipeline.executions.parameters import NotReadyError
from ml_pipeline.executions.target import Target
from ml_pipeline.params.execution_parameters import (
    BASELINE_STATISTICS_URL,
    CHAMPION_MODEL_DATA_URL,
    EXECUTION_PARAMETERS,
    MODEL_PACKAGE_ARN,
    NO_MODEL,
    REGISTERED_MODEL_DATA_URL,
)

if TYPE_CHECKING:
    from ml_pipeline.registry import Package
    from ml_pipeline.registry.group import ModelGroup


def registry_parameters(definition: Mapping[str, Any], target: Target) -> dict[str, str]:
    """Return the values of a definition's parameters that the registry has.

    Raises:
        NotReadyError: the definition needs an approved version, and there is none.
        UserError: there is no model registry, or the active version cannot be served.
    """
    wanted = {parameter["Name"] for parameter in definition.get("Parameters", [])}
    if not wanted & EXECUTION_PARAMETERS.keys():
        return {}
    # Only here: other pipelines start without a registry, and need no time for it.
    from ml_pipeline.registry import champion, newest  # noqa: PLC0415
    from ml_pipeline.registry.group import open_group  # noqa: PLC0415

    group = open_group(target.environment)
    active = champion(group.sagemaker, group.name)
    values = {}
    if CHAMPION_MODEL_DATA_URL in wanted:
        values[CHAMPION_MODEL_DATA_URL] = _model_data_url(active)
    if REGISTERED_MODEL_DATA_URL in wanted:
        values[REGISTERED_MODEL_DATA_URL] = _model_data_url(newest(group.sagemaker, group.name))
    if {MODEL_PACKAGE_ARN, BASELINE_STATISTICS_URL} & wanted:
        package = _servable(group, active)
        served = {MODEL_PACKAGE_ARN: package.arn, BASELINE_STATISTICS_URL: package.baselines.statistics}
        values |= {name: value for name, value in served.items() if name in wanted}
    return values


def _model_data_url(package: "Package | None") -> str:
    return package.model_data_url if package and package.model_data_url else NO_MODEL


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
            hint=f"Return to the version that was approved before it: {restore}",
        )
    return active
