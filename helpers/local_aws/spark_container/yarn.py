"""YARN of the image: what its nodes offer, and the variables of its containers."""

from collections.abc import Mapping

from helpers.local_aws.containers.container_job import ContainerJob
from helpers.local_aws.hadoop.cluster import ClusterSpecification
from helpers.spark.instances import Instance

_IMAGE = {"yarn.nodemanager.vmem-pmem-ratio": "5", "yarn.resourcemanager.am.max-attempts": "1"}


def specification(
    node: Instance, hosts: tuple[str, ...], yarn_site: Mapping[str, str]
) -> ClusterSpecification:
    """Return the YARN of a job: a node for each instance, which offers all of it unless the job sets less.

    Args:
        node: the type of the instances.
        hosts: their names.
        yarn_site: the job's own configuration.
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
    """Return the variables of every container: the credentials of the job's role, and where AWS is.

    Not the region, which Spark passes on: YARN joins the values that a variable is given twice.
    """
    return {name: value for name, value in job.aws_environment.items() if name != "AWS_REGION"}
