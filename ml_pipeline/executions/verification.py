"""Whether an execution has done what it says: its report, its files in S3, and their encryption."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from helpers.s3 import S3Uri, join, parse
from ml_pipeline.executions.executions import Snapshot
from ml_pipeline.executions.outcome import Report, StepOutcome

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_SHOWN = 5


class Written(NamedTuple):
    """An object that a job has written."""

    uri: str
    key_arn: str
    """The KMS key that it is encrypted with, or an empty string."""


def problems(
    snapshot: Snapshot,
    outcomes: Sequence[StepOutcome],
    written: Mapping[str, Sequence[Written]],
    key_arn: str,
) -> list[str]:
    """Return what is wrong with an execution; nothing, when it did what it says.

    Args:
        snapshot: the execution.
        outcomes: of its steps; that of a step from the cache is the outcome of its source.
        written: what lies in S3 below each folder that a report names, and the reports themselves.
        key_arn: the key that all of it must be encrypted with.
    """
    if snapshot.status != "Succeeded":
        reason = next((o.step.failure_reason for o in outcomes if o.step.failure_reason), "")
        return [
            f"it is {snapshot.status}: {reason or snapshot.failure_reason or 'SageMaker gives no reason'}"
        ]
    found = []
    for outcome in outcomes:
        if outcome.output and outcome.report is None:
            found.append(f"step {outcome.step.name}: {'; '.join(outcome.notes) or 'it has no report'}")
        elif outcome.report:
            found += [f"step {outcome.step.name}: {said}" for said in _of_report(outcome.report, written)]
    if not any(outcome.output for outcome in outcomes):
        found.append("no step of it has written anything")
    return found + _of_encryption([each for objects in written.values() for each in objects], key_arn)


def _of_report(report: Report, written: Mapping[str, Sequence[Written]]) -> Iterator[str]:
    if report.rows_in != report.rows_out + report.rows_rejected:
        yield (
            f"of {report.rows_in:,} rows {report.rows_out:,} were written and {report.rows_rejected:,} "
            "rejected, which is not all of them"
        )
    if not report.rows_out:
        yield "no row was written"
    for name, folder in folders(report).items():
        there = sum(each.uri.rsplit("/", 1)[-1].startswith("part-") for each in written.get(folder, ()))
        counted = report.files.get(name)
        if counted is None and name != "rejected":
            yield f"its report counts no files of {name}"
        elif there != counted and (counted is not None or not there):
            yield f"{folder} holds {there} part files, its report says {counted or 'some'}"


def _of_encryption(objects: Sequence[Written], key_arn: str) -> list[str]:
    wrong = [each for each in objects if each.key_arn != key_arn]
    lines = [
        f"{each.uri} is encrypted with {each.key_arn or 'no KMS key'}, not {key_arn}"
        for each in wrong[:_SHOWN]
    ]
    return [*lines, f"and so are {len(wrong) - _SHOWN} more"] if len(wrong) > _SHOWN else lines


def folders(report: Report) -> dict[str, str]:
    """Return the folders that a report names, by the names of the outputs."""
    return {name: folder for name, folder in report.outputs.model_dump().items() if folder}


def read_written(s3: "S3Client", outcomes: Sequence[StepOutcome]) -> dict[str, list[Written]]:
    """Return what lies below the folders of the reports, with the reports, and how it is encrypted."""
    found: dict[str, list[Written]] = {}
    for outcome in outcomes:
        if outcome.report is None:
            continue
        report = parse(join(outcome.output, "report.json"))
        found[str(report)] = [_written(s3, report)]
        for folder in folders(outcome.report).values():
            found[folder] = [_written(s3, uri) for uri in _objects(s3, folder)]
    return found


def _objects(s3: "S3Client", folder: str) -> list[S3Uri]:
    bucket, prefix = parse(folder.rstrip("/") + "/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [S3Uri(bucket, entry["Key"]) for page in pages for entry in page.get("Contents", [])]


def _written(s3: "S3Client", uri: S3Uri) -> Written:
    head = s3.head_object(Bucket=uri.bucket, Key=uri.key)
    return Written(
        str(uri), head.get("SSEKMSKeyId", "") if head.get("ServerSideEncryption") == "aws:kms" else ""
    )
