"""Resolves Maven coordinates to a jar and its dependencies, with the Ivy that is part of Spark.

Spark's own `--packages` also uses Ivy, but at the start of a job.
"""

import base64
import hashlib
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

from helpers.errors import UserError
from helpers.spark import java, maven_repository
from helpers.spark.maven_jars import Jar
from helpers.spark.maven_repository import Repository
from helpers.spark.packages import licenses
from helpers.spark.pyspark_folder import pyspark_folder
from helpers.spark.s3a_jars import JARS

_OF_THE_IMAGE = ("org.apache.spark", "org.apache.hadoop")
_VERSIONED = re.compile(r"(?P<artifact>.+?)-\d[\w.-]*\.jar")


def resolve(coordinate: str, repository: Repository | None = None) -> dict[Jar, str]:
    """Return the jar of coordinates and its runtime dependencies, each with its license.

    Jars that are part of Spark are left out.

    Args:
        coordinate: group:artifact:version.
        repository: the source; by default, that of this user.

    Raises:
        UserError: the coordinates cannot be resolved, or are part of Spark.
    """
    source = repository or maven_repository.this_users()
    group, artifact, version = coordinate.split(":")
    of_spark = spark_artifacts()
    if group in _OF_THE_IMAGE or artifact in of_spark:
        raise UserError(
            f"{coordinate}: the Spark image has {artifact}", hint=f"Remove {coordinate} from `jars`"
        )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "settings.xml").write_text(_settings(source), encoding="utf-8")
        (folder / "settings.xml").chmod(0o600)
        command = [
            *(
                str(java.java_home() / "bin" / "java"),
                *java.QUICK_START,
                "-cp",
                f"{pyspark_folder() / 'jars'}/*",
            ),
            *("org.apache.ivy.Main", "-settings", "settings.xml", "-cache", str(folder / "cache")),
            *("-dependency", group, artifact, version, "-confs", "default"),
            *("-retrieve", "out/[organisation]+[module]+[revision](+[classifier]).[ext]", "-warn"),
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        found = {jar: _license(folder / "cache", jar) for jar in _resolved(folder / "out")}
    if done.returncode or coordinate not in {jar.coordinate for jar in found}:
        raise UserError(
            f"{coordinate} cannot be resolved from {source.url} (taken from {source.source}): "
            f"{_reason(done.stdout + done.stderr)}",
            hint=f"Check the coordinates, or set {maven_repository.VARIABLE}",
        )
    return {
        jar: stated
        for jar, stated in found.items()
        if jar.group not in _OF_THE_IMAGE and jar.artifact not in of_spark
    }


def spark_artifacts() -> frozenset[str]:
    """Return the artifacts on Spark's class path, including those of its S3 connector."""
    names = {
        found["artifact"]
        for path in (pyspark_folder() / "jars").glob("*.jar")
        if (found := _VERSIONED.fullmatch(path.name))
    }
    return frozenset(names | {jar.artifact for jar in JARS})


def _resolved(folder: Path) -> Iterator[Jar]:
    for path in sorted(folder.glob("*.jar")):
        parts = path.name.removesuffix(".jar").split("+", 2)
        content = path.read_bytes()
        if len(parts) == 3 and not parts[2].endswith(("+sources", "+javadoc")):
            yield Jar(parts[0], parts[1], parts[2], len(content), hashlib.sha256(content).hexdigest())


def _license(cache: Path, jar: Jar) -> str:
    description = cache / jar.group / jar.artifact / f"ivy-{jar.version}.xml"
    return licenses.of_module(description) if description.is_file() else licenses.UNKNOWN


def _settings(repository: Repository) -> str:
    credentials = ""
    if repository.authorization:
        user, _, password = base64.b64decode(repository.authorization.split()[1]).decode().partition(":")
        host = re.sub(r"^\w+://|[:/].*", "", repository.url)
        credentials = (
            f"<credentials host={quoteattr(host)} username={quoteattr(user)} passwd={quoteattr(password)}/>"
        )
    resolver = f'<ibiblio name="maven" m2compatible="true" root={quoteattr(repository.url)}/>'
    return (
        f'<ivysettings><settings defaultResolver="maven"/>{credentials}'
        f"<resolvers>{resolver}</resolvers></ivysettings>"
    )


def _reason(output: str) -> str:
    """Return the lines in which Ivy explains its failure, as one line."""
    lines = [line.strip(": \t") for line in output.splitlines() if re.search(r"[A-Za-z]", line)]
    relevant = [line for line in lines if re.search(r"not found|unresolved|error|failed|refused", line, re.I)]
    return "; ".join(dict.fromkeys(relevant[-3:] or lines[-1:]))
