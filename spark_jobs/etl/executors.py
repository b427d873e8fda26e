"""The executors that were requested, and those that the cluster manager granted."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, NamedTuple, Optional

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LEAST_OVERHEAD_MIB = 384
"""What Spark asks for in addition to the heap of an executor at least."""

LOG = logging.getLogger("etl")


class Executors(NamedTuple):
    """The executors that Spark was asked for, and those that it has; cores and memory are those of each."""

    requested: int
    granted: int
    cores: int
    memory_mib: int
    """Of its container: heap, off-heap and Python's memory, and on YARN the overhead."""


def count_executors(spark: SparkSession) -> Optional[Executors]:
    """Return the executors requested and granted; None where no number of them is asked for.

    Call it late, when all that will come have come. Where some are missing it is logged: the cluster manager
    grants what fits, and Spark continues with that in silence.
    """
    context: Any = spark.sparkContext._jsc  # PySpark has no public way to the executors
    conf = context.getConf()
    requested = conf.getInt("spark.executor.instances", 0)
    if not requested or conf.getBoolean("spark.dynamicAllocation.enabled", False) or context.isLocal():
        return None
    granted = len(context.sc().statusTracker().getExecutorInfos()) - 1  # the driver is one of them
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
    """Return the memory that Spark asks for an executor, given its SparkConf."""
    size = int(conf.getSizeAsMb("spark.executor.memory", "1g"))
    overhead = max(LEAST_OVERHEAD_MIB, int(conf.getDouble("spark.executor.memoryOverheadFactor", 0.1) * size))
    if conf.getBoolean("spark.memory.offHeap.enabled", False):
        size += conf.getSizeAsBytes("spark.memory.offHeap.size", "0") >> 20
    if on_yarn:
        size += conf.getSizeAsMb("spark.executor.memoryOverhead", f"{overhead}m")
        size += conf.getSizeAsMb("spark.executor.pyspark.memory", "0")
    return size
