"""Writes a sizing as configuration.json, with a rationale for each value; other content stays unchanged."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from helpers.errors import UserError
from helpers.spark.sizing.cluster import (
    APPLICATION_MASTER_HEAP_MIB,
    CORES,
    DAEMONS,
    LEAST_OVERHEAD_MIB,
    Shape,
    Sizing,
)

LEAST_SPLIT_BYTES = 4 * 2**20
"""Spark's `spark.sql.files.openCostInBytes`: a file is split for each core, but not below this size."""
S3_CONNECTIONS_PER_CORE = 25
S3_CONNECTIONS = 100
"""The default of the image."""

Document = list[dict[str, Any]]


@dataclass(frozen=True)
class Setting:
    """A property of a classification, with its value and rationale."""

    classification: str
    name: str
    value: str
    rationale: str


def settings(sizing: Sizing) -> tuple[Setting, ...]:
    """Return all properties of a sizing in the order of the file."""
    return (*_spark(sizing), *_yarn(sizing), *_hadoop(sizing))


def document(sizing: Sizing) -> Document:
    """Return a sizing as the content of a configuration.json."""
    return merged([], sizing)


def render(content: Document) -> str:
    """Return the text of a configuration.json."""
    return json.dumps(content, indent=2) + "\n"


def merged(content: Document, sizing: Sizing) -> Document:
    """Return a configuration with the properties of a sizing; other content stays unchanged."""
    result: Document = json.loads(json.dumps(content))
    for setting in settings(sizing):
        properties = _properties(result, setting.classification)
        properties[setting.name] = setting.value
    return result


def read(path: Path) -> Document:
    """Return the content of a configuration.json; empty if the file does not exist.

    Raises:
        UserError: the file is not a list of classifications.
    """
    fix = f"Correct {path}, or remove it to have it written again"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except json.JSONDecodeError as error:
        raise UserError(f"{path}: line {error.lineno}, column {error.colno}: {error.msg}", hint=fix) from None
    content = [content] if isinstance(content, dict) else content
    if not _is_document(content):
        raise UserError(f"{path}: not a list of objects with Classification and Properties", hint=fix)
    return cast("Document", content)


def _is_document(content: Any) -> bool:
    return isinstance(content, list) and all(
        isinstance(entry, dict)
        and isinstance(entry.get("Classification"), str)
        and isinstance(entry.get("Properties"), dict)
        and ("Configurations" not in entry or _is_document(entry["Configurations"]))
        for entry in content
    )


def _properties(content: Document, classification: str) -> dict[str, Any]:
    """Return the properties of a classification for changes; those of a `*-env` are in a nested `export`."""
    entry = _effective(content, classification)
    if classification.endswith("-env"):
        entry = _effective(entry.setdefault("Configurations", []), "export")
    properties: dict[str, Any] = entry.setdefault("Properties", {})
    return properties


def _effective(entries: Document, classification: str) -> dict[str, Any]:
    """Return the entry of a classification; add it if it does not exist.

    The image writes all entries in order, so the last one takes effect.
    """
    for entry in reversed(entries):
        if entry["Classification"] == classification:
            return entry
    entries.append({"Classification": classification, "Properties": {}})
    return entries[-1]


def _spark(sizing: Sizing) -> Iterator[Setting]:
    def setting(name: str, value: object, rationale: str) -> Setting:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        return Setting("spark-defaults", f"spark.{name}", text, rationale)

    instance, node = sizing.instance, sizing.executors_per_node
    used = node * sizing.cores
    yield setting(
        "executor.instances",
        sizing.executors,
        f"{node} on each of {sizing.count} nodes, including the primary",
    )
    well = f"EMR recommends {CORES} per executor"
    yield setting(
        "executor.cores",
        sizing.cores,
        f"{used} of the {instance.vcpus} vCPU of a node run tasks; {well}"
        + ("" if sizing.cores == CORES else ", and this is the nearest number that leaves at most 5 % idle"),
    )
    yield setting(
        "executor.memory",
        f"{sizing.heap_mib}m",
        f"heap: {sizing.executor_mib:,} MiB, {'all' if node == 1 else f'1/{node} of'} that the primary has "
        "for executors, minus the overhead. All executors are alike, and the primary has the least memory",
    )
    beside = (
        f"{sizing.overhead_mib:,} MiB for the JVM outside its heap, a tenth or at least {LEAST_OVERHEAD_MIB}"
    )
    yield setting(
        "executor.memoryOverhead",
        f"{sizing.overhead_mib + sizing.python_mib}m",
        f"{beside}, and {sizing.python_mib:,} MiB for {sizing.cores} Python workers, a quarter of it"
        if sizing.python_mib
        else f"{beside}; no Python worker runs in the hot path",
    )
    yield setting(
        "executor.defaultJavaOptions",
        f"-XX:+UseParallelGC -XX:ParallelGCThreads={sizing.cores}",
        "the collector of the image, with one thread per core; the default is all cores of the node",
    )
    yield setting(
        "driver.memory",
        f"{sizing.driver_heap_mib}m",
        f"heap; another {sizing.driver_outside_mib:,} MiB are for its JVM and its Python process, which "
        "no setting limits in client mode. A job that collects rows in the driver needs more",
    )
    yield setting(
        "driver.maxResultSize",
        f"{sizing.driver_heap_mib // 2}m",
        "half of the heap of the driver: a larger result fails with a message before memory runs out",
    )
    yield setting(
        "yarn.am.memory",
        f"{sizing.master_heap_mib}m",
        f"heap of the application master, which only requests executors, plus {LEAST_OVERHEAD_MIB} MiB"
        + (
            ""
            if sizing.master_heap_mib == APPLICATION_MASTER_HEAP_MIB
            else ". Less than Spark's 512m: the node is small"
        ),
    )
    yield setting("yarn.maxAppAttempts", 1, "a failed job is not repeated by YARN; the pipeline retries it")
    yield setting(
        "dynamicAllocation.enabled",
        False,
        "no other job can use an executor that is released, because the instances run this job only; and the "
        "NodeManagers of the image have no shuffle service",
    )
    yield setting(
        "default.parallelism",
        2 * sizing.slots,
        f"two tasks for each of the {sizing.slots} cores, so that cores are not idle during a slow task",
    )
    yield setting("sql.shuffle.partitions", sizing.shuffle_partitions, _partitions_rationale(sizing))
    yield setting(
        "sql.adaptive.enabled",
        True,
        "coalesces small partitions of a shuffle and splits skewed ones of joins, by the actual data",
    )
    yield setting(
        "sql.parquet.fs.optimized.committer.optimization-enabled",
        True,
        "the EMR committer, which does not rename, if the image can use it",
    )


