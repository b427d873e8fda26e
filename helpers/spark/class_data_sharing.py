"""An archive of Spark's classes, which reduces the startup time of drivers by a third.

A driver loads and verifies 14,000 classes. The JVM can do this once and share the result (JEP 350, Dynamic
CDS Archives). `python -m helpers.spark.class_data_sharing` runs a typical job and stores its classes next to
the Python of Spark jobs; later drivers map them into memory. An archive is valid for one Java version, and
for class paths that begin with the same jars. The JVM ignores it for all other drivers.
"""

import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from helpers.errors import UserError
from helpers.spark import java
from helpers.spark.pyspark_folder import pyspark_folder

TYPICAL_JOB = Path(__file__).with_name("typical_job.py")
SILENT = "-Xlog:cds*=off"
"""The JVM option that suppresses messages about an archive that cannot be used."""
ARCHIVE_HINT = "Check JAVA_HOME and the free disk space, then run: rm -r .venv/job && make up"
_LINE_BYTES = 72
"""Maximum bytes of a manifest line without its line ending (JAR File Specification)."""


@dataclass(frozen=True)
class SharedClasses:
    """An archive, and the jar with the class path for which it is valid."""

    class_path: Path
    archive: Path

    @property
    def java_options(self) -> str:
        """Return the JVM options of a driver; no messages are printed if the archive cannot be used."""
        return f'"-XX:SharedArchiveFile={self.archive}" {SILENT}'

    @property
    def properties(self) -> dict[str, str]:
        """Return the Spark properties of a driver that sets no JVM options."""
        return {
            "spark.driver.extraClassPath": str(self.class_path),
            "spark.driver.defaultJavaOptions": self.java_options,
        }


def shared_classes() -> SharedClasses | None:
    """Return the archive for this Python's Spark, or None."""
    found = _of(Path(sys.prefix) / "job")
    return found if found.archive.is_file() else None


def create(folder: Path) -> SharedClasses:
    """Run a typical job and archive its classes, which takes half a minute.

    Args:
        folder: output folder of the archive, which has 140 MB.

    Raises:
        UserError: there is no Java 17, or it creates no archive.
    """
    shared = _of(folder)
    home = java.java_home()
    own = " ".join(f'"{option}"' for option in own_classes(home, folder))
    _write_class_path(pyspark_folder() / "jars", shared.class_path)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        written = Path(temporary, "archive")
        options = f'{own} "-XX:ArchiveClassesAtExit={written}" {SILENT}'
        command = _typical_job(shared.class_path, options, temporary)
        done = subprocess.run(
            command,
            env=_environment(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode or not written.is_file():
            raise UserError(
                f"Java made no archive of Spark's classes: {done.stdout.strip()[-500:]}",
                hint=ARCHIVE_HINT,
            )
        written.replace(shared.archive)
    return shared


def _of(folder: Path) -> SharedClasses:
    return SharedClasses(folder / "spark-class-path.jar", folder / "spark-classes.jsa")


def own_classes(home: Path, folder: Path) -> Sequence[str]:
    """Return the option for an archive of the JDK's own classes, which a Java from a wheel does not include.

    Args:
        home: folder of the Java installation.
        folder: output folder of an archive if Java has none.
    """
    if (home / "lib" / "server" / "classes.jsa").is_file():
        return ()
    option = f"-XX:SharedArchiveFile={folder / 'java-classes.jsa'}"
    command = [str(home / "bin" / "java"), "-Xshare:dump", option]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return (option,)


def _typical_job(class_path: Path, options: str, folder: str) -> Sequence[str]:
    properties = {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.defaultJavaOptions": options,
        "spark.driver.extraClassPath": str(class_path),
        "spark.driver.host": "127.0.0.1",
        "spark.eventLog.dir": Path(folder).as_uri(),
        "spark.eventLog.enabled": "true",
    }
    words = [f"--conf={name}={value}" for name, value in properties.items()]
    return [
        str(pyspark_folder() / "bin" / "spark-submit"),
        "--master=local[1]",
        *words,
        str(TYPICAL_JOB),
        folder,
    ]


def _environment(home: Path) -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("JAVA_", "SPARK_"))
    }
    return {
        **inherited,
        "JAVA_HOME": str(home),
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_LOCAL_IP": "127.0.0.1",
    }


def _write_class_path(jars: Path, file: Path) -> None:
    """Write a jar whose manifest lists other jars in a fixed order, which makes the class path short."""
    names = " ".join(os.path.relpath(jar, file.parent) for jar in sorted(jars.glob("*.jar")))
    lines = ["Manifest-Version: 1.0", *_folded(f"Class-Path: {names}")]
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "".join(f"{line}\r\n" for line in [*lines, ""]))


def _folded(line: str) -> Sequence[str]:
    """Return a line of a manifest in parts; each continuation begins with a blank."""
    first, rest = line[:_LINE_BYTES], line[_LINE_BYTES:]
    step = _LINE_BYTES - 1
    return [first, *(f" {rest[start : start + step]}" for start in range(0, len(rest), step))]


if __name__ == "__main__":
    try:
        create(Path(sys.prefix) / "job")
    except UserError as error:
        # Jobs also run without the archive.
        print(f"Spark's drivers will start more slowly. {error}", file=sys.stderr)
