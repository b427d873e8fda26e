"""YARN of the image: what its nodes offer, and the variables of its containers."""

from collections.abc import Mapping

from helpers.local_aws.containers.container_job import ContainerJob
from helpers.local_aws.hadoop.cluster import ClusterSpecification
from helpers.spark.instances import instance

_IMAGE = {"yarn.nodemanager.vmem-pmem-ratio": "5", "yarn.scheduler.minimum-allocation-mb": "1"}


def specification(job: ContainerJob, yarn_site: Mapping[str, str]) -> ClusterSpecification:
    """Return the YARN of a job: a node for each instance, which offers all of it unless the job says less.

    Args:
        job: the job.
        yarn_site: its own configuration.

    Raises:
        UserError: an instance type whose specification is not known.
    """
    node = instance(job.instance_type)
    memory, vcpus = str(node.memory_mib), str(node.vcpus)
    properties = {
        **_IMAGE,
        "yarn.scheduler.maximum-allocation-mb": memory,
        "yarn.scheduler.minimum-allocation-vcores": "1",
        "yarn.scheduler.maximum-allocation-vcores": vcpus,
        "yarn.nodemanager.resource.memory-mb": memory,
        "yarn.nodemanager.resource.cpu-vcores": vcpus,
        **yarn_site,
    }
    return ClusterSpecification(job.hosts, tuple(sorted(properties.items())))


def container_environment(job: ContainerJob) -> dict[str, str]:
    """Return the variables of every container: the credentials of the job's role, and where AWS is.

    Not the region, which Spark passes on: YARN joins the values that a variable is given twice.
    """
    return {name: value for name, value in job.aws_environment.items() if name != "AWS_REGION"}
