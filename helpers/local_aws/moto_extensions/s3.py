"""Amazon S3."""

import json
from functools import lru_cache
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult

from helpers.local_aws.moto_extensions.extending import replaces


@replaces("moto.s3.models:FakeBucket.get_permission")
def ignore_conditional_statements(bucket: Any, action: str, resource: str) -> Any:
    """Evaluate a bucket policy for a request, without statements that have conditions.

    moto evaluates these as if the conditions were always met: a statement that denies requests without TLS
    would deny every request. The context of a request (TLS, VPC endpoint) is not known here, so these
    statements are stored and returned, but not enforced.
    """
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    return _unconditional(bucket.policy).is_action_permitted(action, resource)


@lru_cache
def _unconditional(text: str | bytes) -> Any:
    policy = json.loads(text)
    statements = policy["Statement"] if isinstance(policy["Statement"], list) else [policy["Statement"]]
    policy["Statement"] = [statement for statement in statements if "Condition" not in statement]
    return IAMPolicy(json.dumps(policy))
