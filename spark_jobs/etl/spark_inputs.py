"""Checks which files of a folder Spark reads and silently skips, for jobs that use `spark.read`."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from py4j.protocol import Py4JJavaError

from etl.errors import JobError
from etl.names import GLOB_CHARACTER, escaped, is_data_file, is_hidden

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pyspark.sql import DataFrame, SparkSession

SHOWN_NAMES = 3
"""Names that a message gives of many."""

LOG = logging.getLogger("etl")


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
        JobError: there are no files, or the file with exactly this name does not exist.
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
