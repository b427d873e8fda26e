"""An EventBridge event of any service.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
"""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from helpers.local_aws.api.response import ACCOUNT

TIME_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def new_event(
    source: str,
    detail_type: str,
    resources: Sequence[str],
    detail: Mapping[str, Any],
    region: str,
    time: datetime | None = None,
) -> dict[str, Any]:
    """Return an event.

    Args:
        source: the service that sends it.
        detail_type: the kind of event.
        resources: the ARNs of the affected resources.
        detail: the service-specific content.
        region: region of the event.
        time: time of the event, by default now.
    """
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": (time or datetime.now(UTC)).astimezone(UTC).strftime(TIME_FORMAT),
        "region": region,
        "resources": [*resources],
        "detail": {**detail},
    }
