"""The Spark sizes that the image computes from the instances of a job; user settings override them.

The rules depend on `AWS_SPARK_CONFIG_MODE`, a variable of the job. Mode 1 (standard, the default) has one
executor per instance with all of its cores. Mode 2 (advanced) has executors of five cores, with one executor
fewer for the driver.
"""

from collections.abc import Mapping

from helpers.errors import UserError
from helpers.local_aws.containers.container_job import ContainerJob
from helpers.local_aws.spark_container.errors import job_error
from helpers.spark.instances import Instance, instances

VARIABLE = "AWS_SPARK_CONFIG_MODE"
_STANDARD, _ADVANCED = 1, 2
_MOST_CORES = 5
"""Maximum cores of an executor in advanced mode."""
_DAEMONS_MIB = 1024
"""Memory per instance that advanced mode reserves for Hadoop."""


def image_sizing(job: ContainerJob) -> dict[str, str]:
    """Return the properties of spark-defaults that the image computes for a job.

    Raises:
        ContainerError: the image does not have the mode.
        UserError: the specification of the instance type is not known.
    """
    text = job.environment.get(VARIABLE, str(_STANDARD))
    try:
        mode = int(text)
    except ValueError as error:
        raise job_error("ValueError", str(error), f"{VARIABLE} must be 1 or 2") from None
    instance = instances().get(job.instance_type)
    if instance is None:
        raise UserError(
            f"The memory and vCPUs of {job.instance_type} are not known",
            hint="Use another instance type, as ml.m5.xlarge",
        )
    if mode == _STANDARD:
        return standard(instance, job.instance_count)
    if mode == _ADVANCED:
        return advanced(instance, job.instance_count)
    cause = f"Could not determine Spark configuration mode: {mode}."
    raise job_error("ValueError", cause, f"{VARIABLE} must be 1 or 2")


def standard(instance: Instance, count: int) -> dict[str, str]:
    """Return the sizes of mode 1."""
    driver = int(instance.memory_mib * 0.9)
    executor = int(instance.memory_mib * 0.95 * (1 - 0.1))
    return _properties(
        driver=driver,
        driver_overhead=int(driver * 0.1),
        executor=executor,
        executor_overhead=int(executor * 0.1),
        cores=instance.vcpus,
        executors=count,
    ) | {"spark.default.parallelism": str(count * instance.vcpus * 2)}


def advanced(instance: Instance, count: int) -> dict[str, str]:
    """Return the sizes of mode 2; one small instance gets no executor."""
    cores = min(_MOST_CORES, instance.vcpus - 1)
    per_instance = (instance.vcpus - 1) // cores
    executors = count * per_instance - 1
    total = (int(instance.memory_mib * 0.95) - _DAEMONS_MIB) // per_instance
    heap, overhead = int(total * 0.9), int(total * 0.1)
    return _properties(
        driver=heap,
        driver_overhead=overhead,
        executor=heap,
        executor_overhead=overhead,
        cores=cores,
        executors=executors,
    ) | {"spark.default.parallelism": str(executors * cores * 2)}


def has_executors(sizes: Mapping[str, str], properties: Mapping[str, str]) -> bool:
    """Return whether a job has executors; spark-submit rejects a job without executors.

    Args:
        sizes: the sizes that the image computes.
        properties: the job's own properties of spark-defaults, which override them.
    """
    name = "spark.executor.instances"
    is_dynamic = properties.get("spark.dynamicAllocation.enabled", "").lower() == "true"
    return sizes[name] != "0" or name in properties or is_dynamic


def _properties(
    *, driver: int, driver_overhead: int, executor: int, executor_overhead: int, cores: int, executors: int
) -> dict[str, str]:
    return {
        "spark.driver.memory": f"{driver}m",
        "spark.driver.memoryOverhead": f"{driver_overhead}m",
        "spark.executor.memory": f"{executor}m",
        "spark.executor.memoryOverhead": f"{executor_overhead}m",
        "spark.executor.cores": str(cores),
        "spark.executor.instances": str(executors),
    }
