from dataclasses import replace
from typing import Any
from uuid import uuid4

import boto3
import pytest

from ml_pipeline.executions.executions import Snapshot, Step
from ml_pipeline.executions.outcome import Outputs, Report, StepOutcome
from ml_pipeline.executions.verification import Written, problems, read_written
from ml_pipeline.params import PipelineParams

KEY = "arn:aws:kms:eu-west-1:123456789012:key/data"
REPORT = Report(
    application_id="application_1",
    rows_in=4177,
    rows_out=4175,
    rows_rejected=2,
    outputs=Outputs(csv="s3a://b/out/csv", parquet="s3a://b/out/parquet", rejected="s3a://b/out/rejected"),
    files={"csv": 2, "parquet": 1},
)
DONE = Snapshot("arn", "Succeeded")
OUTCOME = StepOutcome(Step("clean", "Succeeded"), output="s3a://b/out", report=REPORT)
WRITTEN = {
    "s3://b/out/report.json": [Written("s3://b/out/report.json", KEY)],
    "s3a://b/out/csv": [Written(f"s3://b/out/csv/{name}", KEY) for name in ("part-0", "part-1", "_SUCCESS")],
    "s3a://b/out/parquet": [Written("s3://b/out/parquet/part-0", KEY)],
    "s3a://b/out/rejected": [Written("s3://b/out/rejected/part-0", KEY)],
}


def found(report: dict[str, Any] | None = None, written: dict[str, list[Written]] | None = None) -> list[str]:
    outcome = replace(OUTCOME, report=REPORT.model_copy(update=report or {}))
    return problems(DONE, [outcome], {**WRITTEN, **(written or {})}, KEY)


def test_an_execution_that_did_what_it_says_has_no_problem() -> None:
    assert found() == []
    nothing_rejected = {
        "rows_rejected": 0,
        "rows_out": 4177,
        "outputs": REPORT.outputs.model_copy(update={"rejected": None}),
    }
    assert found(nothing_rejected) == []


def test_one_that_failed_tells_the_reason_and_nothing_else() -> None:
    failed = StepOutcome(Step("clean", "Failed", failure_reason="no rows"), output="s3a://b/out")

    assert problems(Snapshot("arn", "Failed", "a step failed"), [failed], {}, KEY) == [
        "it is Failed: no rows"
    ]
    assert problems(Snapshot("arn", "Stopped", "by hand"), [], {}, KEY) == ["it is Stopped: by hand"]
    assert problems(Snapshot("arn", "Executing"), [], {}, KEY) == [
        "it is Executing: SageMaker gives no reason"
    ]


def test_a_missing_report_is_told_with_what_is_known_of_it() -> None:
    without = replace(OUTCOME, report=None, notes=("no report at s3://b/out/report.json",))

    assert problems(DONE, [without], {}, KEY) == ["step clean: no report at s3://b/out/report.json"]
    assert problems(DONE, [], {}, KEY) == ["no step of it has written anything"]


@pytest.mark.parametrize(
    ("report", "written", "said"),
    [
        ({"rows_out": 4174}, {}, "of 4,177 rows 4,174 were written and 2 rejected, which is not all of them"),
        ({"rows_out": 0, "rows_rejected": 4177}, {}, "no row was written"),
        ({"files": {"csv": 3, "parquet": 1}}, {}, "s3a://b/out/csv holds 2 part files, its report says 3"),
        ({"files": {"csv": 2}}, {}, "its report counts no files of parquet"),
        ({}, {"s3a://b/out/parquet": []}, "s3a://b/out/parquet holds 0 part files, its report says 1"),
        ({}, {"s3a://b/out/rejected": []}, "s3a://b/out/rejected holds 0 part files, its report says some"),
    ],
)
def test_what_a_report_and_s3_do_not_agree_on_is_told(
    report: dict[str, Any], written: dict[str, list[Written]], said: str
) -> None:
    assert found(report, written) == [f"step clean: {said}"]


def test_every_object_is_encrypted_with_the_key_of_the_data() -> None:
    other, none = Written("s3://b/out/csv/part-0", f"{KEY}-2"), Written("s3://b/out/csv/part-1", "")

    assert found(written={"s3a://b/out/csv": [other, none]}) == [
        f"s3://b/out/csv/part-0 is encrypted with {KEY}-2, not {KEY}",
        f"s3://b/out/csv/part-1 is encrypted with no KMS key, not {KEY}",
    ]
    many = [none._replace(uri=f"s3://b/out/csv/part-{number}") for number in range(9)]
    assert found({"files": {"csv": 9, "parquet": 1}}, {"s3a://b/out/csv": many})[5:] == ["and so are 4 more"]


def test_what_lies_in_s3_is_read_with_its_encryption(
    stack: boto3.Session, stack_parameters: PipelineParams
) -> None:
    s3, key = stack.client("s3"), stack_parameters.pyspark_process_output_kms
    bucket = stack_parameters.pyspark_process_data_output.split("/")[2]
    folder = f"verified-{uuid4().hex}"
    outcome = replace(
        OUTCOME,
        output=f"s3a://{bucket}/{folder}",
        report=REPORT.model_copy(
            update={
                "outputs": Outputs(csv=f"s3a://{bucket}/{folder}/csv", parquet=f"s3a://{bucket}/{folder}/p")
            }
        ),
    )
    s3.put_object(Bucket=bucket, Key=f"{folder}/report.json", Body=b"{}")
    s3.put_object(Bucket=bucket, Key=f"{folder}/csv-of-others/part-0", Body=b"")
    s3.put_object(
        Bucket=bucket, Key=f"{folder}/csv/part-0", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId=key
    )

    assert read_written(s3, [outcome]) == {
        f"s3://{bucket}/{folder}/report.json": [Written(f"s3://{bucket}/{folder}/report.json", "")],
        f"s3a://{bucket}/{folder}/csv": [Written(f"s3://{bucket}/{folder}/csv/part-0", key)],
        f"s3a://{bucket}/{folder}/p": [],
    }
