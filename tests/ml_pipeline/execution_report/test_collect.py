"""Collecting a report from executions on the embedded AWS."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.stub import Stubber

from helpers.environments import Environment
from helpers.s3 import parse
from ml_pipeline.definitions import Registration
from ml_pipeline.execution_report.collect import WITHOUT_DATA, collect
from ml_pipeline.execution_report.execution import read_execution
from ml_pipeline.execution_report.model import ExecutionReport, Phase, Step
from ml_pipeline.execution_report.page import render
from ml_pipeline.executions.executions import take_snapshot
from ml_pipeline.executions.target import Target
from ml_pipeline.params import DEFAULT_PIPELINE
from ml_pipeline.releases.history import Origin, record
from ml_pipeline.releases.registration import upsert
from tests.helpers.local_aws.conftest import job_request
from tests.ml_pipeline.small_project import ARTIFACTS, DATA

OUTPUT = f"s3://{DATA}-local/report"
FOLDER = f"history-{uuid4().hex}/"


class Runs:
    """A pipeline of three steps, whose commands are set for each run."""

    def __init__(self, session: boto3.Session, role: str):
        self.session, self._role = session, role
        self.name = f"report-{uuid4().hex}"
        self.project: Any = SimpleNamespace(
            session=session,
            environment=Environment("local"),
            pipeline=SimpleNamespace(name=DEFAULT_PIPELINE),
            name=self.name,
            target=Target(Environment("local"), DEFAULT_PIPELINE, self.name),
            artifact_bucket=f"{ARTIFACTS}-local",
        )

    def run(self, commit: str, join: str) -> str:
        """Register the pipeline, run it and return the execution."""
        sagemaker = self.session.client("sagemaker")
        definition = {"Version": "2020-12-01", "Steps": self._steps(join)}
        registration = Registration(json.dumps(definition), "Reports.", self._role, {})
        upsert(sagemaker, self.name, registration)
        bucket, origin = self.project.artifact_bucket, Origin(commit, "code-1")
        record(self.session, self.name, bucket, registration, origin, changed=True, folder=FOLDER)
        arn = sagemaker.start_pipeline_execution(PipelineName=self.name)["PipelineExecutionArn"]
        while not take_snapshot(sagemaker, arn).over:
            pass
        return arn

    def publish(self, arn: str, step: str, values: list[float]) -> None:
        """Write the output of a step's job: a data set, rejected rows and their report."""
        steps = take_snapshot(self.session.client("sagemaker"), arn).steps
        job_arn = next(each.job_arn for each in steps if each.name == step)
        described = self.session.client("sagemaker").describe_processing_job(
            ProcessingJobName=job_arn.rpartition("/")[2]
        )
        folder = f"{OUTPUT}/runs/{described['ProcessingJobName']}"
        file = io.BytesIO()
        pq.write_table(pa.table({"fare": values}), file)
        row = {"file": "s3://in/a.csv", "line": "1,<b>", "reason": "2 fields instead of 3"}
        self._put(f"{folder}/fares/part-0.parquet", file.getvalue())
        self._put(f"{folder}/rejected/part-0.json", json.dumps(row).encode())
        outputs = {
            "fares": {"folder": f"{folder}/fares", "rows": len(values), "files": 1, "format": "parquet"},
            "rejected": {"folder": f"{folder}/rejected", "rows": 1, "files": 1, "format": "json"},
        }
        report = {
            "version": 2,
            "application_id": "application_1",
            "rows_in": len(values) + 1,
            "rows_rejected": 1,
            "outputs": outputs,
            "checks": [{"name": "days", "expected": 3, "actual": 2}],
        }
        self._put(f"{folder}/report.json", json.dumps(report).encode())

    def _put(self, uri: str, content: bytes) -> None:
        bucket, key = parse(uri)
        self.session.client("s3").put_object(Bucket=bucket, Key=key, Body=content)

    def _steps(self, join: str) -> list[dict[str, Any]]:
        scripts = {"clean": "print('clean')", "join": join, "sum": "print('sum')"}
        after = {"clean": [], "join": ["clean"], "sum": ["join"]}
        return [
            {
                "Name": name,
                "Type": "Processing",
                "DependsOn": after[name],
                "Arguments": job_request(self._role, script, Environment={"REPORT_FOLDER": OUTPUT}),
            }
            for name, script in scripts.items()
        ]


@pytest.fixture(scope="module")
def runs(stack: boto3.Session, role: str) -> Iterator[Runs]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ml_pipeline.execution_report.provenance.history_folder", lambda _: FOLDER)
        yield Runs(stack, role)


@pytest.fixture(scope="module")
def reports(runs: Runs) -> tuple[ExecutionReport, ExecutionReport]:
    """The reports of a successful execution, and of the next one, which failed."""
    first = runs.run("commit-1", "print('join')")
    runs.publish(first, "clean", [1.0, 2.0])
    second = runs.run("commit-2", "raise SystemExit('no rates')")
    runs.publish(second, "clean", [2.0, 3.0, 4.0])
    return collect(runs.project, first), collect(runs.project, second)


def step(report: ExecutionReport, name: str) -> Step:
    return next(each for each in report.steps if each.name == name)


