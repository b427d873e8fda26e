"""Verification of the reports of all kinds of jobs, and of their outputs."""

from dataclasses import replace
from uuid import uuid4

import boto3
import pytest

from ml_pipeline.executions.executions import Snapshot, Step
from ml_pipeline.executions.job_report import Check, Executors, Output, Report
from ml_pipeline.executions.outcome import StepOutcome
from ml_pipeline.executions.verification import Written, is_data_file, problems, read_written, warnings
from ml_pipeline.params import PipelineParams

KEY = "arn:aws:kms:eu-west-1:123456789012:key/data"
DONE = Snapshot("arn", "Succeeded")
RUN = "b/out/runs/job-1"
FILE = f"s3://{RUN}/report.json"
OUTCOME = StepOutcome(Step("clean", "Succeeded"), job="job-1", report_uri=FILE)


def output(name: str, rows: int, files: int = 1, file_format: str = "parquet") -> Output:
    return Output(folder=f"s3a://{RUN}/{name}", rows=rows, files=files, format=file_format)


def report(outputs: dict[str, Output], *checks: Check, **rows: int) -> Report:
    return Report(version=1, application_id="app-1", outputs=outputs, checks=checks, **rows)


def check(name: str, expected: int, actual: int) -> Check:
    return Check(name=name, expected=expected, actual=actual)


def in_s3(of: Report) -> dict[str, list[Written]]:
    """The content of S3 for a correct report."""
    return {
        FILE: [Written(FILE, KEY)],
        **{
            each.folder: [
                Written(f"s3://{each.folder[6:]}/{name}", KEY)
                for name in ("_SUCCESS", *(f"part-{n}-c000.snappy.{each.format}" for n in range(each.files)))
            ]
            for each in of.outputs.values()
        },
    }


CLEANING = report(
    {
        "csv": output("csv", 4175, 2, "csv"),
        "parquet": output("parquet", 4175),
        "rejected": output("rejected", 2, 1, "json"),
    },
    check("rows in = rows written + rows rejected", 4177, 4177),
    rows_in=4177,
    rows_rejected=2,
)
FILTER = report({"adults": output("adults", 25)}, rows_in=5000)
JOIN = report({"orders": output("orders", 90_000, 12)}, check("customers without a name", 0, 0))
AGGREGATION = report({"by_sex": output("by_sex", 3)}, check("sum of counts", 4177, 4177), rows_in=4177)
NINE = report({f"day_{day}": output(f"day_{day}", day, day) for day in range(1, 10)})
NOTHING = report({}, rows_in=5000)


def found(of: Report, written: dict[str, list[Written]] | None = None) -> list[str]:
    return problems(DONE, [replace(OUTCOME, report=of)], {**in_s3(of), **(written or {})}, KEY)


@pytest.mark.parametrize("of", [CLEANING, FILTER, JOIN, AGGREGATION, NINE, NOTHING])
def test_a_job_that_did_what_its_report_claims_has_no_problem(of: Report) -> None:
    assert found(of) == []


def test_an_empty_output_is_fine_as_long_as_its_folder_exists() -> None:
    empty = report({"late": output("late", 0, 0)})

    assert found(empty) == []
    assert found(empty, {f"s3a://{RUN}/late": []}) == [
        f"step clean: {FILE}: outputs.late.folder: s3a://{RUN}/late does not exist"
    ]


def test_a_check_that_does_not_hold_is_a_problem() -> None:
    failing = report({}, check("customers", 3, 3), check("rows in = rows written", 4177, 4175))

    assert found(failing) == [
        f"step clean: {FILE}: checks[1].actual: rows in = rows written: expected 4,177, found 4,175"
    ]


@pytest.mark.parametrize(("more", "count"), [(-1, 1), (1, 3)])
def test_missing_files_and_files_of_others_are_counted(more: int, count: int) -> None:
    csv = CLEANING.outputs["csv"].folder
    objects = [*in_s3(CLEANING)[csv], Written(f"s3://{RUN}/csv/part-2.csv", KEY)]

    assert found(CLEANING, {csv: objects[: 3 + more]}) == [
        f"step clean: {FILE}: outputs.csv.files: expected 2 files in {csv}, found {count}"
    ]


def test_files_of_another_format_are_named() -> None:
    folder = FILTER.outputs["adults"].folder

    assert found(FILTER, {folder: [Written(f"s3://{RUN}/adults/part-0.csv.gz", KEY)]}) == [
        f"step clean: {FILE}: outputs.adults.format: expected .parquet files, found s3://{RUN}/adults/part-0.csv.gz"
    ]
    gzip = report({"lines": output("lines", 1, file_format="csv")})
    assert found(gzip, {f"s3a://{RUN}/lines": [Written(f"s3://{RUN}/lines/part-0.csv.gz", KEY)]}) == []


def test_every_object_is_encrypted_with_the_key_of_the_data() -> None:
    folder = NINE.outputs["day_9"].folder
    plain = [each._replace(key_arn="") for each in in_s3(NINE)[folder]]
    other = [Written(FILE, f"{KEY}-2")]

    first, second = found(NINE, {folder: plain, FILE: other})

    assert first == f"step clean: {FILE}: expected encryption with {KEY}, found {KEY}-2: {FILE}"
    assert second.startswith(
        f"step clean: {FILE}: outputs.day_9.folder: expected encryption with {KEY}, found no KMS key: "
        f"s3://{RUN}/day_9/_SUCCESS, s3://{RUN}/day_9/part-0-c000.snappy.parquet, "
    )
    assert second.endswith(" and 5 more")


