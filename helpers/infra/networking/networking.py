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
        enable_network_isolation: disable all network access of the container. It then has no credentials
            either, so SageMaker must copy all data.
    """
    # The SDK takes seconds to import, and commands that do not build a pipeline must not wait for it.
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
    """Return the same configuration as a `VpcConfig`, for requests that do not use the SDK."""
    return {"Subnets": list(subnet_ids), "SecurityGroupIds": list(security_group_ids)}
