"""What any Spark job of this project can use: log and timings, files, runs and their report, data frames.

Handed to spark-submit with `--py-files`, so a job says `from data_utils import …`. Needs pyspark and nothing
else. Files are reached through Hadoop's FileSystem, for s3a://, s3://, hdfs:// and local paths alike.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import time
import uuid
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Optional, Union
from urllib.parse import unquote, urlsplit

from py4j.protocol import Py4JError, Py4JJavaError
from pyspark.errors.exceptions.captured import CapturedException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name that the Spark world gives it

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pyspark.sql import Column, DataFrame
    from pyspark.sql.types import StructType

BYTES_PER_FILE = 128 * 1024**2
"""Input bytes that go into one output file: few enough files to list, large enough ones to read well."""

REPORT_VERSION = 2
"""The version of the report that `job_report` makes: docs/job-report.md."""
RUNS_KEPT_DAYS = 10
"""Longer than any processing job may run (9 days), so what is older is neither written nor read."""
LEAST_OVERHEAD_MIB = 384
"""What Spark asks for beside the heap of an executor at least."""
DAY_MS = 24 * 60 * 60 * 1000

GLOB_CHARACTER = re.compile(r"[{}\[\]*?\\]")
"""What makes Spark take a path for a glob pattern."""
COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".snappy", ".deflate")
"""Suffixes by which Hadoop knows what to decompress."""
SHOWN_NAMES = 3
"""Names that a message gives of many."""

LOG = logging.getLogger("data_utils")

SPARK_ERRORS = (Py4JError, CapturedException, ConnectionError)
"""What PySpark raises where Spark fails: `spark_failure` makes one line of it."""

Value = Union[bool, int, float, str]
"""What a check compares."""

REMEDIES = (
    (
        r"OutOfMemoryError|[Ee]xit(ed with)? ?(code|status):? 52\b",
        "memory ran out: raise spark.executor.memory in configuration.json (spark.driver.memory on one "
        "instance), or lower spark.executor.cores",
    ),
    (
        r"memoryOverhead|beyond the '?(PHYSICAL|VIRTUAL)|[Ee]xit(ed with)? ?(code|status):? (137|143)\b",
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
"""What Spark says when it lacks something, and what to change. The first that fits counts."""

SCHEMAS_DIFFER = "[CANNOT_MERGE_SCHEMAS]"
"""How a message begins that shows the columns; that of its cause shows no more than two types."""


class JobError(Exception):
    """An error that the user who started the job can fix, described in one line."""


class Unbuffered:
    """A text stream that flushes after every write, so that the job's log is seen while the job runs."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, data: str) -> int:
        """Write the text and flush."""
        written: int = self.stream.write(data)
        self.stream.flush()
        return written

    def writelines(self, data: Iterable[str]) -> None:
        """Write the lines and flush."""
        self.stream.writelines(data)
        self.stream.flush()

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.stream, attribute)


def stdout_logger(name: str) -> logging.Logger:
    """Return a logger whose lines go to today's `sys.stdout` at once; Spark's own log is on stderr."""
    handler = logging.StreamHandler(Unbuffered(sys.stdout))
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger(name)
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


@contextmanager
def timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    """Note in `seconds`, under the name of the phase, how long the block took."""
    start = time.monotonic()
    yield
    seconds[phase] = round(time.monotonic() - start, 3)


# --- files ---


def _file_system(spark: SparkSession, uri: str) -> tuple[Any, Any]:
    """Return Hadoop's FileSystem and Path for a URI, as objects of the JVM."""
    jvm: Any = spark._jvm  # PySpark has no public way to Hadoop's file systems
    path = jvm.org.apache.hadoop.fs.Path(uri)
    configuration = spark._jsc.hadoopConfiguration()
    return path.getFileSystem(configuration), path


