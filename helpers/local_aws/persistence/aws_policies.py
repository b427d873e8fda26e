"""AWS's own managed policies: 1,582 that come with moto, of which a snapshot has the ARNs only."""

from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from moto.iam.models import AWSManagedPolicy, IAMBackend

from helpers.local_aws.api.response import ACCOUNT


# moto's classes have no types, so the base of their subclasses is Any.
class UnreadPolicy(AWSManagedPolicy):  # type: ignore[misc]
    """A policy of AWS that is read once something asks for more of it: all take a third of a second."""

    def __init__(self, arn: str, attachment_count: int):
        self._arn, self.attachment_count = arn, attachment_count

    @property
    def arn(self) -> str:
        """The policy's ARN."""
        return self._arn

    def __getattr__(self, name: str) -> Any:
        """Read the policy; called for what it does not have yet."""
        if name in {"_arn", "attachment_count"} or name.startswith("__"):
            raise AttributeError(name)
        self.__dict__ = {**vars(_policies()[self._arn]), **self.__dict__}
        return self.__getattribute__(name)


def reduce_policy(policy: AWSManagedPolicy) -> tuple[type, tuple[str, int]]:
    """Return how pickle makes a policy of AWS again; how often it is attached is all that ever changes."""
    return UnreadPolicy, (policy.arn, policy.attachment_count)


@lru_cache(maxsize=1)
def _policies() -> dict[str, Any]:
    """Return AWS's policies by ARN, as moto's backend makes them."""
    backend = SimpleNamespace(account_id=ACCOUNT, region_name="aws")
    return {policy.arn: policy for policy in IAMBackend._init_aws_policies(backend)}
