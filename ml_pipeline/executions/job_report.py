"""The report of a job about its outputs and checks. docs/job-report.md describes its format."""

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from botocore.exceptions import ClientError
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PlainValidator,
    PositiveInt,
    StringConstraints,
    ValidationError,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from helpers.s3 import S3Uri, join, parse

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

DOCUMENTATION = "docs/job-report.md"
VERSIONS = (1, 2)
"""The supported versions: the second adds `executors`."""
FOLDER_VARIABLE = "REPORT_FOLDER"
"""The environment variable of the job with the folder of its report."""

_SHOWN_CHARACTERS = 60


def _scalar(value: Any) -> Any:
    if isinstance(value, dict | list):
        raise PydanticCustomError("scalar", "Input should be a number, a string, true, false or null")
    return value


Text = Annotated[str, StringConstraints(min_length=1)]
Value = Annotated[bool | int | float | str | None, PlainValidator(_scalar)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Output(_Model):
    """A data set that the job wrote."""

    folder: Annotated[str, StringConstraints(pattern=r"^s3[an]?://[^/]+/.+")]
    rows: NonNegativeInt
    files: NonNegativeInt
    """Data files; without names that begin with `_` or `.`, which Spark does not read."""
    format: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+$")]
    """The suffix of the files."""


class Check(_Model):
    """Two values that are equal if the job is correct."""

    name: Text
    expected: Value
    actual: Value

    def __str__(self) -> str:
        return f"{self.name}: expected {shown(self.expected)}, found {shown(self.actual)}"


class Executors(_Model):
    """The requested and the granted executors of Spark; cores and memory are per executor."""

    requested: PositiveInt
    granted: NonNegativeInt
    cores: PositiveInt
    memory_mib: PositiveInt

    @property
    def are_missing(self) -> bool:
        """Whether fewer executors were granted than requested, which only makes the job slower."""
        return self.granted < self.requested

    def __str__(self) -> str:
        each = f"with {self.cores} core{'s' * (self.cores != 1)} and {self.memory_mib:,} MiB each"
        if not self.are_missing:
            return f"{self.granted:,}, {each}"
        return (
            f"{self.granted:,} of {self.requested:,} requested, {each}: lower spark.executor.memory or "
            "spark.executor.cores in configuration.json so that all fit, or raise "
            "pyspark_process_instance_count"
        )


class Report(_Model):
    """The report that a job writes last."""

    version: Literal[1, 2]
    application_id: Text
    rows_in: NonNegativeInt | None = None
    rows_rejected: NonNegativeInt | None = None
    outputs: dict[str, Output]
    checks: tuple[Check, ...] = ()
    seconds: dict[str, NonNegativeFloat] = Field(default_factory=dict)
    """Timings, by phase of the job."""
    executors: Executors | None = None
    """None if no number of executors was requested."""

    @property
    def failed_checks(self) -> dict[int, Check]:
        """The failed checks by position."""
        return {n: check for n, check in enumerate(self.checks) if check.expected != check.actual}


class ReportError(Exception):
    """A report cannot be used.

    Attributes:
        problems: the problems, each with the file and, if possible, the key.
    """

    def __init__(self, *problems: str):
        super().__init__("; ".join(problems))
        self.problems = problems


def report_uri(report_folder: str, job: str) -> S3Uri:
    """Return the URI of a processing job's report, which no other job uses."""
    return parse(join(report_folder, "runs", job, "report.json"))


def read_report(s3: "S3Client", uri: S3Uri) -> Report:
    """Return a report.

    Raises:
        ReportError: the report does not exist, or its version is not supported.
    """
    try:
        text = s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"].read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "NoSuchKey":
            raise ReportError(
                f"{uri}: there is no such file. The job must write its report there ({DOCUMENTATION}); if it "
                "did, the run was removed since: `start --cache off` runs the job again"
            ) from error
        raise ReportError(f"{uri}: cannot be read: {code}") from error
    return parse_report(text, str(uri))


def parse_report(text: bytes, file: str) -> Report:
    """Return a report from its text.

    Args:
        text: the JSON text.
        file: file name for messages.

    Raises:
        ReportError: the text is not a report of a supported version.
    """
    try:
        document = json.loads(text)
    except UnicodeDecodeError as error:
        raise ReportError(f"{file}: not UTF-8 at byte {error.start} ({DOCUMENTATION})") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ReportError(f"{file}: not JSON at {place}: {error.msg} ({DOCUMENTATION})") from error
    if not isinstance(document, dict):
        raise ReportError(f"{file}: expected an object, found {shown(document)} ({DOCUMENTATION})")
    version = document.get("version", VERSIONS[0])
    if version not in VERSIONS or isinstance(version, bool):  # another version can have any other keys
        raise ReportError(
            f"{file}: version: expected {' or '.join(map(str, VERSIONS))}, found {shown(version)}; take the "
            f"job's code and the commands from the same commit ({DOCUMENTATION})"
        )
    try:
        return Report.model_validate_json(text)
    except ValidationError as error:
        problems = (f"{file}: {_problem(each)}" for each in error.errors(include_url=False))
        raise ReportError(*problems) from error


def _problem(error: ErrorDetails) -> str:
    key = key_of(error["loc"])
    match error["type"]:
        case "missing":
            return f"{key}: missing ({DOCUMENTATION})"
        case "extra_forbidden":
            return f"{key}: unknown key ({DOCUMENTATION})"
        case _:
            expected = re.sub("^String should", "expected a string to", error["msg"])
            return f"{key}: {expected.replace('Input should be', 'expected')}, found {shown(error['input'])}"


def key_of(path: Sequence[str | int]) -> str:
    """Return a path of keys and positions as text.

    >>> key_of(["checks", 0, "name"])
    'checks[0].name'
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def shown(value: object) -> str:
    """Return a value of a report for a message: as JSON, with thousands separators, truncated if long."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
