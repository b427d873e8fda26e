"""Writes the jars of steps as a pom.xml for GitHub's dependency graph, alerts and Dependabot."""

from collections.abc import Iterable

from helpers.errors import UserError
from helpers.spark.packages.uv import LOCK_HINT

POM = "pom.xml"


def write_pom(coordinates: Iterable[str]) -> str:
    """Return a pom.xml for jars by their Maven coordinates."""
    dependencies = "".join(f"{_dependency(coordinate)}\n" for coordinate in sorted(coordinates))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        "<!-- Made by `make lock-packages`: the jars that steps name, for GitHub and Dependabot. -->\n"
        '<project xmlns="http://maven.apache.org/POM/4.0.0">\n'
        "  <modelVersion>4.0.0</modelVersion>\n"
        "  <groupId>steps</groupId>\n"
        "  <artifactId>jars</artifactId>\n"
        "  <version>1</version>\n"
        f"  <dependencies>\n{dependencies}  </dependencies>\n"
        "</project>\n"
    )


def check_pom(text: str, coordinates: Iterable[str]) -> None:
    """Raise a UserError if a pom.xml differs from the versions of steps, as after a Dependabot update."""
    lines = text.splitlines()
    for coordinate in coordinates:
        wanted = _dependency(coordinate).strip()
        begun = wanted.partition("<version>")[0]
        for number, line in enumerate(lines, 1):
            if line.strip() == wanted:
                break
            if line.strip().startswith(begun):
                version = line.partition("<version>")[2].partition("<")[0]
                raise UserError(
                    f"{POM}:{number}: {coordinate} has version {version} here",
                    hint="Write this version into the parameter file if it is Dependabot's, then run: "
                    "make lock-packages",
                )
        else:
            raise UserError(f"{POM}: it lacks {coordinate}", hint=LOCK_HINT)


def _dependency(coordinate: str) -> str:
    group, artifact, version = coordinate.split(":")
    names = f"<groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
    return f"    <dependency>{names}<version>{version}</version></dependency>"
