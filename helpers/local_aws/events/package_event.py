"""The event for a state change of a model package.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from datetime import datetime
from typing import Any

from helpers.local_aws.events.event import TIME_FORMAT, new_event
from helpers.local_aws.registry.model_package import ModelPackage

_NOT_IN_EVENTS = frozenset({"CreatedBy", "DriftCheckBaselines", "LastModifiedBy", "ModelCard"})
"""Members of a description that the documented event does not have."""


def package_event(package: ModelPackage, region: str) -> dict[str, Any]:
    """Return the event for the current state of a package."""
    detail = {name: value for name, value in package.description().items() if name not in _NOT_IN_EVENTS}
    texts = {
        name: value.strftime(TIME_FORMAT) if isinstance(value, datetime) else value
        for name, value in detail.items()
    }
    return new_event("aws.sagemaker", "SageMaker Model Package State Change", [package.arn], texts, region)
