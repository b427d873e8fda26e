import subprocess
import zipfile
from pathlib import Path

import pytest

from helpers.errors import UserError
from helpers.spark import class_data_sharing, java
from helpers.spark.class_data_sharing import SharedClasses, create, shared_classes
from helpers.spark.pyspark_folder import pyspark_folder


def loaded(shared: SharedClasses) -> str:
    """Return where the JVM of a driver loads its classes from."""
    options = [word.strip('"') for word in shared.java_options.split()]
    main = ["-cp", str(shared.class_path), "org.apache.spark.deploy.SparkSubmit", "--version"]
    command = [str(java.java_home() / "bin" / "java"), *options, "-Xlog:class+load=info", *main]
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True
    ).stdout


def test_drivers_take_sparks_classes_from_the_archive() -> None:
    shared = shared_classes()
    assert shared is not None, "make up creates it"

    assert "org.apache.spark.deploy.SparkSubmit source: shared objects file (top)" in loaded(shared)


def test_another_class_path_is_not_an_error(tmp_path: Path) -> None:
    """For example after an update of Spark: the JVM prints nothing, and loads the classes from their jars."""
    shared = shared_classes()
    assert shared is not None
    other = tmp_path / "other.jar"
    class_data_sharing._write_class_path(pyspark_folder() / "jars", other)

    warnings = loaded(SharedClasses(other, shared.archive))

    assert "org.apache.spark.deploy.SparkSubmit source: file:" in warnings
    assert "[cds" not in warnings


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


def test_a_java_without_an_archive_of_its_own_classes_gets_one(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(java.java_home() / "bin" / "java")

    options = class_data_sharing.own_classes(tmp_path, tmp_path)

    assert options == (f"-XX:SharedArchiveFile={tmp_path / 'java-classes.jsa'}",)
    assert (tmp_path / "java-classes.jsa").stat().st_size > 1_000_000
