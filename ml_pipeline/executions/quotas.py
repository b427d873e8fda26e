"""The account's quotas for the instances of processing jobs, which are 0 in many a new account."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from helpers.environments import Environment
from ml_pipeline.params.files import step_instances
from ml_pipeline.pipelines import Pipeline

if TYPE_CHECKING:
    from botocore.client import BaseClient

DOCUMENTATION = "docs/platform-engineer.md#service-quotas"
_SERVICE = "sagemaker"


def instances_needed(environment: Environment, pipelines: Iterable[Pipeline]) -> dict[str, int]:
    """Return by instance type the most instances that one step of the pipelines has.

    Steps that run at the same time need more; one that finds none left is retried, while a step that
    asks for more than the quota fails at once.

    Raises:
        UserError: a parameter file cannot be read.
    """
    needed: dict[str, int] = {}
    for pipeline in pipelines:
        for instance_type, count in step_instances(environment, pipeline.name).values():
            needed[instance_type] = max(count, needed.get(instance_type, 0))
    return needed


def shortfalls(quotas: "BaseClient", needed: Mapping[str, int]) -> list[str]:
    """Return which quotas are too low, a line each with name, code and the command that requests an increase.

    Args:
        quotas: a client of the region of the jobs.
        needed: instances by type, as of `instances_needed`.
    """
    wanted = {f"{name} for processing job usage": count for name, count in needed.items()}
    try:
        found = _applied(quotas, wanted)
    except ClientError as error:
        match error.response["Error"]["Code"]:
            case "UnknownOperationException":  # the embedded AWS has no quotas
                return []
            case "AccessDeniedException":
                return [f"The quotas of SageMaker are not checked: {error}"]
        raise
    return [
        f"The quota {name!r} ({quota['QuotaCode']}) is {quota['Value']:g}, and a step needs {wanted[name]}. "
        f"Request an increase: aws service-quotas request-service-quota-increase --service-code {_SERVICE} "
        f"--quota-code {quota['QuotaCode']} --desired-value {wanted[name]} (see {DOCUMENTATION})"
        for name, quota in found.items()
        if quota["Value"] < wanted[name]
    ]


def _applied(quotas: "BaseClient", wanted: Mapping[str, int]) -> dict[str, Any]:
    """Return the quotas of some names. SageMaker has thousands; reading ends when all are found."""
    found: dict[str, Any] = {}
    for page in quotas.get_paginator("list_service_quotas").paginate(ServiceCode=_SERVICE):
        found |= {quota["QuotaName"]: quota for quota in page["Quotas"] if quota["QuotaName"] in wanted}
        if found.keys() == wanted.keys():
            break
    return found
