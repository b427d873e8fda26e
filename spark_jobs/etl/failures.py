"""Describes why a job failed in one line: how to fix it, then the message of Spark, Java or S3."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors.exceptions.captured import CapturedException
from pyspark.sql import SparkSession

SPARK_ERRORS = (Py4JError, CapturedException, ConnectionError)
"""The exceptions of PySpark if Spark fails. `spark_failure` describes them."""


REMEDIES = (
    (
        r"OutOfMemoryError|[Ee]xit(ed with)? ?(code|status):? 52\b",
        "memory ran out: raise spark.executor.memory in configuration.json (spark.driver.memory on one "
        "instance), or lower spark.executor.cores",
    ),
    (
        r"memoryOverhead|MemoryError|Python worker exited unexpectedly"
        r"|beyond the '?(PHYSICAL|VIRTUAL)|[Ee]xit(ed with)? ?(code|status):? (137|143)\b",
        "an executor was killed, for example because memory outside its heap ran out: raise "
        "spark.executor.memoryOverhead in configuration.json",
    ),
    (
        r"above the max threshold \(\d+ MB\) of this cluster",
        "an executor does not fit into a node: use the sizes of make size in configuration.json, or larger "
        "instances",
    ),
    (
        r"No space left on device|Disk quota exceeded|File too large",
        "the disk for shuffle and spill is full: raise pyspark_process_volume_size_gb, or "
        "pyspark_process_instance_count to spread the data",
    ),
    (
        r"SlowDown|reduce your request rate|Status Code: 503",
        "S3 throttles requests: raise spark.hadoop.fs.s3a.attempts.maximum and fs.s3a.retry.limit, or use "
        "fewer cores",
    ),
    (
        r"timed? ?out|SocketTimeoutException|ConnectTimeoutException",
        "S3 or another node responds too slowly: raise spark.hadoop.fs.s3a.connection.timeout and "
        "spark.network.timeout in configuration.json",
    ),
    (
        r"bucket is null/empty",
        "S3A cannot read the bucket name, because it is not a valid host name in Java: use a bucket name "
        "without _ and with a letter after the last dot",
    ),
    (
        r"Relative path in absolute URI",
        "Hadoop reads the part of a file name before a colon as a URI scheme: on S3, use the folder instead "
        "of a glob pattern; on a local disk, rename the file",
    ),
    (
        r"native \w+ library not available",
        "Hadoop's native library for this compression is missing: compress the input with gzip",
    ),
    (
        r"spark\.driver\.maxResultSize",
        "tasks send more results than the driver accepts: raise spark.driver.maxResultSize and "
        "spark.driver.memory in configuration.json, or collect less",
    ),
    (
        r"CANNOT_MERGE_SCHEMAS",
        "a column has different types in different files of the input: read them separately, or rewrite some",
    ),
    (
        r"SparkContext was shut down",
        "Spark ended before the job, usually because memory ran out: raise spark.driver.memory or "
        "spark.executor.memory in configuration.json",
    ),
)
"""Patterns of error messages, and how to fix the cause. The first match is used."""


TRACEBACK = "Traceback (most recent call last)"
SCHEMAS_DIFFER = "[CANNOT_MERGE_SCHEMAS]"
"""Beginning of a message with the name of the column. The message of its cause contains only two types."""


def spark_failure(error: Exception) -> str:
    """Return why Spark failed and how to fix it, if known, in one line.

    Args:
        error: one of `SPARK_ERRORS`.
    """
    java = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    if java is not None:
        return f"Spark failed: {with_fix(root_cause(java), str(java.toString()))}"
    if isinstance(error, CapturedException):
        return f"Spark failed: {with_fix(' '.join(str(error).split()))}"
    return (
        "the Spark driver has ended, usually because memory ran out: raise spark.driver.memory in "
        f"configuration.json ({' '.join(str(error).split())})"
    )


def is_of_s3(error: Exception) -> bool:
    """Return whether boto3 raised an error. Jobs on a local disk do not import its exceptions."""
    return any(kind.__module__ == "botocore.exceptions" for kind in type(error).__mro__)


def s3_failure(error: Exception) -> str:
    """Return the error of S3 and how to fix it, if known, in one line."""
    message = " ".join(str(error).split())
    return f"S3 failed: {with_fix(f'{type(error).__name__}: {message}')}"


def root_cause(java: Any) -> str:
    """Return the message of the root cause of a Java exception in one line, without trace and query plan."""
    while java.getCause() is not None and not str(java.getMessage()).startswith(SCHEMAS_DIFFER):
        java = java.getCause()
    message = str(java.toString()).partition("Driver stacktrace:")[0]
    if TRACEBACK in message:  # from a Python worker; the last line is the exception
        message = message.strip().rpartition("\n")[2]
    message = message.partition(";\n")[0]
    return " ".join(re.sub(r"\n\s+at .*", "", message).split())


def with_fix(message: str, more: str = "") -> str:
    """Return a message, preceded by how to fix the error, if known.

    Args:
        message: the message.
        more: more text to search for a known cause.
    """
    for pattern, remedy in REMEDIES:
        if re.search(pattern, message) or re.search(pattern, more):
            return f"{remedy} ({message})"
    return message


def stop_spark() -> None:
    """Stop the Spark session. Otherwise, YARN reports the application as failed when the driver exits."""
    with suppress(Py4JError, OSError):  # the JVM may have exited already
        if session := SparkSession.getActiveSession():
            session.stop()