def input_size(spark: SparkSession, uri: str) -> int:
    """Return the bytes that Spark reads of a file, of a folder with all below it, or of a glob pattern.

    Files that Spark skips for their hidden names are logged.

    Raises:
        JobError: there is nothing, there are hidden files only, or S3A does not reach all objects.
    """
    file_system, _ = _file_system(spark, uri)
    entries = [(root, _entries(spark, file_system, root)) for root in _roots(spark, uri)]
    frame = spark.read.text(uri, recursiveFileLookup=True)  # lists later, so that it finds no less
    read = _paths_read(spark, frame)
    if sum(found.size() for _, found in entries) != len(read):
        hidden, unreachable = _unread(file_system, entries, read)
        if unreachable:
            raise JobError(
                f"Spark cannot reach objects at {uri} whose keys contain // or end in /: "
                f"{_some(unreachable)}; move them to other keys, or remove them"
            )
        if hidden and not read:
            raise JobError(
                f"Spark skips all files at {uri}, since names that begin with _ or . are hidden: "
                f"{_some(hidden)}; rename them"
            )
        if hidden:
            LOG.warning("Spark skips hidden files at %s: %s", uri, _some(hidden))
    return int(frame._jdf.queryExecution().optimizedPlan().stats().sizeInBytes())


def _roots(spark: SparkSession, uri: str) -> list[Any]:
    """Return the files and folders that a URI stands for, as Hadoop's Path.

    Raises:
        JobError: there are none, or not the one of exactly this name.
    """
    file_system, path = _file_system(spark, uri)
    if not GLOB_CHARACTER.search(
        uri
    ):  # globStatus cannot read a colon in a name; Spark does not ask it either
        if file_system.exists(path):
            return [path]
        raise JobError(f"there is no input at {uri}")
    found = [status.getPath() for status in file_system.globStatus(path) or ()]
    if file_system.exists(path) and str(file_system.makeQualified(path)) not in {str(each) for each in found}:
        raise JobError(
            f"{uri} is there, but as a glob pattern it means other names: write {escaped(uri)}, or rename it"
        )
    if not found:
        raise JobError(f"there is no input at {uri}")
    return found


def _entries(spark: SparkSession, file_system: Any, root: Any) -> Any:
    """Return a Java list of the FileStatus of all files below a folder, in S3 also of objects like `a/`."""
    s3a = str(file_system.getClass().getSimpleName()) == "S3AFileSystem"
    # Flat, so that S3A finds keys with // as well, which it does not find folder by folder, as Spark lists.
    list_files = file_system.listFilesAndEmptyDirectories if s3a else file_system.listFiles
    jvm: Any = spark._jvm
    return jvm.org.apache.hadoop.util.functional.RemoteIterators.toList(list_files(root, True))


def _paths_read(spark: SparkSession, frame: DataFrame) -> list[str]:
    """Return the path, without scheme and bucket, of each file that Spark reads for a frame."""
    jvm: Any = spark._jvm
    strings = jvm.org.apache.hadoop.util.StringUtils
    joined = str(strings.join("\n", frame._jdf.inputFiles()))  # one call, not one for each file
    paths = [unquote(urlsplit(uri).path) for uri in joined.split("\n") if uri]
    # Spark lists _metadata, which Parquet may need, and reads no data from it.
    return [path for path in paths if is_data_file(path.rpartition("/")[2])]


