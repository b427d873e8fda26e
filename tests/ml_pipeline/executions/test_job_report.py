"""Reports of any job can be read; errors in a report are described with file and key."""

import json
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from helpers.s3 import S3Uri, parse
from ml_pipeline.executions.job_report import ReportError, parse_report, read_report, report_uri
from ml_pipeline.params import PipelineParams

FILE = "s3://b/out/runs/job-1/report.json"
CSV = {"folder": "s3a://b/out/runs/job-1/csv", "rows": 7, "files": 2, "format": "csv"}
REPORT = {"version": 1, "application_id": "app-1", "outputs": {"csv": CSV}}
EXECUTORS = {"requested": 30, "granted": 30, "cores": 4, "memory_mib": 13681}
CHECK = {"name": "rows", "expected": 7, "actual": 7}


def problems_of(report: Any) -> list[str]:
    text = report if isinstance(report, bytes) else json.dumps(report).encode()
    with pytest.raises(ReportError) as caught:
        parse_report(text, FILE)
    return list(caught.value.problems)


def test_the_least_report_has_a_version_an_application_and_outputs() -> None:
    report = parse_report(json.dumps({**REPORT, "outputs": {}}).encode(), FILE)

    assert (report.rows_in, report.rows_rejected, report.outputs, report.checks, report.seconds) == (
        None,
        None,
        {},
        (),
        {},
    )
    assert report.executors is None


@pytest.mark.parametrize(
    ("granted", "shown"),
    [
        (30, "30, with 4 cores and 13,681 MiB each"),
        (
            24,
            "24 of 30 requested, with 4 cores and 13,681 MiB each: lower spark.executor.memory or "
            "spark.executor.cores in configuration.json so that all fit, or raise "
            "pyspark_process_instance_count",
        ),
    ],
)
def test_executors_are_shown_with_what_to_change_where_some_are_missing(granted: int, shown: str) -> None:
    executors = {**EXECUTORS, "granted": granted}

    report = parse_report(json.dumps({**REPORT, "version": 2, "executors": executors}).encode(), FILE)

    assert str(report.executors) == shown


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"application_id": 7}, "application_id: expected a valid string, found 7"),
        ({"application_id": ""}, 'application_id: expected a string to have at least 1 character, found ""'),
        ({"rows_in": "7"}, 'rows_in: expected a valid integer, found "7"'),
        ({"rows_in": -7000}, "rows_in: expected greater than or equal to 0, found -7,000"),
        ({"rows_rejected": True}, "rows_rejected: expected a valid integer, found true"),
        ({"outputs": [CSV]}, 'outputs: expected an object, found [{"folder": "s3a://b/out/runs/job-1/csv", '),
        ({"outputs": {"a": "s3a://b/a"}}, "outputs.a: expected an object, found"),
        ({"outputs": {"a": {**CSV, "rows": 1.5}}}, "outputs.a.rows: expected a valid integer, found 1.5"),
        ({"outputs": {"a": {**CSV, "files": None}}}, "outputs.a.files: expected a valid integer, found null"),
        (
            {"outputs": {"a": {**CSV, "folder": "/out"}}},
            "outputs.a.folder: expected a string to match pattern '^s3[an]?://[^/]+/.+', found \"/out\"",
        ),
        (
            {"outputs": {"a": {**CSV, "format": ".csv"}}},
            "outputs.a.format: expected a string to match pattern '^[a-z0-9]+$', found \".csv\"",
        ),
        ({"executors": 30}, "executors: expected an object, found 30"),
        (
            {"executors": {**EXECUTORS, "requested": 0}},
            "executors.requested: expected greater than 0, found 0",
        ),
        ({"executors": {**EXECUTORS, "lost": 1}}, "executors.lost: unknown key"),
        ({"checks": {}}, "checks: expected a valid array, found {}"),
        (
            {"checks": [CHECK, {**CHECK, "actual": [7]}]},
            "checks[1].actual: expected a number, a string, true, false or null, found [7]",
        ),
        ({"seconds": {"read": -1}}, "seconds.read: expected greater than or equal to 0, found -1"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_what_is_expected(
    changed: dict[str, Any], problem: str
) -> None:
    (found,) = problems_of({**REPORT, **changed})

    assert found.startswith(f"{FILE}: {problem}")


@pytest.mark.parametrize("key", ["version", "application_id", "outputs"])
def test_a_missing_key_is_named(key: str) -> None:
    report = {name: value for name, value in REPORT.items() if name != key}

    assert problems_of(report) == [f"{FILE}: {key}: missing (docs/job-report.md)"]


@pytest.mark.parametrize("key", ["folder", "rows", "files", "format"])
def test_a_missing_key_of_an_output_is_named(key: str) -> None:
    output = {name: value for name, value in CSV.items() if name != key}

    assert problems_of({**REPORT, "outputs": {"csv": output}}) == [
        f"{FILE}: outputs.csv.{key}: missing (docs/job-report.md)"
    ]


def test_a_misspelled_key_is_named() -> None:
    """If it were ignored, a job with a misspelled `checks` would pass although its checks fail."""
    assert problems_of({**REPORT, "cheks": []}) == [f"{FILE}: cheks: unknown key (docs/job-report.md)"]


def test_all_problems_are_listed() -> None:
    report = {"version": 1, "rows_in": "7", "outputs": {"a": {**CSV, "rows": None}, "b": {}}, "checks": [{}]}

    assert [problem.removeprefix(f"{FILE}: ").partition(":")[0] for problem in problems_of(report)] == [
        "application_id",
        "rows_in",
        "outputs.a.rows",
        "outputs.b.folder",
        "outputs.b.rows",
        "outputs.b.files",
        "outputs.b.format",
        "checks[0].name",
        "checks[0].expected",
        "checks[0].actual",
    ]


@pytest.mark.parametrize(("version", "found"), [(3, "3"), ("1", '"1"'), (True, "true"), (None, "null")])
def test_of_another_version_nothing_but_the_version_is_read(version: Any, found: str) -> None:
    assert problems_of({"version": version, "tables": []}) == [
        f"{FILE}: version: expected 1 or 2, found {found}; take the job's code and the commands from "
        "the same commit (docs/job-report.md)"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "not JSON at line 1, column 1: Expecting value"),
        (
            b'{"version": 1,\n',
            "not JSON at line 2, column 1: Expecting property name enclosed in double quotes",
        ),
        (b'{"a": "\xff"}', "not UTF-8 at byte 7"),
        (b"[1]", "expected an object, found [1]"),
    ],
)
def test_what_is_not_json_is_named_with_its_place(text: bytes, problem: str) -> None:
    assert problems_of(text) == [f"{FILE}: {problem} (docs/job-report.md)"]


