"""An archive of the classes of Hadoop's daemons, which reduces the CPU time of YARN's start by a third.

`python -m helpers.local_aws.hadoop.class_data_sharing` starts YARN once and stores its classes next to the
Python of Spark jobs, as `helpers.spark.class_data_sharing` does for drivers.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from helpers.errors import UserError
from helpers.local_aws.hadoop.cluster import ClusterSpecification, HadoopCluster
from helpers.spark import hadoop_jars, java
from helpers.spark.class_data_sharing import ARCHIVE_HINT, SILENT, own_classes
from helpers.spark.pyspark_folder import pyspark_folder

_DUMP_SECONDS = 180
"""Enough for a machine that is busy with other installations."""
_ONE_NODE = ClusterSpecification(("algo-1",), ())


def class_path() -> Sequence[Path]:
    """Return the jars of Hadoop's daemons, then those of pyspark; download missing ones.

    Raises:
        UserError: A jar is not available.
    """
    return [*hadoop_jars.ensure(), *sorted((pyspark_folder() / "jars").glob("*.jar"))]


def shared_classes() -> Sequence[str]:
    """Return the JVM options for the archive of this Python's Hadoop, or none if there is no archive.

    The JVM silently ignores an archive of another Java version or another class path.
    """
    archive = _archive(Path(sys.prefix) / "job")
    return (f"-XX:SharedArchiveFile={archive}", SILENT) if archive.is_file() else ()


def create(folder: Path) -> Path:
    """Start YARN, and archive its classes in a folder: 93 MB, in ten seconds on an idle machine.

    Raises:
        UserError: there is no Java 17, a jar is not available, or Java creates no archive.
    """
    home = java.java_home()
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        written = Path(temporary, "archive")
        options = (*own_classes(home, folder), f"-XX:ArchiveClassesAtExit={written}", SILENT)
        files = Path(tempfile.mkdtemp(prefix="hadoop-classes-")).resolve()  # HDFS supports no blank in paths
        cluster = HadoopCluster(home, class_path(), files, options)
        try:
            cluster.configure(_ONE_NODE, {})
            cluster.exit(_DUMP_SECONDS)
        finally:
            cluster.close()
        if not written.is_file():
            raise UserError("Java made no archive of the classes of Hadoop's daemons", hint=ARCHIVE_HINT)
        return written.replace(_archive(folder))


def _archive(folder: Path) -> Path:
    return folder / "hadoop-classes.jsa"


if __name__ == "__main__":
    try:
        create(Path(sys.prefix) / "job")
    except UserError as error:
        # Jobs also run without the archive.
        print(f"YARN will start more slowly. {error}", file=sys.stderr)
