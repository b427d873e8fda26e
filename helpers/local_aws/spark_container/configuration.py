"""The configuration.json of a job: parsed, validated and written as the image does it before Spark starts."""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from helpers.local_aws.spark_container import configuration_files
from helpers.local_aws.spark_container.errors import ContainerError, job_error

CONTAINER_PATH = "/opt/ml/processing/input/conf/configuration.json"

Format = Literal["conf", "env", "properties", "xml"]

_DOCUMENTATION = "https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-configure-apps.html"


@dataclass(frozen=True)
class Target:
    """The file of the image to which a classification is added."""

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
    "hive-log4j": Target(_HIVE / "hive-log4j2.properties", "properties"),
    "hive-exec-log4j": Target(_HIVE / "hive-exec-log4j2.properties", "properties"),
    "hive-site": Target(_HIVE / "hive-site.xml", "xml"),
    "spark-defaults": Target(_SPARK / "spark-defaults.conf", "conf"),
    "spark-env": Target(_SPARK / "spark-env.sh", "env"),
    "spark-log4j": Target(_SPARK / "log4j.properties", "properties"),
    "spark-hive-site": Target(_SPARK / "hive-site.xml", "xml"),
    "spark-metrics": Target(_SPARK / "metrics.properties", "properties"),
    "yarn-env": Target(_HADOOP / "yarn-env.sh", "env"),
    "yarn-site": Target(_HADOOP / "yarn-site.xml", "xml"),
}
"""All classifications of the image, in its order."""


@dataclass(frozen=True)
class _Configuration:
    """An entry of the document, with its position for error messages."""

    place: str
    classification: str
    properties: Any
    nested: Sequence["_Configuration"]


def read(file: Path, after: Mapping[str, str] | None = None) -> dict[str, dict[str, str]]:
    """Return the properties per classification of a job's file, or none without a file; see `parse`.

    Raises:
        ContainerError: see `parse`.
    """
    if not file.is_file():
        return parse("[]", after)
    try:
        return parse(file.read_text(encoding="utf-8"), after)
    except UnicodeDecodeError as error:
        raise job_error("UnicodeDecodeError", str(error), f"{CONTAINER_PATH} must be UTF-8") from None


def parse(text: str, after: Mapping[str, str] | None = None) -> dict[str, dict[str, str]]:
    """Return the properties per classification, as they are read from the files that the image writes.

    The image appends the values to each file without changes, and the file is read as a whole. A value that
    ends in a backslash therefore continues on the next line, and the last of two values of a property
    applies.

    Args:
        text: the document.
        after: properties that the image appends to spark-defaults, after the user's properties.

    Raises:
        ContainerError: the image cannot parse the document, or a value would break the file.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        hint = f"{CONTAINER_PATH} is not JSON: {place}: {error.msg}"
        raise job_error("JSONDecodeError", str(error), hint) from None
    except (RecursionError, ValueError) as error:  # nested too deeply, or a number with thousands of digits
        raise job_error(type(error).__name__, str(error), f"{CONTAINER_PATH} cannot be read") from None
    configurations = list(_deserialized(document))
    written: dict[str, str] = {}
    variables: dict[str, dict[str, str]] = {}
    for configuration in configurations:
        name = configuration.classification
        if name not in TARGETS:  # a nested export
            cause = "'Configuration' object has no attribute '_data'"
            raise _error("AttributeError", cause, configuration.place, "export belongs into an env")
        if TARGETS[name].format == "env":
            variables.setdefault(name, {}).update(_exports(configuration))
        else:
            written[name] = written.get(name, "") + _lines(configuration)
    if after:
        lines = "".join(f"{name}={value}\n" for name, value in after.items())
        written["spark-defaults"] = written.get("spark-defaults", "") + lines
    return {**{name: _understood(name, lines) for name, lines in written.items()}, **variables}


def _deserialized(document: Any) -> Iterator[_Configuration]:
    if isinstance(document, dict):
        yield _deserialize(document, "")
        return
    yield from _deserialized_list(document, "")


def _deserialized_list(entries: Any, place: str) -> Iterator[_Configuration]:
    try:
        # A mapping or a string is also iterable, but its keys or characters are not configurations.
        items = list(entries)
    except TypeError as error:
        raise _error("TypeError", str(error), place, "must be a list of configurations") from None
    for index, entry in enumerate(items):
        yield _deserialize(entry, f"{place}[{index}]")


def _deserialize(entry: Any, place: str) -> _Configuration:
    if not isinstance(entry, dict):
        cause = f"'{type(entry).__name__}' object has no attribute 'get'"
        problem = f"must be an object with Classification and Properties, not {entry!r}"
        raise _error("AttributeError", cause, place, problem)
    for member in ("Classification", "Properties"):
        if member not in entry:
            problem = f"{member} is missing; it is mandatory, if only as {{}} next to Configurations"
            raise _error("KeyError", f"'{member}'", place, problem)
    name = entry["Classification"]
    place = f"{place} ({name})".strip()
    nested = tuple(_deserialized_list(entry.get("Configurations") or (), f"{place}.Configurations"))
    if name not in [*TARGETS, "export"]:
        cause = (
            f"Invalid classification: {name}. Must be one of {list(TARGETS)}. "
            f"Please refer to {_DOCUMENTATION} for more information."
        )
        raise _error("ValueError", cause, place, "the image does not know this classification")
    if name.endswith("-env") and not nested:
        cause = (
            "'env' classifications require a sub-configuration. "
            f"Please refer to {_DOCUMENTATION} for more information"
        )
        problem = 'Configurations must hold one with "Classification": "export" and the variables'
        raise _error("ValueError", cause, place, problem)
    return _Configuration(place, name, entry["Properties"], nested)


def _exports(configuration: _Configuration) -> dict[str, str]:
    """Return the variables of a `*-env` classification, which are in nested `export` configurations."""
    variables: dict[str, str] = {}
    for inner in configuration.nested:
        if inner.classification != "export":
            cause = (
                "env classifications must use the 'export' sub-classification. "
                f"Please refer to {_DOCUMENTATION} for more information."
            )
            problem = f'Classification must be "export", not {inner.classification!r}, in an env'
            raise _error("ValueError", cause, inner.place, problem)
        variables |= _texts(inner, may_break=_is_quoted)
    _require_encodable(configuration_files.render_exports(variables), configuration.place)
    return variables


def _is_quoted(text: str) -> bool:
    """Return whether a shell reads a text as one word, with all line breaks in quotes."""
    try:
        words = shlex.split(text)
    except ValueError:
        return False
    return len(words) == 1 and words[0].count("\n") == text.count("\n")


def _texts(configuration: _Configuration, *, may_break: Callable[[str], bool]) -> dict[str, str]:
    """Return properties with their values as strings in Python's notation, like the image (`True`)."""
    properties, place = configuration.properties, configuration.place
    if not isinstance(properties, dict):
        cause = f"'{type(properties).__name__}' object has no attribute 'items'"
        raise _error("AttributeError", cause, place, f"Properties must be an object, not {properties!r}")
    for name, value in properties.items():
        if not isinstance(value, str | int | float):
            given = json.dumps(value)
            raise _broken(place, f"the value of {name} must be a string, a number or a boolean, not {given}")
        if any("\n" in text and not may_break(text) for text in (name, str(value))):
            raise _broken(place, f"{name} holds a line break, which would begin a new setting")
    return {name: str(value) for name, value in properties.items()}


