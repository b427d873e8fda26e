import subprocess
import zipfile
from pathlib import Path

import pytest

from helpers.errors import UserError
from helpers.spark import class_data_sharing, java
from helpers.spark.class_data_sharing import SharedClasses, create, shared_classes


def loaded(shared: SharedClasses) -> str:
    """Where a driver's JVM takes its classes from."""
    options = [word.strip('"') for word in shared.java_options.split()]
    words = [
        "-Xlog:class+load=info",
        "-cp",
        shared.class_path,
        "org.apache.spark.deploy.SparkSubmit",
        "--version",
    ]
    return subprocess.check_output(
        [java.java_home() / "bin" / "java", *options, *words], text=True, stderr=subprocess.STDOUT
    )


def test_drivers_take_sparks_classes_from_the_archive() -> None:
    shared = shared_classes()
    assert shared is not None, "make up creates it"

    assert "org.apache.spark.deploy.SparkSubmit source: shared objects file (top)" in loaded(shared)


def test_another_class_path_is_no_error(tmp_path: Path) -> None:
    """As after an update of Spark: the JVM says nothing, and takes the classes from their jars."""
    shared = shared_classes()
    assert shared is not None
    other = tmp_path / "other.jar"
    class_data_sharing._write_class_path(class_data_sharing._spark() / "jars", other)

    said = loaded(SharedClasses(other, shared.archive))

    assert "org.apache.spark.deploy.SparkSubmit source: file:" in said
    assert "[cds" not in said


def test_the_jar_names_every_jar_of_spark(tmp_path: Path) -> None:
    jars = tmp_path / "lib" / "jars"
    jars.mkdir(parents=True)
    names = [f"a-{number}-of-many-jars.jar" for number in range(9)]
    for name in reversed(names):
        (jars / name).touch()

    class_data_sharing._write_class_path(jars, tmp_path / "path.jar")

    with zipfile.ZipFile(tmp_path / "path.jar") as archive:
        manifest = archive.read("META-INF/MANIFEST.MF").decode()
    assert all(len(line) <= 72 for line in manifest.split("\r\n"))
    assert manifest.replace("\r\n ", "").split("\r\n")[1:] == [
        f"Class-Path: {' '.join(f'lib/jars/{name}' for name in names)}",
        "",
        "",
    ]


def test_no_half_archive_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(class_data_sharing, "TYPICAL_JOB", tmp_path / "missing.py")

    with pytest.raises(UserError, match=r"Java made no archive of Spark's classes: .*missing\.py"):
        create(tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == ["spark-class-path.jar"]
