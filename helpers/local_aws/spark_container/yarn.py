"""YARN as in the image: the resources of its nodes, and the variables of its containers."""

from collections.abc import Mapping

from helpers.local_aws.containers.container_job import ContainerJob
from helpers.local_aws.hadoop.cluster import ClusterSpecification
from helpers.spark.instances import Instance

_IMAGE = {"yarn.nodemanager.vmem-pmem-ratio": "5", "yarn.resourcemanager.am.max-attempts": "1"}


def specification(
    node: Instance, hosts: tuple[str, ...], yarn_site: Mapping[str, str]
) -> ClusterSpecification:
    """Return the YARN cluster of a job: a node per instance with all its resources, unless the job sets less.

    Args:
        node: the instance type.
        hosts: the names of the instances.
        yarn_site: the job's own YARN configuration.
    """
    memory, vcpus = str(node.memory_mib), str(node.vcpus)
    properties = {
        **_IMAGE,
        "yarn.scheduler.minimum-allocation-mb": "1",
        "yarn.scheduler.maximum-allocation-mb": memory,
        "yarn.scheduler.minimum-allocation-vcores": "1",
        "yarn.scheduler.maximum-allocation-vcores": vcpus,
        "yarn.nodemanager.resource.memory-mb": memory,
        "yarn.nodemanager.resource.cpu-vcores": vcpus,
        **yarn_site,
    }
    return ClusterSpecification(hosts, tuple(sorted(properties.items())))


def container_environment(job: ContainerJob) -> dict[str, str]:
    """Return the variables of every container: the credentials of the job's role, and the AWS endpoint.

    The region is not included, because Spark sets it: YARN concatenates the values of duplicate variables.
    """
    return {name: value for name, value in job.aws_environment.items() if name != "AWS_REGION"}
