"""The job's configuration.json: read and checked as the image does, but before anything starts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from helpers.errors import UserError
from helpers.local_aws.spark_container import configuration_files

CONTAINER_PATH = "/opt/ml/processing/input/conf/configuration.json"

Format = Literal["conf", "env", "properties", "xml"]


@dataclass(frozen=True)
class Target:
    """The file of the image that a classification is added to."""

    path: PurePosixPath
    format: Format


_HADOOP = PurePosixPath("/usr/lib/hadoop/etc/hadoop")
_HIVE = PurePosixPath("/usr/lib/hive/conf")
_SPARK = PurePosixPath("/usr/lib/spark/conf")

TARGETS: Mapping[str, Target] = {
    "core-site": Target(_HADOOP / "core-site.xml", "xml"),
    "hadoop-env": Target(_HADOOP / "hadoop-env.sh", "env"),
    "hadoop-log4j": Target(_HADOOP / "log4j.properties", "properties"),
    "hive-env": Target(_HIVE / "hive-env.sh", "env"),
    "hive-exec-log4j": Target(_HIVE / "hive-exec-log4j2.properties", "properties"),
    "hive-log4j": Target(_HIVE / "hive-log4j2.properties", "properties"),
    "hive-site": Target(_HIVE / "hive-site.xml", "xml"),
    "spark-defaults": Target(_SPARK / "spark-defaults.conf", "conf"),
    "spark-env": Target(_SPARK / "spark-env.sh", "env"),
    "spark-hive-site": Target(_SPARK / "hive-site.xml", "xml"),
    "spark-log4j": Target(_SPARK / "log4j.properties", "properties"),
    "spark-metrics": Target(_SPARK / "metrics.properties", "properties"),
    "yarn-env": Target(_HADOOP / "yarn-env.sh", "env"),
    "yarn-site": Target(_HADOOP / "yarn-site.xml", "xml"),
}
"""Every classification that the image knows."""


class ConfigurationError(UserError):
    """A configuration.json that the image would refuse, or that would break a file of the image."""


def read(file: Path) -> dict[str, dict[str, str]]:
    """Return the properties per classification of a job's file; none if the job has no such file.

    Raises:
        ConfigurationError: see `parse`.
    """
    if not file.is_file():
        return {}
    try:
        return parse(file.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{CONTAINER_PATH} is not UTF-8: {error}") from None


def parse(text: str) -> dict[str, dict[str, str]]:
    """Return the properties per classification, as the image's files give them effect.

    The image writes values as they are, so a backslash in spark-defaults or `&amp;` in core-site has
    the meaning that the file's format gives it. Where a property is given twice, the last value counts.

    Raises:
        ConfigurationError: malformed JSON, an unknown classification, missing members, or a value that
            the file's format cannot hold.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigurationError(
            f"{CONTAINER_PATH} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    result: dict[str, dict[str, str]] = {}
    for where, entry in _entries(document, ""):
        classification, properties = _checked(entry, where)
        result.setdefault(classification, {}).update(properties)
    return result


def _entries(value: Any, where: str) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Return the configurations of a list or of one object, each with its place in the document."""
    entries = value if isinstance(value, list) else [value]
    named = []
    for index, entry in enumerate(entries):
        place = f"{where}[{index}]" if isinstance(value, list) else where
        if not isinstance(entry, dict):
            raise _error(place, f"must be an object with Classification and Properties, not {entry!r}")
        named.append((place, entry))
    return named


def _checked(entry: Mapping[str, Any], where: str) -> tuple[str, dict[str, str]]:
    for member in ("Classification", "Properties"):
        if member not in entry:
            raise _error(
                where, f"{member} is missing; it is mandatory, if only as {{}} beside Configurations"
            )
    classification = entry["Classification"]
    if not isinstance(classification, str) or classification not in TARGETS:
        raise _error(
            where, f"unknown classification {classification!r}; the image allows {', '.join(sorted(TARGETS))}"
        )
    where = f"{where} ({classification})".strip()
    properties = _texts(entry["Properties"], where)
    target = TARGETS[classification]
    if target.format == "env":
        return classification, _exports(entry, where)
    return classification, _effective(properties, target.format, where)


def _exports(entry: Mapping[str, Any], where: str) -> dict[str, str]:
    """Return the variables of a `*-env` classification, which lie in nested `export` configurations."""
    nested = entry.get("Configurations")
    if not nested:
        raise _error(where, 'Configurations must hold one with "Classification": "export" and the variables')
    variables: dict[str, str] = {}
    for place, inner in _entries(nested, f"{where}.Configurations"):
        if inner.get("Classification") != "export":
            raise _error(
                place, f'Classification must be "export", not {inner.get("Classification")!r}, in an env'
            )
        if "Properties" not in inner:
            raise _error(place, "Properties is missing")
        variables |= _texts(inner["Properties"], place)
    return variables


def _texts(properties: Any, where: str) -> dict[str, str]:
    """Return properties with their values as text, in Python's spelling as the image has it (`True`)."""
    if not isinstance(properties, dict):
        raise _error(where, f"Properties must be an object, not {properties!r}")
    for name, value in properties.items():
        if not isinstance(value, str | int | float):
            raise _error(
                where, f"the value of {name} must be a string, a number or a boolean, not {json.dumps(value)}"
            )
        if "\n" in f"{name}{value}":
            raise _error(where, f"{name} holds a line break, which would begin a new setting")
    return {name: str(value) for name, value in properties.items()}


def _effective(properties: Mapping[str, str], form: Format, where: str) -> dict[str, str]:
    """Return properties as a reader of the image's file understands what the image writes."""
    effective: dict[str, str] = {}
    for name, value in properties.items():
        try:
            match form:
                case "conf":
                    effective |= configuration_files.parse_properties(f"{name} {value}\n")
                case "properties":
                    effective |= configuration_files.parse_properties(f"{name}={value}\n")
                case _:
                    effective |= configuration_files.parse_site(
                        "<configuration><property>"
                        f"<name>{name}</name><value>{value}</value>"
                        "</property></configuration>"
                    )
        except ValueError as error:
            raise _error(
                where,
                f"{name} = {value!r} breaks the file, as the image writes it unescaped: {error}"
                + (". Write &amp; for &, &lt; for <" if form == "xml" else ""),
            ) from None
    return effective


def _error(where: str, problem: str) -> ConfigurationError:
    return ConfigurationError(f"{CONTAINER_PATH}: {where}: {problem}".replace(": : ", ": "))