def _lines(configuration: _Configuration) -> str:
    """Return what the image adds to the file of a classification."""
    form = TARGETS[configuration.classification].format
    properties = _texts(configuration, may_break=lambda _: form == "xml")
    written = {"conf": "{} {}\n", "properties": "{}={}\n", "xml": _XML_PROPERTY}[form]
    lines = "".join(written.format(name, value) for name, value in properties.items())
    _require_encodable(lines, configuration.place)
    if form == "xml":
        _understood_by(form, lines, configuration.place)
        return lines
    return lines or "\n"  # like the image: ends a preceding value that ends in a backslash


def _require_encodable(lines: str, place: str) -> None:
    try:
        lines.encode()
    except UnicodeEncodeError as error:
        problem = "a value has half of a character beyond \\uffff; write both halves, or the character"
        raise _error("UnicodeEncodeError", str(error), place, problem) from None


_XML_PROPERTY = "<property><name>{}</name><value>{}</value></property>\n"


def _understood(classification: str, lines: str) -> dict[str, str]:
    return _understood_by(TARGETS[classification].format, lines, f"({classification})")


def _understood_by(form: Format, lines: str, place: str) -> dict[str, str]:
    """Return the properties that a reader of a format finds in lines."""
    try:
        if form == "xml":
            return configuration_files.parse_site(f"<configuration>{lines}</configuration>")
        if form == "conf":
            return configuration_files.parse_defaults(lines)
        # Java reads these as Latin-1, but the image writes UTF-8.
        return configuration_files.parse_properties(lines.encode().decode("latin-1"))
    except ValueError as error:
        remedy = ". Write &amp; for &, &lt; for <" if form == "xml" else ""
        problem = f"a value breaks the file, as the image writes it unescaped: {error}{remedy}"
        raise _broken(place, problem) from None


def _error(kind: str, cause: str, place: str, problem: str) -> ContainerError:
    return job_error(kind, cause, f"{CONTAINER_PATH}: {place}: {problem}".replace(": : ", ": "))


def _broken(place: str, problem: str) -> ContainerError:
    """Return an error for content that the image writes but that cannot be read correctly."""
    return _error("ValueError", f"{CONTAINER_PATH}: {place}: {problem}".replace(": : ", ": "), place, problem)
