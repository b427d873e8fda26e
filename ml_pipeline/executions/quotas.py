"""The quotas of the account for instances of jobs, which are 0 in many new accounts."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from botocore.exceptions import ClientError

from helpers.environments import Environment
from ml_pipeline.params.files import step_instances
from ml_pipeline.pipelines import Pipeline

if TYPE_CHECKING:
    from botocore.client import BaseClient

DOCUMENTATION = "docs/platform-engineer.md#service-quotas"
_SERVICE = "sagemaker"


class JobInstances(NamedTuple):
    """Instances of a type for a kind of jobs, which have a quota in the account."""

    instance_type: str
    step_type: str
    """`Processing`, `Training` or `Transform`."""

    @property
    def quota(self) -> str:
        """The name of the quota."""
        return f"{self.instance_type} for {self.step_type.lower()} job usage"


def instances_needed(environment: Environment, pipelines: Iterable[Pipeline]) -> dict[JobInstances, int]:
    """Return the maximum number of instances of one step in the pipelines, by type and use.

    Steps that run at the same time need more. A step that finds none left is retried, but a step that exceeds
    the quota fails immediately.

    Raises:
        UserError: a parameter file cannot be read.
    """
    needed: dict[JobInstances, int] = {}
    for pipeline in pipelines:
        for instance_type, count, step_type in step_instances(environment, pipeline.name).values():
            instances = JobInstances(instance_type, step_type)
            needed[instances] = max(count, needed.get(instances, 0))
    return needed


def insufficient_quotas(quotas: "BaseClient", needed: Mapping[JobInstances, int]) -> list[str]:
    """Return the quotas that are too low, one line each with name, code and the command to raise it.

    Args:
        quotas: a client in the region of the jobs.
        needed: the result of `instances_needed`.
    """
    wanted = {instances.quota: count for instances, count in needed.items()}
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
    """Return quotas by name. SageMaker has thousands; reading stops when all are found."""
    found: dict[str, Any] = {}
    for page in quotas.get_paginator("list_service_quotas").paginate(ServiceCode=_SERVICE):
        found |= {quota["QuotaName"]: quota for quota in page["Quotas"] if quota["QuotaName"] in wanted}
        if found.keys() == wanted.keys():
            break
    return found