def _partitions_rationale(sizing: Sizing) -> str:
    waves = sizing.shuffle_partitions // sizing.slots
    if sizing.shape is not Shape.SHUFFLE:
        return f"{waves} per core: such a job shuffles little; adaptive execution coalesces small partitions"
    if sizing.data_bytes is None:
        return f"{waves} per core: the size is not known, and adaptive execution coalesces small partitions"
    size = sizing.data_bytes / sizing.shuffle_partitions / 1e6
    return (
        f"{waves} per core: at most {size:,.0f} MB each if all {sizing.data_bytes / 1e9:,.1f} GB move; "
        "adaptive execution coalesces small partitions, but does not split large ones"
    )


def _yarn(sizing: Sizing) -> Iterator[Setting]:
    def setting(name: str, value: int, rationale: str) -> Setting:
        return Setting("yarn-site", f"yarn.{name}", str(value), rationale)

    node = sizing.executors_per_node
    yield setting(
        "nodemanager.resource.memory-mb",
        sizing.yarn_mib,
        f"{node} × {sizing.executor_mib:,} and {sizing.master_mib:,} MiB for the application master, "
        f"on any node; the image allows all {sizing.instance.memory_mib:,}, including that of the driver",
    )
    yield setting(
        "nodemanager.resource.cpu-vcores",
        sizing.yarn_vcores,
        f"{node} × {sizing.cores} for executors, and one for the application master, which is mostly idle",
    )
    whole = "a container can request at most the resources that a node offers"
    yield setting("scheduler.maximum-allocation-mb", sizing.yarn_mib, whole)
    yield setting("scheduler.maximum-allocation-vcores", sizing.yarn_vcores, whole)


def _hadoop(sizing: Sizing) -> Iterator[Setting]:
    yield Setting(
        "core-site",
        "fs.s3a.connection.maximum",
        str(max(S3_CONNECTIONS, S3_CONNECTIONS_PER_CORE * sizing.cores)),
        f"{S3_CONNECTIONS_PER_CORE} per core of an executor, at least the {S3_CONNECTIONS} of the image: "
        "a task reads, uploads parts and deletes concurrently, and waits if there is no connection",
    )
    yield Setting(
        "hadoop-env",
        "HADOOP_HEAPSIZE_MAX",
        f"{sizing.daemon_heap_mib}m",
        f"limits the heaps of {', '.join(DAEMONS)}: by default a JVM takes up to a quarter of the node",
    )


def hints(sizing: Sizing) -> Mapping[str, str]:
    """Return recommendations that a sizing cannot apply itself, by a short name."""
    result = {}
    splits = -(-(sizing.data_bytes or 0) // LEAST_SPLIT_BYTES)
    if sizing.data_bytes is not None and splits < sizing.slots:
        nodes = -(-splits // (sizing.executors_per_node * sizing.cores))
        result["Little data"] = (
            f"{sizing.data_bytes / 1e6:,.0f} MB are at most {splits} splits for {sizing.slots} cores: "
            f"{nodes} node{'s' if nodes > 1 else ''} would be as fast"
        )
    if sizing.count > 1 and sizing.memory_use < 0.9:
        result["Small nodes"] = (
            f"only {sizing.memory_use:.0%} of the memory left after the daemons is in use: what the driver "
            "takes of the primary is a large part of such a node. Fewer, larger instances lose less"
        )
    return result
