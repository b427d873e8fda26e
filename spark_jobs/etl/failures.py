"""Describes why a job failed on one line: the remedy, then the message of Spark, Java or S3."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors.exceptions.captured import CapturedException
from pyspark.sql import SparkSession

SPARK_ERRORS = (Py4JError, CapturedException, ConnectionError)
"""What PySpark raises where Spark fails: `spark_failure` makes one line of it."""


REMEDIES = (
    (
        r"OutOfMemoryError|[Ee]xit(ed with)? ?(code|status):? 52\b",
        "memory ran out: raise spark.executor.memory in configuration.json (spark.driver.memory on one "
        "instance), or lower spark.executor.cores",
    ),
    (
        r"memoryOverhead|MemoryError|Python worker exited unexpectedly"
        r"|beyond the '?(PHYSICAL|VIRTUAL)|[Ee]xit(ed with)? ?(code|status):? (137|143)\b",
        "an executor was killed, as for want of memory outside of its heap: raise "
        "spark.executor.memoryOverhead in configuration.json",
    ),
    (
        r"above the max threshold \(\d+ MB\) of this cluster",
        "an executor must fit into a node: take the sizes of make size in configuration.json, or larger "
        "instances",
    ),
    (
        r"No space left on device|Disk quota exceeded|File too large",
        "the disk for shuffle and spill is full: raise pyspark_process_volume_size_gb, or "
        "pyspark_process_instance_count to spread the data",
    ),
    (
        r"SlowDown|reduce your request rate|Status Code: 503",
        "S3 throttles: raise spark.hadoop.fs.s3a.attempts.maximum and fs.s3a.retry.limit, or run with fewer "
        "cores at once",
    ),
    (
        r"timed? ?out|SocketTimeoutException|ConnectTimeoutException",
        "S3 or another node answers too slowly: raise spark.hadoop.fs.s3a.connection.timeout and "
        "spark.network.timeout in configuration.json",
    ),
    (
        r"bucket is null/empty",
        "S3A finds no bucket in the URI, since Java accepts no such host name: use a bucket without _ "
        "in its name and with a letter after the last dot",
    ),
    (
        r"Relative path in absolute URI",
        "Hadoop takes the part of a name before a colon for a URI scheme: on S3 give the folder instead of a "
        "glob pattern, on a local disk rename the file",
    ),
    (
        r"native \w+ library not available",
        "Hadoop's native library, which reads this compression, is not there: compress the input with gzip",
    ),
    (
        r"spark\.driver\.maxResultSize",
        "the driver is sent more than it takes: raise spark.driver.maxResultSize and spark.driver.memory in "
        "configuration.json, or collect less",
    ),
    (
        r"CANNOT_MERGE_SCHEMAS",
        "a column has different types in different files of the input: read these apart, or rewrite some",
    ),
    (
        r"SparkContext was shut down",
        "Spark ended in the middle of the job, most often for want of memory: raise spark.driver.memory, or "
        "spark.executor.memory, in configuration.json",
    ),
)
"""Messages of Spark about missing resources, and what to change. The first match is used."""


TRACEBACK = "Traceback (most recent call last)"
SCHEMAS_DIFFER = "[CANNOT_MERGE_SCHEMAS]"
"""How a message begins that shows the columns; that of its cause shows no more than two types."""


def spark_failure(error: Exception) -> str:
    """Return what Spark failed of, and what to change where that is known, in one line.

    Args:
        error: one of `SPARK_ERRORS`.
    """
    java = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    if java is not None:
        return f"Spark failed: {with_fix(root_cause(java), str(java.toString()))}"
    if isinstance(error, CapturedException):
        return f"Spark failed: {with_fix(' '.join(str(error).split()))}"
    return (
        "Spark's driver has ended, most often for want of memory: raise spark.driver.memory in "
        f"configuration.json ({' '.join(str(error).split())})"
    )


def is_of_s3(error: Exception) -> bool:
    """Return whether boto3 raised an error, whose module a job on a local disk never imports."""
    return any(kind.__module__ == "botocore.exceptions" for kind in type(error).__mro__)


def s3_failure(error: Exception) -> str:
    """Return what S3 answered, and what to change where that is known, in one line."""
    message = " ".join(str(error).split())
    return f"S3 failed: {with_fix(f'{type(error).__name__}: {message}')}"


def root_cause(java: Any) -> str:
    """Return the message of the root cause of a Java exception, in one line, without stack trace and plan."""
    while java.getCause() is not None and not str(java.getMessage()).startswith(SCHEMAS_DIFFER):
        java = java.getCause()
    message = str(java.toString()).partition("Driver stacktrace:")[0]
    if TRACEBACK in message:  # of a Python worker: its last line is the exception
        message = message.strip().rpartition("\n")[2]
    message = message.partition(";\n")[0]
    return " ".join(re.sub(r"\n\s+at .*", "", message).split())


def with_fix(message: str, more: str = "") -> str:
    """Return a message, preceded by what to change.

    Args:
        message: the message.
        more: where else the cause may stand.
    """
    for pattern, remedy in REMEDIES:
        if re.search(pattern, message) or re.search(pattern, more):
            return f"{remedy} ({message})"
    return message


def stop_spark() -> None:
    """End the session, or a cluster takes the end of the driver for a failure of the application."""
    with suppress(Py4JError, OSError):  # the driver may have ended before us
        if session := SparkSession.getActiveSession():
            session.stop()
