"""Checks which files Spark reads and which it silently skips, for jobs that use `spark.read`."""

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
"""Maximum number of names in a message."""

LOG = logging.getLogger("etl")


def _file_system(spark: SparkSession, uri: str) -> tuple[Any, Any]:
    """Return the FileSystem and Path of Hadoop for a URI, as objects of the JVM."""
    jvm: Any = spark._jvm  # PySpark has no public API for Hadoop file systems
    path = jvm.org.apache.hadoop.fs.Path(uri)
    configuration = spark._jsc.hadoopConfiguration()
    return path.getFileSystem(configuration), path


def input_size(spark: SparkSession, uri: str) -> int:
    """Return the number of bytes that Spark reads for a file, a folder with subfolders, or a glob pattern.

    A warning is logged if Spark skips files with hidden names.

    Raises:
        JobError: there are no files, only files with hidden names, or objects that S3A cannot read.
    """
    file_system, _ = _file_system(spark, uri)
    entries = [(root, _entries(spark, file_system, root)) for root in _roots(spark, uri)]
    frame = spark.read.text(uri, recursiveFileLookup=True)  # lists later, so it finds no fewer files
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
                f"Spark skips all files at {uri}, because names that begin with _ or . are hidden: "
                f"{_some(hidden)}; rename them"
            )
        if hidden:
            LOG.warning("Spark skips hidden files at %s: %s", uri, _some(hidden))
    return int(frame._jdf.queryExecution().optimizedPlan().stats().sizeInBytes())


def _roots(spark: SparkSession, uri: str) -> list[Any]:
    """Return the files and folders of a URI as Hadoop paths.

    Raises:
        JobError: there are no files, or the URI is a file name that it does not match as a glob pattern.
    """
    file_system, path = _file_system(spark, uri)
    # globStatus fails for names with a colon. Without a glob pattern, Spark does not call it either.
    if not GLOB_CHARACTER.search(uri):
        if file_system.exists(path):
            return [path]
        raise JobError(f"there is no input at {uri}")
    found = [status.getPath() for status in file_system.globStatus(path) or ()]
    if file_system.exists(path) and str(file_system.makeQualified(path)) not in {str(each) for each in found}:
        raise JobError(
            f"{uri} exists, but as a glob pattern it matches other names: use {escaped(uri)}, or rename it"
        )
    if not found:
        raise JobError(f"there is no input at {uri}")
    return found


def _entries(spark: SparkSession, file_system: Any, root: Any) -> Any:
    """Return a Java list of the FileStatus of all files in a folder; in S3, also of objects such as `a/`."""
    s3a = str(file_system.getClass().getSimpleName()) == "S3AFileSystem"
    # A recursive listing also contains keys with //, which Spark does not find, because it lists each folder.
    list_files = file_system.listFilesAndEmptyDirectories if s3a else file_system.listFiles
    jvm: Any = spark._jvm
    return jvm.org.apache.hadoop.util.functional.RemoteIterators.toList(list_files(root, True))


def _paths_read(spark: SparkSession, frame: DataFrame) -> list[str]:
    """Return the path, without scheme and bucket, of each file that Spark reads for a data frame."""
    jvm: Any = spark._jvm
    strings = jvm.org.apache.hadoop.util.StringUtils
    joined = str(strings.join("\n", frame._jdf.inputFiles()))  # one call to the JVM instead of one per file
    paths = [unquote(urlsplit(uri).path) for uri in joined.split("\n") if uri]
    # Spark lists _metadata files of Parquet, but they contain no data.
    return [path for path in paths if is_data_file(path.rpartition("/")[2])]


def _unread(
    file_system: Any, entries: Sequence[tuple[Any, Any]], read: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Return the files that Spark does not read: those with hidden names, and those that S3A cannot read."""
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
    """Return whether an S3 object with the key of a folder, such as `a/`, contains data."""
    try:
        return int(bytes(file_system.getXAttr(folder, "header.Content-Length"))) > 0
    except Py4JJavaError as error:
        if "FileNotFoundException" not in str(error.java_exception.toString()):
            raise
        return True  # the key is `a//`, which S3A cannot request


def _some(names: Sequence[str]) -> str:
    """Return the first names, and the number of others, for a message."""
    more = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(sorted(names)[:SHOWN_NAMES]) + more
