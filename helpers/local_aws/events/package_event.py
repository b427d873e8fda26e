"""The event of a model package whose state has changed.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

import uuid
from datetime import UTC, datetime
from typing import Any

from helpers.local_aws.api.response import ACCOUNT
from helpers.local_aws.registry.model_package import ModelPackage

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_NOT_IN_EVENTS = frozenset({"CreatedBy", "LastModifiedBy", "ModelCard"})


def package_event(package: ModelPackage, region: str) -> dict[str, Any]:
    """Return the event of a package in its present state."""
    detail = {name: value for name, value in package.description().items() if name not in _NOT_IN_EVENTS}
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "SageMaker Model Package State Change",
        "source": "aws.sagemaker",
        "account": ACCOUNT,
        "time": _text(datetime.now(UTC)),
        "region": region,
        "resources": [package.arn],
        "detail": {
            name: _text(value) if isinstance(value, datetime) else value for name, value in detail.items()
        },
    }


def _text(moment: datetime) -> str:
    return moment.strftime(TIME_FORMAT)
