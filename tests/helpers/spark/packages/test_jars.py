"""Jars: resolved by Ivy from a local repository, locked with their SHA-256, and verified."""

import hashlib
import json
from pathlib import Path

import pytest

from helpers.errors import UserError
from helpers.spark import maven_repository
from helpers.spark.maven_jars import Jar
from helpers.spark.maven_repository import Repository
from helpers.spark.packages.jar_lock import LOCK, download, jar_of, read_jars, write_jars
from helpers.spark.packages.maven_resolution import resolve, spark_artifacts
from helpers.spark.packages.pom import check_pom, write_pom

TABLES, STORAGE = "org.example:tables_2.12:1.0", "org.example:storage:1.0"


def add_jar(root: Path, coordinate: str, *dependencies: str) -> Jar:
    """Write a jar with its POM into a repository."""
    group, artifact, version = coordinate.split(":")
    folder = root / group.replace(".", "/") / artifact / version
    folder.mkdir(parents=True)
    needs = "".join(
        f"<dependency><groupId>{g}</groupId><artifactId>{a}</artifactId><version>{v}</version>{scope}</dependency>"
        for g, a, v, scope in (each.split(":") for each in dependencies)
    )
    (folder / f"{artifact}-{version}.pom").write_text(
        f"<project><modelVersion>4.0.0</modelVersion><groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
        f"<version>{version}</version><licenses><license><name>MIT</name></license></licenses>"
        f"<dependencies>{needs}</dependencies></project>"
    )
    content = f"the jar {coordinate}".encode()
    (folder / f"{artifact}-{version}.jar").write_bytes(content)
    return jar_of(coordinate, len(content), hashlib.sha256(content).hexdigest())


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository((tmp_path / "maven").as_uri(), "the test")


def test_a_jar_is_resolved_with_what_it_needs_and_spark_does_not_bring(
    tmp_path: Path, repository: Repository
) -> None:
    tables = add_jar(
        tmp_path / "maven",
        TABLES,
        f"{STORAGE}:",
        "org.antlr:antlr4-runtime:4.9.3:",
        "org.example:tests:1:<scope>test</scope>",
    )
    storage = add_jar(tmp_path / "maven", STORAGE)
    add_jar(tmp_path / "maven", "org.antlr:antlr4-runtime:4.9.3")

    assert resolve(TABLES, repository) == {tables: "MIT", storage: "MIT"}

    with pytest.raises(
        UserError, match=r"^org\.example:none:1 cannot be resolved from file:.*not found\nHint: Check"
    ):
        resolve("org.example:none:1", repository)


def test_a_jar_of_spark_is_rejected() -> None:
    assert {"antlr4-runtime", "hadoop-aws", "hadoop-client-api"} <= spark_artifacts()

    with pytest.raises(UserError, match=r"^org\.antlr:antlr4-runtime:4\.9\.3: the Spark image has"):
        resolve("org.antlr:antlr4-runtime:4.9.3")


def test_a_lock_gives_each_jar_once_with_its_line() -> None:
    one, other = jar_of(TABLES, 1, "1" * 64), jar_of(STORAGE, 2, "2" * 64)
    text = write_jars({TABLES: [one, other], STORAGE: [other]})

    locked = read_jars(Path(LOCK), text, [TABLES, STORAGE])

    assert [each.jar for each in locked] == [one, other]
    lines = text.splitlines()
    assert [lines[each.line - 1].strip() for each in locked] == [f'"{TABLES}": {{', f'"{STORAGE}": {{']


BROKEN = {
    "{": "jars.json:1: Expecting",
    "[]": "jars.json:1: it is not an object",
    "{}": f"jars.json: it lacks {TABLES}",
    json.dumps({TABLES: {TABLES: {"bytes": 1}}}, indent=1): f"jars.json:3: {TABLES}: it has no SHA-256",
    json.dumps({TABLES: {TABLES: {"bytes": 1, "sha256": "f"}}}, indent=1): "it has no SHA-256",
    json.dumps({TABLES: {"tables": {}}}, indent=1): "jars.json:3: tables: not Maven coordinates",
}


@pytest.mark.parametrize(("text", "message"), BROKEN.items())
def test_a_lock_that_cannot_be_used_is_named(text: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        read_jars(Path(LOCK), text, [TABLES])
    assert message in str(error.value)


def test_a_version_that_only_dependabot_has_named_is_reported_with_its_line() -> None:
    check_pom(write_pom([TABLES, STORAGE]), [TABLES, STORAGE])

    updated = write_pom([TABLES.replace(":1.0", ":1.1"), STORAGE])
    with pytest.raises(
        UserError, match=rf"^pom\.xml:10: {TABLES} has version 1\.1 here\nHint: Write this version"
    ):
        check_pom(updated, [STORAGE, TABLES])
    with pytest.raises(UserError, match=rf"^pom\.xml: it lacks {TABLES}\nHint: .*make lock-packages"):
        check_pom(write_pom([STORAGE]), [TABLES])


def test_jars_that_need_different_versions_of_another_are_rejected() -> None:
    one, other = jar_of("a:shared:1", 1, "1" * 64), jar_of("a:shared:2", 1, "2" * 64)
    text = write_jars({TABLES: [one], STORAGE: [other]})

    with pytest.raises(UserError, match=r"^jars\.json:3: a:shared:2: .*needs it, and line 9 has version 1"):
        read_jars(Path(LOCK), text, [TABLES, STORAGE])


def test_a_jar_with_another_hash_is_rejected_with_its_line(tmp_path: Path, repository: Repository) -> None:
    jar = add_jar(tmp_path / "maven", TABLES)
    wrong = jar_of(TABLES, jar.size, "0" * 64)
    (good,) = read_jars(Path(LOCK), write_jars({TABLES: [jar]}), [TABLES])
    (bad,) = read_jars(Path(LOCK), write_jars({TABLES: [wrong]}), [TABLES])

    assert [path.name for path in download([good], repository, tmp_path / "cache")] == ["tables_2.12-1.0.jar"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("helpers.spark.maven_jars.time.sleep", lambda _: None)
        with pytest.raises(UserError, match=rf"^jars\.json:3: {TABLES}: .*with SHA-256 .*0000 are expected"):
            download([bad], repository, tmp_path / "cache")


def test_a_repository_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(maven_repository.VARIABLE, "http://127.0.0.1:9/maven")
    monkeypatch.setattr("helpers.spark.maven_jars.time.sleep", lambda _: None)
    (locked,) = read_jars(Path(LOCK), write_jars({TABLES: [jar_of(TABLES, 1, "1" * 64)]}), [TABLES])

    with pytest.raises(
        UserError, match=rf"^jars\.json:3: {TABLES}: Cannot .*refused.*\nHint: .*MAVEN_REPOSITORY_URL"
    ):
        download([locked], cache=tmp_path / "cache")