def test_the_first_execution_has_none_before_it(reports) -> None:
    first, _ = reports

    assert (first.status, first.previous) == ("Succeeded", None)
    assert first.missing == (
        "No earlier execution of this pipeline succeeded, so there is nothing to compare with.",
    )
    assert [(each.name, each.after) for each in first.steps] == [
        ("clean", ()),
        ("join", ("clean",)),
        ("sum", ("join",)),
    ]
    assert (first.provenance.version, first.provenance.commit) == (1, "commit-1")


def test_a_step_that_failed_and_one_that_did_not_start_state_what_is_missing(reports) -> None:
    _, second = reports
    failed, never = step(second, "join"), step(second, "sum")

    assert (failed.status, failed.attempts, failed.spans[-1].phase) == ("Failed", 1, Phase.FAILED)
    assert failed.spans[0].phase is Phase.WAITING
    assert failed.failure_reason == "AlgorithmError: , exit code: 1"
    assert failed.missing == (
        "The job failed before it published a report: rows and outputs are not known.",
        "There is no Spark event log: the step has no output for it.",
    )
    assert (never.status, never.spans, never.links) == ("NotStarted", (), ())
    assert never.missing == ("The step did not start: it has no job, log, report or event log.",)


def test_rows_columns_and_rejected_rows_are_read_from_what_the_job_wrote(reports) -> None:
    clean = step(reports[1], "clean")

    assert (clean.rows_in, clean.rows_rejected) == (4, 1)
    assert [(each.name, each.rows) for each in clean.outputs] == [("fares", 3), ("rejected", 1)]
    assert [(each.name, each.holds) for each in clean.checks] == [("days", False)]
    assert clean.rejected.files[0].examples == (("1,<b>", "2 fields instead of 3"),)
    (data_set,) = clean.data_sets
    assert data_set.has_previous
    assert data_set.columns[0].figures.mean == "3"
    assert data_set.columns[0].previous.mean == "1.5"


def test_the_execution_is_compared_with_the_one_before(reports) -> None:
    first, second = reports
    found = {(each.step, each.what): (each.previous, each.now) for each in second.previous.differences}

    assert second.previous.arn == first.arn
    assert found["", "commit"] == ("commit-1", "commit-2")
    assert found["", "status"] == ("Succeeded", "Failed")
    assert found["clean", "rows read"] == ("3", "4")
    assert found["sum", "status"] == ("Succeeded", "NotStarted")


def test_the_cost_is_of_the_jobs_that_ran(reports) -> None:
    second = reports[1]

    assert second.prices_as_of
    assert step(second, "sum").cost is None
    assert "1 x ml.m5.xlarge at" in step(second, "clean").cost.basis
    assert second.cost.usd == pytest.approx(sum(each.cost.usd for each in second.steps if each.cost))


def test_what_was_collected_is_a_page(reports) -> None:
    page = render(reports[1])

    assert "1,&lt;b&gt;" in page
    assert f"make logs ENV=local STEP=clean ARGS=&#39;--execution {reports[1].arn}&#39;" in page


def test_every_attempt_of_a_retried_execution_is_shown(runs: Runs, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    arn = runs.run("commit-3", f"import pathlib,sys;sys.exit(not pathlib.Path({str(flag)!r}).exists())")
    flag.touch()
    sagemaker = runs.session.client("sagemaker")
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    while not take_snapshot(sagemaker, arn).over:
        pass

    report = collect(runs.project, arn)

    join = step(report, "join")
    phases = [each.phase for each in join.spans if each.phase not in {Phase.STARTING, Phase.WAITING}]
    assert (report.status, join.status, join.attempts) == ("Succeeded", "Succeeded", 2)
    assert phases == [Phase.FAILED, Phase.RETRYING, Phase.RUNNING]
    assert join.cost.basis.count("ml.m5.xlarge") == 2
    assert step(report, "sum").status == "Succeeded"


def test_values_of_the_data_can_be_left_out(runs: Runs, reports) -> None:
    _, whole = reports

    report = collect(runs.project, whole.arn, with_data=False)

    assert any(each.data_sets for each in whole.steps)
    assert not any(each.data_sets or each.rejected for each in report.steps)
    assert WITHOUT_DATA in report.missing
    assert [each.name for each in report.steps] == [each.name for each in whole.steps]


def test_without_rights_to_more_the_rest_is_shown(runs: Runs, reports) -> None:
    """A role that cannot list jobs or read definitions still sees the steps, with their last attempts."""
    arn = reports[1].arn
    sagemaker = runs.session.client("sagemaker")
    description = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, SortOrder="Ascending")
    for answer in (description, steps):
        answer.pop("ResponseMetadata")
    restricted = boto3.client("sagemaker", region_name="eu-west-1")
    session = SimpleNamespace(
        client=lambda name: restricted if name == "sagemaker" else runs.session.client(name)
    )
    with Stubber(restricted) as stub:
        stub.add_response("describe_pipeline_execution", description)
        stub.add_response("describe_pipeline_execution", description)
        stub.add_response("list_pipeline_execution_steps", steps)
        stub.add_client_error("describe_pipeline_definition_for_execution", "AccessDeniedException")
        stub.add_client_error("list_processing_jobs", "AccessDeniedException")
        for _ in range(4):
            stub.add_client_error("describe_processing_job", "AccessDeniedException")

        execution = read_execution(session, arn)

    assert execution.missing == (
        "Dependencies of steps are not shown: the definition cannot be read: AccessDeniedException.",
        "Earlier attempts are not shown: jobs cannot be listed: AccessDeniedException.",
    )
    assert [each.step.name for each in execution.outcomes] == ["clean", "join"]