def _unread(
    file_system: Any, entries: Sequence[tuple[Any, Any]], read: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return the files that Spark does not read: those with hidden names, and those that it cannot reach."""
    left, files = Counter(read), set(read)
    hidden, unreachable = [], []
    for root, found in entries:
        top = str(file_system.makeQualified(root).toUri().getPath())
        for status in found:
            path = str(status.getPath().toUri().getPath())
            if status.isDirectory():
                if path not in files and _has_content(file_system, status.getPath()):
                    unreachable.append(f"{path}/")
            elif left[path]:
                left[path] -= 1
            elif not is_hidden(path.removeprefix(f"{top}/") if path != top else path.rpartition("/")[2]):
                unreachable.append(path)
            elif status.getLen():
                hidden.append(path)
    return hidden, unreachable


def _has_content(file_system: Any, folder: Any) -> bool:
    """Return whether the object of S3 that stands for a folder, `a/`, holds data."""
    try:
        return int(bytes(file_system.getXAttr(folder, "header.Content-Length"))) > 0
    except Py4JJavaError as error:
        if "FileNotFoundException" not in str(error.java_exception.toString()):
            raise
        return True  # it is not `a/` but `a//`, of which no request of S3A asks


def _some(names: Sequence[str]) -> str:
    """Return the first names, and how many there are, for a message."""
    more = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(sorted(names)[:SHOWN_NAMES]) + more


def is_hidden(name: str) -> bool:
    """Return whether Spark skips a file, by its name below the folder that is read.

    >>> is_hidden("_a.csv"), is_hidden(".day=1/a"), is_hidden("a.csv._COPYING_"), is_hidden("_day=1/a")
    (True, True, True, False)
    """
    return any(
        part.startswith(".") or part.endswith("._COPYING_") or (part.startswith("_") and "=" not in part)
        for part in name.split("/")
    )


@contextmanager
def reading(spark: SparkSession, uri: str) -> Iterator[None]:
    """Name the compressed input file that cannot be read, where Spark fails within the block for one.

    Raises:
        JobError: a compressed file is broken.
    """
    try:
        yield
    except Py4JJavaError as error:
        cause = root_cause(error.java_exception)
        if cause == with_remedy(cause) and (file := _broken_file(spark, uri)):
            raise JobError(f"{file} cannot be decompressed: replace or remove it ({cause})") from error
        raise


def _broken_file(spark: SparkSession, uri: str) -> Optional[str]:
    """Return a compressed input file that Spark fails to read: its exception seldom names one."""
    found = spark.read.text(uri, recursiveFileLookup=True).inputFiles()
    files = [unquote(name) for name in found if name.endswith(COMPRESSED)]
    if not files or _is_readable(spark, files):
        return None
    while len(files) > 1:
        half = files[: len(files) // 2]
        files = files[len(half) :] if _is_readable(spark, half) else half
    return files[0]


def _is_readable(spark: SparkSession, files: Sequence[str]) -> bool:
    try:
        spark.read.text([escaped(file) for file in files]).count()
    except Py4JJavaError:
        return False
    return True


def escaped(uri: str) -> str:
    r"""Return the glob pattern that matches exactly this URI.

    >>> print(escaped("in/a [1].csv"))
    in/a \[1\].csv
    """
    return GLOB_CHARACTER.sub(r"\\\g<0>", uri)


def file_sizes(spark: SparkSession, folder: str) -> list[int]:
    """Return the bytes of each data file in a folder and its partitions."""
    return [int(status.getLen()) for name, status in _files(spark, folder) if is_data_file(name)]


def is_data_file(name: str) -> bool:
    """Return whether Spark reads a file, by its name below the folder that is read.

    >>> is_data_file("day=1/part-0.parquet"), is_data_file("_SUCCESS"), is_data_file("_temporary/0/part-0")
    (True, False, False)
    """
    return not any(part.startswith(("_", ".")) and "=" not in part for part in name.split("/"))


def _files(spark: SparkSession, folder: str) -> Iterator[tuple[str, Any]]:
    """Yield the name below the folder, and Hadoop's FileStatus, of each file in it and its subfolders."""
    file_system, path = _file_system(spark, folder)
    root = str(file_system.makeQualified(path).toUri().getPath())
    found = file_system.listFiles(path, True)
    while found.hasNext():
        status = found.next()
        yield str(status.getPath().toUri().getPath()).removeprefix(f"{root}/"), status


def names_in(spark: SparkSession, folder: str) -> list[str]:
    """Return the names of what lies in a folder."""
    file_system, path = _file_system(spark, folder)
    return [str(status.getPath().getName()) for status in file_system.listStatus(path)]


def delete(spark: SparkSession, uri: str) -> None:
    """Remove a file or a folder with what it holds; nothing there is fine."""
    file_system, path = _file_system(spark, uri)
    file_system.delete(path, True)


def read_text(spark: SparkSession, uri: str) -> str:
    """Return the text of a small file, empty if there is none."""
    file_system, path = _file_system(spark, uri)
    if not file_system.exists(path):
        return ""
    stream = file_system.open(path)
    try:
        jvm: Any = spark._jvm
        return str(jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
    finally:
        stream.close()


def publish(spark: SparkSession, uri: str, text: str) -> None:
    """Write a small file at once: a reader sees what was there before, or the whole of this.

    An object of S3 appears when it is closed. A local file takes the place of the other; HDFS knows no such
    thing and is no place for what outlives a job.
    """
    file_system, path = _file_system(spark, uri)
    if str(file_system.getUri().getScheme()) == "file":
        target = Path(str(path.toUri().getPath()))
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f".{target.name}.{uuid.uuid4().hex}")
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)
        return
    stream = file_system.create(path, True)
    stream.write(bytearray(text, "utf-8"))
    stream.close()  # not after a failure: it would publish what was written until then


