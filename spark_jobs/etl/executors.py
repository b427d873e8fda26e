"""Counts the executors that were requested, and those that the cluster manager granted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LEAST_OVERHEAD_MIB = 384
"""Minimum memory overhead of an executor, in addition to its heap."""

LOG = logging.getLogger("etl")


class Executors(NamedTuple):
    """The numbers of requested and granted executors, and the cores and memory of each executor."""

    requested: int
    granted: int
    cores: int
    memory_mib: int
    """Memory of the container: heap and off-heap memory; on YARN, also overhead and memory for Python."""


def count_executors(spark: SparkSession) -> Optional[Executors]:
    """Return the requested and granted executors, or None if the configuration requests no fixed number.

    Call this function at the end of a job, when all executors have started. If the cluster manager granted
    fewer executors, because others do not fit, a warning is logged. Spark itself does not report this.
    """
    context: Any = spark.sparkContext._jsc  # PySpark has no public API for executors
    conf = context.getConf()
    requested = conf.getInt("spark.executor.instances", 0)
    if not requested or conf.getBoolean("spark.dynamicAllocation.enabled", False) or context.isLocal():
        return None
    granted = len(context.sc().statusTracker().getExecutorInfos()) - 1  # the list contains the driver
    memory_mib = _executor_mib(conf, on_yarn=context.master() == "yarn")
    executors = Executors(requested, granted, conf.getInt("spark.executor.cores", 1), memory_mib)
    if granted < requested:
        LOG.warning(
            "only %s of %s requested executors were granted, with %s vCPU and %s MiB each: lower "
            "spark.executor.memory or spark.executor.cores in configuration.json so that all fit, or raise "
            "pyspark_process_instance_count",
            granted,
            requested,
            executors.cores,
            executors.memory_mib,
        )
    return executors


def _executor_mib(conf: Any, *, on_yarn: bool) -> int:
    """Return the memory in MiB that Spark requests for an executor, given a SparkConf of the JVM."""
    size = int(conf.getSizeAsMb("spark.executor.memory", "1g"))
    overhead = max(LEAST_OVERHEAD_MIB, int(conf.getDouble("spark.executor.memoryOverheadFactor", 0.1) * size))
    if conf.getBoolean("spark.memory.offHeap.enabled", False):
        size += conf.getSizeAsBytes("spark.memory.offHeap.size", "0") >> 20
    if on_yarn:
        size += conf.getSizeAsMb("spark.executor.memoryOverhead", f"{overhead}m")
        size += conf.getSizeAsMb("spark.executor.pyspark.memory", "0")
    return size