def test_executors_that_were_not_granted_are_a_warning_and_no_problem() -> None:
    executors = Executors(requested=30, granted=24, cores=4, memory_mib=13681)
    on_fewer = FILTER.model_copy(update={"version": 2, "executors": executors})
    on_all = on_fewer.model_copy(update={"executors": executors.model_copy(update={"granted": 30})})
    reports = {"clean": on_fewer, "join": on_all, "merge": FILTER, "fail": None}
    steps = [StepOutcome(Step(name, "Succeeded"), report=each) for name, each in reports.items()]

    assert found(on_fewer) == []
    (warning,) = warnings(steps, {})
    assert warning.startswith(
        "step clean: executors: 24 of 30 requested, with 4 cores and 13,681 MiB each: lower "
    )
    assert warnings(steps, {"merge": executors}) == [warning, warning.replace("clean", "merge")]


def test_all_problems_of_all_steps_are_listed() -> None:
    other = replace(
        OUTCOME, step=Step("join", "Succeeded"), report=NINE, report_uri="s3://b/join/report.json"
    )
    nothing = {each.folder: [] for each in (*CLEANING.outputs.values(), *NINE.outputs.values())}

    lines = problems(DONE, [replace(OUTCOME, report=CLEANING), other], nothing, KEY)

    assert [line.split(": ")[0] for line in lines] == ["step clean"] * 3 + ["step join"] * 9


def test_an_execution_that_failed_is_a_problem_with_its_reason_and_nothing_else() -> None:
    failed = StepOutcome(Step("clean", "Failed", failure_reason="no rows"), job="job-1")

    assert problems(Snapshot("arn", "Failed", "a step failed"), [failed], {}, KEY) == [
        "it is Failed: no rows"
    ]
    assert problems(Snapshot("arn", "Stopped", "by hand"), [], {}, KEY) == ["it is Stopped: by hand"]
    assert problems(Snapshot("arn", "Executing"), [], {}, KEY) == [
        "it is Executing: SageMaker gives no reason"
    ]


def test_a_job_without_a_report_is_a_problem_with_all_that_is_known_of_it() -> None:
    malformed = replace(OUTCOME, report_problems=(f"{FILE}: rows_in: missing", f"{FILE}: outputs: missing"))
    unread = StepOutcome(
        Step("join", "Succeeded"), notes=("its processing job cannot be read: AccessDenied",)
    )

    assert problems(DONE, [malformed, unread], {}, KEY) == [
        f"step clean: {FILE}: rows_in: missing",
        f"step clean: {FILE}: outputs: missing",
        "step join: its processing job cannot be read: AccessDenied",
    ]
    assert problems(DONE, [OUTCOME], {}, KEY) == ["step clean: it is Succeeded, without a report"]


def test_a_step_without_a_job_needs_no_report_but_one_of_the_steps_ran_a_job() -> None:
    condition = StepOutcome(Step("enough-rows", "Succeeded"))

    assert problems(DONE, [condition, replace(OUTCOME, report=NOTHING)], in_s3(NOTHING), KEY) == []
    assert problems(DONE, [condition], {}, KEY) == ["none of its steps ran a job"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("part-0", True),
        ("d=1/part-0", True),
        ("_SUCCESS", False),
        ("_temporary/part-0", False),
        ("d=1/", False),
    ],
)
def test_data_files_are_those_that_spark_reads(name: str, expected: bool) -> None:
    assert is_data_file(f"s3://b/_out/{name}", "s3a://b/_out/") is expected


def test_what_lies_in_s3_is_read_with_its_encryption(
    stack: boto3.Session, stack_parameters: PipelineParams
) -> None:
    s3, key = stack.client("s3"), stack_parameters.pyspark_process_output_kms
    bucket = stack_parameters.pyspark_process_data_output.split("/")[2]
    run = f"{bucket}/verified-{uuid4().hex}"
    outcome = replace(
        OUTCOME,
        report_uri=f"s3://{run}/report.json",
        report=report(
            {
                name: Output(folder=f"s3a://{run}/{name}", rows=1, files=1, format="csv")
                for name in ("csv", "missing")
            }
        ),
    )
    folder = run.partition("/")[2]
    s3.put_object(Bucket=bucket, Key=f"{folder}/report.json", Body=b"{}")
    s3.put_object(Bucket=bucket, Key=f"{folder}/csv-of-others/part-0", Body=b"")
    s3.put_object(
        Bucket=bucket, Key=f"{folder}/csv/part-0", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId=key
    )

    assert read_written(s3, [outcome, StepOutcome(Step("next", "Starting"))]) == {
        f"s3://{run}/report.json": [Written(f"s3://{run}/report.json", "")],
        f"s3a://{run}/csv": [Written(f"s3://{run}/csv/part-0", key)],
        f"s3a://{run}/missing": [],
    }
