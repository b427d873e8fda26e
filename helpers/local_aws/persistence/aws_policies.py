"""AWS managed policies: moto includes 1,582, of which a snapshot contains only the ARNs."""

from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from moto.iam.models import AWSManagedPolicy, IAMBackend

from helpers.local_aws.api.response import ACCOUNT


# moto's classes have no types, so the base of their subclasses is Any.
class UnreadPolicy(AWSManagedPolicy):  # type: ignore[misc]
    """An AWS managed policy that is loaded on first use; loading all of them takes a third of a second."""

    def __init__(self, arn: str, attachment_count: int):
        self._arn, self.attachment_count = arn, attachment_count

    @property
    def arn(self) -> str:
        """The ARN of the policy."""
        return self._arn

    def __getattr__(self, name: str) -> Any:
        """Load the policy; called for attributes that are not set yet."""
        if name in {"_arn", "attachment_count"} or name.startswith("__"):
            raise AttributeError(name)
        self.__dict__ = {**vars(_policies()[self._arn]), **self.__dict__}
        return self.__getattribute__(name)


def reduce_policy(policy: AWSManagedPolicy) -> tuple[type, tuple[str, int]]:
    """Return how pickle recreates a policy; only its attachment count ever changes."""
    return UnreadPolicy, (policy.arn, policy.attachment_count)


@lru_cache(maxsize=1)
def _policies() -> dict[str, Any]:
    """Return the AWS managed policies by ARN, as moto's backend creates them."""
    backend = SimpleNamespace(account_id=ACCOUNT, region_name="aws")
    return {policy.arn: policy for policy in IAMBackend._init_aws_policies(backend)}
