"""Verifies an execution against the reports of its jobs: checks, files in S3, and encryption."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from helpers.s3 import S3Uri, parse
from ml_pipeline.executions.executions import Snapshot
from ml_pipeline.executions.job_report import Executors, Output, Report
from ml_pipeline.executions.outcome import StepOutcome

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_SHOWN_OBJECTS = 5


class Written(NamedTuple):
    """An object that a job wrote."""

    uri: str
    key_arn: str
    """The KMS key of its encryption, or an empty string."""


def problems(
    snapshot: Snapshot,
    outcomes: Sequence[StepOutcome],
    written: Mapping[str, Sequence[Written]],
    key_arn: str,
) -> list[str]:
    """Return all problems of an execution; empty if its results match its reports.

    Args:
        snapshot: the execution.
        outcomes: the outcomes of its steps; for a cached step, the outcome of its source.
        written: the result of `read_written`: reports, and the folders that they name, by URI.
        key_arn: the required encryption key.
    """
    if snapshot.status != "Succeeded":
        reasons = (outcome.exception or outcome.step.failure_reason for outcome in outcomes)
        reason = next(filter(None, reasons), "")
        return [
            f"it is {snapshot.status}: {reason or snapshot.failure_reason or 'SageMaker gives no reason'}"
        ]
    found = []
    for outcome in outcomes:
        if outcome.job or outcome.notes:
            found += [f"step {outcome.step.name}: {each}" for each in _of_job(outcome, written, key_arn)]
    return found if any(outcome.job for outcome in outcomes) else [*found, "none of its steps ran a job"]


def warnings(outcomes: Sequence[StepOutcome], logged: Mapping[str, Executors]) -> list[str]:
    """Return warnings about slower execution with correct results: executors that were not granted.

    Args:
        outcomes: the outcomes of its steps.
        logged: executors by step from the event log, if the report does not contain them.
    """
    reported = {outcome.step.name: outcome.report.executors for outcome in outcomes if outcome.report}
    return [
        f"step {step}: executors: {executors}"
        for step, executors in {**reported, **logged}.items()
        if executors and executors.are_missing
    ]


def _of_job(outcome: StepOutcome, written: Mapping[str, Sequence[Written]], key_arn: str) -> Iterator[str]:
    file, report = outcome.report_uri, outcome.report
    if outcome.written:
        for uri, key in outcome.written:
            yield from _of_written(uri, written.get(uri, ()), key)
        return
    if report is None:
        yield from (*outcome.report_problems, *outcome.notes) or (
            f"it is {outcome.step.status}, without a report",
        )
        return
    yield from (f"{file}: {each}" for each in _of_checks(report))
    yield from (f"{file}: {each}" for each in _of_encryption(written.get(file, ()), key_arn))
    for name, output in report.outputs.items():
        objects = written.get(output.folder, ())
        for each in (*_of_files(output, objects), *_of_encryption(objects, key_arn, "folder: ")):
            yield f"{file}: outputs.{name}.{each}"


def _of_written(uri: str, objects: Sequence[Written], key_arn: str) -> Iterator[str]:
    if not objects:
        yield f"{uri} does not exist: the execution wrote it, and it was removed since"
    yield from _of_encryption(objects, key_arn)


def _of_checks(report: Report) -> Iterator[str]:
    for position, check in report.failed_checks.items():
        yield f"checks[{position}].actual: {check}"


def _of_files(output: Output, objects: Sequence[Written]) -> Iterator[str]:
    if not objects:
        yield f"folder: {output.folder} does not exist"
        return
    files = [each.uri for each in objects if is_data_file(each.uri, output.folder)]
    if len(files) != output.files:
        yield f"files: expected {output.files:,} files in {output.folder}, found {len(files):,}"
    others = [uri for uri in files if output.format not in uri.rpartition("/")[2].split(".")[1:]]
    if others:
        yield f"format: expected .{output.format} files, found {_some(others)}"


def _of_encryption(objects: Sequence[Written], key_arn: str, key: str = "") -> Iterator[str]:
    by_key: dict[str, list[str]] = {}
    for each in objects:
        by_key.setdefault(each.key_arn, []).append(each.uri)
    for other, uris in by_key.items():
        if other != key_arn:
            yield f"{key}expected encryption with {key_arn}, found {other or 'no KMS key'}: {_some(uris)}"


def _some(uris: Sequence[str]) -> str:
    more = len(uris) - _SHOWN_OBJECTS
    return ", ".join(uris[:_SHOWN_OBJECTS]) + (f" and {more:,} more" if more > 0 else "")


def is_data_file(uri: str, folder: str) -> bool:
    """Return whether Spark reads an object in a folder: it skips names that begin with `_` or `.`.

    >>> is_data_file("s3://b/out/_SUCCESS", "s3a://b/out"), is_data_file("s3://b/out/d=1/part-0", "s3a://b/out")
    (False, True)
    """
    names = parse(uri).key.removeprefix(f"{parse(folder).key.rstrip('/')}/").split("/")
    return names[-1] != "" and not any(n.startswith(("_", ".")) and "=" not in n for n in names)


def read_written(s3: "S3Client", outcomes: Sequence[StepOutcome]) -> dict[str, list[Written]]:
    """Return what jobs wrote, including their reports, and how it is encrypted."""
    found: dict[str, list[Written]] = {}
    for outcome in outcomes:
        found |= {uri: [_written(s3, each) for each in _objects_at(s3, uri)] for uri, _ in outcome.written}
        if outcome.report is None:
            continue
        found[outcome.report_uri] = [_written(s3, parse(outcome.report_uri))]
        for output in outcome.report.outputs.values():
            found[output.folder] = [_written(s3, uri) for uri in _objects(s3, output.folder)]
    return found


def _objects_at(s3: "S3Client", uri: str) -> list[S3Uri]:
    """Return the object with a key, or the objects in a folder."""
    own, (bucket, key) = parse(uri), parse(uri)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key)
    listed = [S3Uri(bucket, entry["Key"]) for page in pages for entry in page.get("Contents", [])]
    return [each for each in listed if each == own or each.key.startswith(f"{key.rstrip('/')}/")]


def _objects(s3: "S3Client", folder: str) -> list[S3Uri]:
    bucket, prefix = parse(folder.rstrip("/") + "/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [S3Uri(bucket, entry["Key"]) for page in pages for entry in page.get("Contents", [])]


def _written(s3: "S3Client", uri: S3Uri) -> Written:
    head = s3.head_object(Bucket=uri.bucket, Key=uri.key)
    return Written(
        str(uri), head.get("SSEKMSKeyId", "") if head.get("ServerSideEncryption") == "aws:kms" else ""
    )
