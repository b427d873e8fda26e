"""Reads the files of jobs with the readers of the image: Spark, Hadoop, Java and a shell."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.java_gateway import launch_gateway

from helpers.spark import java
from tests.peers.spark_container.embedded import Outcome, exported


class FileReader:
    """Reads files in a JVM with Spark and Hadoop."""

    def __init__(self, jvm: Any, folder: Path):
        self._jvm = jvm
        self._folder = folder

    def understood(self, outcome: Outcome) -> Outcome:
        """Return an outcome with the parsed content of its files, or with the error of a reader."""
        if "files" not in outcome:
            return outcome
        files = {}
        for path, text in outcome["files"].items():
            try:
                files[path] = self.read(path, text)
            except ValueError as error:
                return {"unreadable": f"{path}: {error}"}
        return {
            **outcome,
            "files": {path: dict(sorted(found.items())) for path, found in files.items() if found},
        }

    def read(self, path: str, text: str) -> dict[str, str]:
        """Return the content of a file as its readers understand it.

        Raises:
            ValueError: a reader fails.
        """
        if path.endswith(".sh"):
            return exported(text)
        file = self._folder / Path(path).name
        file.write_text(text, encoding="utf-8")
        try:
            if path.endswith(".xml"):
                return self._site(file)
            if path.endswith("spark-defaults.conf"):
                return self._defaults(file)
            return self._properties(file)
        except Py4JJavaError as error:
            cause = error.java_exception
            while cause.getCause() is not None:
                cause = cause.getCause()
            raise ValueError(cause.toString()) from None

    def _site(self, file: Path) -> dict[str, str]:
        configuration = self._jvm.org.apache.hadoop.conf.Configuration(False)
        configuration.addResource(self._jvm.org.apache.hadoop.fs.Path(file.as_uri()))
        entries = configuration.iterator()
        found = {}
        while entries.hasNext():
            entry = entries.next()
            found[entry.getKey()] = entry.getValue()
        return found

    def _defaults(self, file: Path) -> dict[str, str]:
        found = self._jvm.org.apache.spark.util.Utils.getPropertiesFromFile(str(file))
        return dict(self._jvm.scala.collection.JavaConverters.mapAsJavaMap(found))

    def _properties(self, file: Path) -> dict[str, str]:
        properties = self._jvm.java.util.Properties()
        stream = self._jvm.java.io.FileInputStream(str(file))
        properties.load(stream)
        stream.close()
        return dict(properties)


@contextmanager
def file_reader() -> Iterator[FileReader]:
    """Start a JVM that reads files, and stop it after the block."""
    os.environ.update(JAVA_HOME=str(java.java_home()), SPARK_LOCAL_IP="127.0.0.1")
    gateway = launch_gateway()  # type: ignore[no-untyped-call]
    logging = gateway.jvm.org.apache.logging.log4j
    logging.core.config.Configurator.setAllLevels("", logging.Level.OFF)  # Hadoop logs read errors
    try:
        with tempfile.TemporaryDirectory() as folder:
            yield FileReader(gateway.jvm, Path(folder))
    finally:
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()
