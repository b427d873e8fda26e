"""The network configuration of SageMaker jobs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sagemaker.core.network import NetworkConfig


def get_network_configuration(
    subnets: Sequence[str], security_group_ids: Sequence[str], *, enable_network_isolation: bool = False
) -> "NetworkConfig":
    """Return a job's network configuration; traffic between its instances is always encrypted.

    Args:
        subnets: subnets of the VPC in which the job runs.
        security_group_ids: security groups of its instances.
        enable_network_isolation: no network at all for the container, which then has no
            credentials either: only for jobs that let SageMaker copy all their data.
    """
    # The SDK takes seconds to import, and commands that build nothing must not wait for it.
    from sagemaker.core.network import NetworkConfig  # noqa: PLC0415

    return NetworkConfig(
        enable_network_isolation=enable_network_isolation,
        encrypt_inter_container_traffic=True,
        security_group_ids=list(security_group_ids),
        subnets=list(subnets),
    )


def get_vpc_configuration(
    subnet_ids: Sequence[str], security_group_ids: Sequence[str]
) -> dict[str, list[str]]:
    """Return the same placement as a plain `VpcConfig`, for requests that are made without the SDK."""
    return {"Subnets": list(subnet_ids), "SecurityGroupIds": list(security_group_ids)}