# --- runs and their report: docs/job-report.md ---


class Run(NamedTuple):
    """One run of a job, which writes to folders that no other run writes to."""

    name: str
    """The name of the processing job; of a run without SageMaker the time, and something random."""
    report_folder: str
    days_kept: int
    """How long runs are kept, in days."""

    def below(self, output: str) -> str:
        """Return the folder of this run below an output of the job."""
        return f"{output.rstrip('/')}/runs/{self.name}"


class Output(NamedTuple):
    """A data set that a run has written."""

    folder: str
    rows: int
    files: int
    format: str
    """The suffix of its files: parquet, csv, json, orc, txt."""


class Check(NamedTuple):
    """Two values that must be equal if the job did what it is for."""

    name: str
    expected: Value
    actual: Value


class Executors(NamedTuple):
    """The executors that Spark was asked for, and those that it has; cores and memory are those of each."""

    requested: int
    granted: int
    cores: int
    memory_mib: int
    """Of its container: heap, off-heap and Python's memory, and on YARN the overhead."""


def begin_run(output: str) -> Run:
    """Return a new run, as the environment describes it.

    `PROCESSING_JOB_CONFIG` is the file in which SageMaker describes the processing job, `REPORT_FOLDER` the
    folder of the report, `RUNS_KEPT_DAYS` the days that runs are kept. All of them may be unset.

    Args:
        output: folder of the report where `REPORT_FOLDER` is unset.

    Raises:
        JobError: a variable has no usable value.
    """
    days = os.environ.get("RUNS_KEPT_DAYS") or str(RUNS_KEPT_DAYS)
    if not re.fullmatch("[1-9][0-9]{0,4}", days):
        raise JobError(f"RUNS_KEPT_DAYS={days}: expected a number of days from 1 to 99999")
    folder = os.environ.get("REPORT_FOLDER") or output
    return Run(_run_name(os.environ.get("PROCESSING_JOB_CONFIG")), folder.rstrip("/"), int(days))