def test_the_report_of_a_job_lies_where_no_other_job_writes() -> None:
    assert str(report_uri("s3a://b/out/", "job-1")) == FILE


@pytest.fixture
def uri(stack_parameters: PipelineParams) -> S3Uri:
    """The URI of a report that does not exist yet."""
    return report_uri(stack_parameters.pyspark_process_data_output, uuid4().hex)


def test_a_report_is_read_from_s3(stack: boto3.Session, uri: S3Uri) -> None:
    stack.client("s3").put_object(Bucket=uri.bucket, Key=uri.key, Body=json.dumps(REPORT).encode())

    assert read_report(stack.client("s3"), uri).outputs["csv"].model_dump() == CSV


def test_a_job_without_a_report_is_reported_with_the_file_to_write(stack: boto3.Session, uri: S3Uri) -> None:
    with pytest.raises(ReportError) as caught:
        read_report(stack.client("s3"), uri)

    assert caught.value.problems == (
        f"{uri}: there is no such file. The job must write its report there (docs/job-report.md); if it did, "
        "the run was removed since: `start --cache off` runs the job again",
    )


def test_a_report_that_may_not_be_read_is_named() -> None:
    class Denied:
        def get_object(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": ""}}, "GetObject")

    with pytest.raises(ReportError, match=f"^{FILE}: cannot be read: AccessDenied$"):
        read_report(Denied(), parse(FILE))  # type: ignore[arg-type]  # a client without permission
