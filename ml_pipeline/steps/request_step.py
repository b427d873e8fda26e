"""Steps whose request has the form of the API, and the common parts of these requests.

The SDK's own builders of training and registration steps (3.27.0) call AWS while a definition is built: IAM
to check the role, S3 to look for a bucket. A model that they register cannot be served: its SAGEMAKER_PROGRAM
is empty, and the container tries to import a module of that name.

Importing this imports the SDK, which takes seconds.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from helpers.infra.networking.networking import get_vpc_configuration
from ml_pipeline.steps import sagemaker_sdk as sdk

if TYPE_CHECKING:
    from ml_pipeline.params import PipelineParams

RETRY_INTERVAL_SECONDS = 10


class RequestStep(sdk.ConfigurableRetryStep):  # type: ignore[misc]  # the SDK has no types
    """A step of a type, with its request."""

    def __init__(
        self,
        name: str,
        step_type: sdk.StepTypeEnum,
        request: Mapping[str, Any],
        retry_policies: list[Any],
        cache: sdk.CacheConfig | None = None,
    ):
        super().__init__(name, step_type, retry_policies=retry_policies)
        self._request = dict(request)
        self._cache = cache

    @property
    def arguments(self) -> dict[str, Any]:
        """The request; the execution completes its name."""
        return self._request

    @property
    def properties(self) -> sdk.Properties:
        """The properties of the step, for references to the complete step."""
        return sdk.Properties(self.name)

    def to_request(self) -> dict[str, Any]:
        """Return the step in the form of the pipeline definition."""
        request: dict[str, Any] = super().to_request()
        return {**request, **(self._cache.config if self._cache else {})}


def step_retries(attempts: int) -> list[Any]:
    """Return the retry policies of a step without a job: after service faults and throttling."""
    faults = sdk.StepExceptionTypeEnum
    return [sdk.StepRetryPolicy([faults.SERVICE_FAULT, faults.THROTTLING], **_retries(attempts))]


def job_retries(attempts: int) -> list[Any]:
    """Return the retry policies of a step with a job: also after internal errors and lack of capacity."""
    faults = sdk.SageMakerJobExceptionTypeEnum
    of_job = [faults.INTERNAL_ERROR, faults.CAPACITY_ERROR]
    return [*step_retries(attempts), sdk.SageMakerJobStepRetryPolicy(of_job, **_retries(attempts))]


def vpc_of(params: "PipelineParams") -> dict[str, list[str]]:
    """Return the `VpcConfig` of a request."""
    return get_vpc_configuration(params.network_subnet_ids, params.network_security_group_ids)


def _retries(attempts: int) -> dict[str, int]:
    return {"interval_seconds": RETRY_INTERVAL_SECONDS, "max_attempts": attempts}