def _run_name(job_config: Optional[str]) -> str:
    if not job_config:
        return f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}"
    try:
        name = json.loads(Path(job_config).read_text(encoding="utf-8"))["ProcessingJobName"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise JobError(
            f"PROCESSING_JOB_CONFIG={job_config}: no ProcessingJobName can be read from it "
            f"({type(error).__name__}: {error}); name SageMaker's processingjobconfig.json, or unset it"
        ) from error
    return str(name)


def written_output(
    spark: SparkSession, folder: str, rows: int, file_format: str, required: Sequence[str] = ()
) -> Output:
    """Return an output with its data files counted.

    Args:
        spark: the session.
        folder: of the output.
        rows: that were written.
        file_format: parquet, csv, json, orc or txt.
        required: columns of a Parquet output that must not hold NULL.

    Raises:
        JobError: a required column holds NULL.
    """
    if required:
        _reject_nulls(spark, folder, required)
    return Output(folder, rows, len(file_sizes(spark, folder)), file_format)


def _reject_nulls(spark: SparkSession, folder: str, columns: Sequence[str]) -> None:
    # Parquet's statistics count the NULLs of each row group: without any, Spark reads no more than them.
    is_null = {column: F.col(column).isNull() for column in columns}
    rows = spark.read.parquet(folder).where(reduce(or_, is_null.values()))
    counts = rows.agg(*(F.count_if(null).alias(column) for column, null in is_null.items())).first()
    if counts and any(counts):
        found = ", ".join(f"{column} ({count:,} rows)" for column, count in counts.asDict().items() if count)
        raise JobError(f"{folder} holds NULL in required columns: {found}; the job dropped values on the way")


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


def job_report(
    application_id: str,
    outputs: Mapping[str, Output],
    *,
    rows_in: Optional[int] = None,
    rows_rejected: Optional[int] = None,
    checks: Sequence[Check] = (),
    seconds: Optional[Mapping[str, float]] = None,
    executors: Optional[Executors] = None,
) -> dict[str, Any]:
    """Return the report of a run.

    Args:
        application_id: of Spark.
        outputs: all that the run has written, by name.
        rows_in: rows read, if that is one number.
        rows_rejected: rows set aside as malformed, if the job does so.
        checks: what must hold.
        seconds: timings, by phase of the job.
        executors: what `count_executors` has found.
    """
    counts = {"rows_in": rows_in, "rows_rejected": rows_rejected}
    return {
        "version": REPORT_VERSION,
        "application_id": application_id,
        **{key: count for key, count in counts.items() if count is not None},
        "outputs": {name: output._asdict() for name, output in outputs.items()},
        "checks": [check._asdict() for check in checks],
        "seconds": dict(seconds or {}),
        **({"executors": executors._asdict()} if executors else {}),
    }


def publish_report(spark: SparkSession, run: Run, report: Mapping[str, Any]) -> list[str]:
    """Write the report of a run that is complete, and remove the runs that nobody reads any more.

    The report lies in the run's folder, for whoever knows the run. Last of all and at once, it replaces
    `report.json` of the report folder: whoever follows that one sees one whole run or another.

    Returns:
        The folders of runs that were removed.
    """
    text = json.dumps(report, indent=2) + "\n"
    newest = f"{run.report_folder}/report.json"
    before = read_text(spark, newest)
    own = f"{run.below(run.report_folder)}/report.json"
    publish(spark, own, text)
    publish(spark, newest, text)
    file_system, path = _file_system(spark, own)
    now = int(file_system.getFileStatus(path).getModificationTime())  # by the clock that all files go by
    inside = f"/runs/{run.name}/"
    folders = [output["folder"] for output in report["outputs"].values()]
    bases = {run.report_folder, *(folder.partition(inside)[0] for folder in folders if inside in folder)}
    removed = []
    for runs in sorted(f"{base}/runs" for base in bases):
        modified = {name: _last_modified(spark, f"{runs}/{name}") for name in names_in(spark, runs)}
        for outdated in outdated_runs(modified, run.name, now - run.days_kept * DAY_MS, before):
            delete(spark, f"{runs}/{outdated}")
            removed.append(f"{runs}/{outdated}")
    return removed


def _last_modified(spark: SparkSession, run: str) -> int:
    """Return when a run wrote its report, in milliseconds since 1970; without one, its newest file."""
    file_system, report = _file_system(spark, f"{run}/report.json")
    if file_system.exists(report):
        return int(file_system.getFileStatus(report).getModificationTime())
    times = [int(status.getModificationTime()) for _, status in _files(spark, run)]
    return max(times, default=int(file_system.getFileStatus(report.getParent()).getModificationTime()))


def outdated_runs(modified: Mapping[str, int], newest: str, limit: int, report: str) -> list[str]:
    """Return the runs that nobody writes or reads any more.

    Younger ones stay: a reader may have been led to one, another job may be writing one.

    Args:
        modified: when each run was written, in milliseconds since 1970.
        newest: the run that has just been published.
        limit: the time before which a run is outdated.
        report: text of the report before it; the run that it names stays as well.

    >>> outdated_runs({"a": 1, "b": 2, "c": 3, "d": 4}, "d", 3, "…/runs/b/csv")
    ['a']
    """
    kept = {newest, *re.findall(r"/runs/([^/\"]+)", report)}
    return sorted(run for run, time_ms in modified.items() if time_ms < limit and run not in kept)


# --- failures ---


def spark_failure(error: Exception) -> str:
    """Return what Spark failed of, and what to change where that is known, in one line.

    Args:
        error: one of `SPARK_ERRORS`.
    """
    java = getattr(error, "java_exception", None) or getattr(error, "_origin", None)
    if java is not None:
        return f"Spark failed: {with_remedy(root_cause(java), str(java.toString()))}"
    if isinstance(error, CapturedException):
        return f"Spark failed: {with_remedy(' '.join(str(error).split()))}"
    return (
        "Spark's driver has ended, most often for want of memory: raise spark.driver.memory in "
        f"configuration.json ({' '.join(str(error).split())})"
    )


def root_cause(java: Any) -> str:
    """Return what Java says at the bottom of a chain of exceptions, in one line, without stack and plan."""
    while java.getCause() is not None and not str(java.getMessage()).startswith(SCHEMAS_DIFFER):
        java = java.getCause()
    said = str(java.toString()).partition("Driver stacktrace:")[0].partition(";\n")[0]
    return " ".join(re.sub(r"\n\s+at .*", "", said).split())


def with_remedy(said: str, more: str = "") -> str:
    """Return what was said, led by what to change about it.

    Args:
        said: the message.
        more: where else the cause may stand.
    """
    for pattern, remedy in REMEDIES:
        if re.search(pattern, said) or re.search(pattern, more):
            return f"{remedy} ({said})"
    return said


def stop_spark() -> None:
    """End the session, or a cluster takes the end of the driver for a failure of the application."""
    with suppress(Py4JError, OSError):  # the driver may have ended before us
        if session := SparkSession.getActiveSession():
            session.stop()


# --- locations ---


def overlap(input_uri: str, output_uri: str) -> bool:
    """Say whether a job would read what it writes: one lies in the other, or they are the same.

    >>> overlap("s3a://data/in", "s3://data/in/out"), overlap("s3a://data/*.csv", "s3a://data/out")
    (True, False)
    """
    source, target = _location(re.sub(r"\{[^}]*\}", "*", input_uri)), _location(output_uri)
    return all(fnmatchcase(target[i], source[i]) for i in range(min(len(source), len(target))))


def _location(uri: str) -> list[str]:
    """Return bucket and path, in parts. s3, s3a and s3n are one store; so are /path and file:///path."""
    scheme, colon, rest = uri.partition(":")
    path = rest if colon and "/" not in scheme else uri
    bucket, *parts = path[2:].split("/") if path.startswith("//") else ["", *path.split("/")]
    return [bucket, *(part for part in parts if part)]


# --- data frames ---


@contextmanager
def persisted(frame: DataFrame) -> Iterator[DataFrame]:
    """Keep the frame's rows in memory, and on local disk where memory ends, for the length of the block."""
    frame.persist()
    try:
        yield frame
    finally:
        frame.unpersist()


def output_files(input_bytes: int, bytes_per_file: int = BYTES_PER_FILE) -> int:
    """Return how many files the output of this much input deserves: one for each full or begun share.

    >>> output_files(0), output_files(BYTES_PER_FILE), output_files(BYTES_PER_FILE + 1)
    (1, 1, 2)
    """
    return max(1, -(-input_bytes // bytes_per_file))


def spread(frame: DataFrame, files: int) -> DataFrame:
    """Return the frame in as many partitions, or more where cores would have nothing to do.

    Rows move between machines only where there are too few partitions.
    """
    partitions = frame.rdd.getNumPartitions()
    if files > partitions:
        return frame.repartition(files)
    cores = frame.sparkSession.sparkContext.defaultParallelism
    return frame.coalesce(max(files, cores)) if max(files, cores) < partitions else frame


def spark_read_parquet(  # noqa: PLR0913, PLR0917 - the arguments of the seed, which callers know
    spark: SparkSession,
    path: str,
    logger: logging.Logger,
    merge_schema: str | bool = "true",
    header: str | bool = "true",
    add_partition_to_cols: bool = False,
    partition_col: str | None = None,
    schema: StructType | None = None,
    date_partition: bool = False,
    date_format: str | None = None,
) -> DataFrame:
    """Read Parquet data, if asked to with the partition it lies in (`…/day=2026-11-24/…`) as a column.

    Args:
        spark: the session.
        path: a table, one partition of a table, or a glob pattern.
        logger: told what was read.
        merge_schema: whether to unite the schemas of all files.
        header: without meaning for Parquet; taken so that calls for CSV and for Parquet look alike.
        add_partition_to_cols: whether `partition_col` is a column, also where `path` names one partition.
        partition_col: name of the partition column; its values stay text (`01` is not 1).
        schema: what to read; columns that a file lacks are null.
        date_partition: whether the partition's value is a date, which becomes a timestamp.
        date_format: how that date is written, such as `yyyy-MM-dd`.

    Raises:
        ValueError: the arguments do not go together, or the path has no such partition. A partition that is
            no date of this format fails the read of its rows.
    """
    del header
    if add_partition_to_cols and not partition_col:
        raise ValueError("add_partition_to_cols needs partition_col")
    if date_partition and not (add_partition_to_cols and date_format):
        raise ValueError("date_partition needs add_partition_to_cols and date_format")

    reader = spark.read.option("mergeSchema", str(merge_schema).lower())
    if schema is not None:
        reader = reader.schema(schema)
    if not (add_partition_to_cols and partition_col):
        frame = reader.parquet(path)
    else:
        table, found, _ = path.partition(f"/{partition_col}=")
        if found:  # below its table's root Spark looks for partitions only if told where the root is
            reader = reader.option("basePath", table)
        with local_setting(spark, "spark.sql.sources.partitionColumnTypeInference.enabled", "false"):
            frame = reader.parquet(path)
        if partition_col not in frame.columns:
            raise ValueError(f"{path} has no partition {partition_col}=…; its columns are {frame.columns}")
        # Where every partition is the one of NULL, Spark gives the column a type that no file can hold.
        value = F.col(partition_col).cast("string")
        if date_partition and date_format:
            value = _date_of(value, partition_col, date_format)
        frame = frame.withColumn(partition_col, value)
    logger.info("read %s with the columns %s", path, ", ".join(frame.columns))
    return frame


def _date_of(value: Column, name: str, date_format: str) -> Column:
    """Return a text as a timestamp; Spark alone would make NULL of what is no date."""
    date = F.to_timestamp(value, date_format)
    problem = F.concat(
        F.lit(f"the partition {name}="), value, F.lit(f" is no date of the format {date_format}")
    )
    return F.when(value.isNull() | date.isNotNull(), date).otherwise(F.raise_error(problem).cast("timestamp"))


@contextmanager
def local_setting(spark: SparkSession, key: str, value: str) -> Iterator[None]:
    """Give a setting of the session another value within the block."""
    before = spark.conf.get(key)
    spark.conf.set(key, value)
    try:
        yield
    finally:
        spark.conf.set(key, str(before))
