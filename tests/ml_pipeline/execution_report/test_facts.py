"""Facts that the report derives from responses of AWS: dependencies, attempts, spans, costs, differences."""

import io
import json
from dataclasses import replace
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from helpers.pricing.prices import InstanceHours, Prices
from helpers.spark.event_log import profile
from helpers.spark.packages.layout import MANIFEST
from ml_pipeline.execution_report.comparison import differences
from ml_pipeline.execution_report.costs import cost_of_jobs, total
from ml_pipeline.execution_report.definition import DefinedStep, defined_steps, dependencies
from ml_pipeline.execution_report.jobs import jobs_of_step
from ml_pipeline.execution_report.model import Cost, Phase, Step
from ml_pipeline.execution_report.rejected_rows import EXAMPLES, group_rejected
from ml_pipeline.execution_report.spark_run import MOST_INTERVALS, spark_run
from ml_pipeline.execution_report.timeline import spans_of
from ml_pipeline.executions import executions
from ml_pipeline.executions.jobs import Job
from tests.ml_pipeline.execution_report.reports import CLEAN, NOON, SMALL, after, span

LOGS = Path(__file__).parents[2] / "helpers" / "spark" / "event_log"
ID = "w1sz65lhdni1"


def job(name: str, status: str, created: float, started: float | None, ended: float | None) -> Job:
    def moment(seconds: float | None) -> datetime | None:
        return None if seconds is None else after(seconds)

    return Job(name, status, after(created), moment(started), moment(ended), "ml.m5.xlarge", 2)


@pytest.mark.parametrize(
    ("arguments", "image"),
    [
        ({"AppSpecification": {"ImageUri": "spark"}}, "spark"),
        ({"AlgorithmSpecification": {"TrainingImage": "xgboost"}}, "xgboost"),
        ({"PrimaryContainer": {"Image": "xgboost"}}, "xgboost"),
        ({"PrimaryContainer": {"ModelPackageName": {"Get": "Parameters.ModelPackageArn"}}}, ""),
        ({"InferenceSpecification": {"Containers": [{"Image": "xgboost"}]}}, "xgboost"),
        ({}, ""),
    ],
)
def test_the_image_of_a_step_is_that_of_its_job_or_model(arguments: dict[str, Any], image: str) -> None:
    s3: Any = None
    definition = {"Steps": [{"Name": "it", "Arguments": arguments}]}

    assert defined_steps(s3, definition)["it"].image == image


def test_a_step_of_a_branch_depends_on_its_condition() -> None:
    definition = {
        "Steps": [
            {"Name": "score"},
            {
                "Name": "is-good",
                "Type": "Condition",
                "Arguments": {
                    "Conditions": [{"LeftValue": {"Get": "Steps.score.Value"}}],
                    "IfSteps": [
                        {"Name": "package"},
                        {"Name": "register", "Arguments": {"Model": {"Get": "Steps.package.Arn"}}},
                    ],
                    "ElseSteps": [{"Name": "stop", "Type": "Fail", "Arguments": {}}],
                },
            },
        ]
    }

    assert dependencies(definition) == {
        "score": (),
        "is-good": ("score",),
        "package": ("is-good",),
        "register": ("is-good", "package"),
        "stop": ("is-good",),
    }


def test_a_step_depends_on_what_it_names_and_on_what_it_reads() -> None:
    definition = {
        "Steps": [
            {"Name": "clean"},
            {"Name": "rates", "DependsOn": ["clean"]},
            {
                "Name": "join",
                "DependsOn": ["rates"],
                "Arguments": {
                    "Inputs": [{"Std:Join": {"Values": [{"Get": "Steps.clean.ProcessingJobName"}]}}]
                },
            },
            {
                "Name": "sum",
                "Arguments": {"In": [{"Get": "Parameters.Steps"}, {"Get": "Steps.join.Properties"}]},
            },
        ]
    }

    assert dependencies(definition) == {
        "clean": (),
        "rates": ("clean",),
        "join": ("clean", "rates"),
        "sum": ("join",),
    }


class Objects:
    """An S3 client with some objects."""

    def __init__(self, **objects: bytes):
        self.objects = objects

    def get_object(self, Bucket: str, Key: str) -> dict[str, io.BytesIO]:  # noqa: N803 - boto3's
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": io.BytesIO(self.objects[Key])}


WITH_PACKAGES = {
    "Steps": [
        {
            "Name": "clean",
            "Arguments": {
                "AppSpecification": {"ImageUri": "image:3.5"},
                "ProcessingInputs": [
                    {"InputName": "code", "S3Input": {"S3Uri": "s3://b/code/clean.py"}},
                    {"InputName": "rides", "S3Input": {"S3Uri": {"Get": "Steps.x.y"}}},
                    {"InputName": "packages", "S3Input": {"S3Uri": "s3://b/abc/"}},
                ],
            },
        }
    ]
}


def test_image_code_and_packages_are_those_of_the_definition() -> None:
    manifest = {
        "python": "3.12",
        "platform": "x",
        "requirements": ["holidays==0.61"],
        "files": {"jars/a.jar": 1},
    }
    content = {f"abc/{MANIFEST}": json.dumps(manifest).encode()}

    step = defined_steps(Objects(**content), WITH_PACKAGES)["clean"]  # type: ignore[arg-type]

    assert step == DefinedStep((), "image:3.5", ("s3://b/code/clean.py",), ("holidays==0.61", "a.jar"))


def test_packages_that_are_gone_are_stated() -> None:
    step = defined_steps(Objects(), WITH_PACKAGES)["clean"]  # type: ignore[arg-type]

    assert step.missing == ("The packages cannot be read at s3://b/abc/: NoSuchKey.",)


def test_the_attempts_at_a_step_are_the_jobs_that_are_named_after_it() -> None:
    names = [
        f"pipelines-{ID}-clean-Ab1",
        f"pipelines-{ID}-clean-all-Ab1",
        f"pipelines-{ID}-a-very-long-name-of--Ab1",
        "of-its-own-prefix",
    ]
    jobs = [job(name, "Completed", 0, 1, 2) for name in names]

    def found(step: str, last_job: str = "") -> list[str]:
        return [each.name for each in jobs_of_step(jobs, ID, step, last_job)]

    assert found("clean") == names[:1]
    assert found("clean_all") == names[1:2]
    assert found("a_very_long_name_of_a_step") == names[2:3]
    assert found("other", "of-its-own-prefix") == names[3:]


def test_an_attempt_that_failed_is_followed_by_a_wait_and_by_the_next() -> None:
    step = executions.Step("join", "Succeeded", started=after(30), ended=after(300), attempts=2)
    jobs = [job("one", "Failed", 31, 90, 100), job("two", "Completed", 110, 170, 299)]

    assert spans_of(step, jobs, NOON) == (
        span(Phase.WAITING, 0, 30),
        span(Phase.STARTING, 30, 90),
        span(Phase.FAILED, 90, 100),
        span(Phase.RETRYING, 100, 110),
        span(Phase.STARTING, 110, 170),
        span(Phase.RUNNING, 170, 299),
    )


@pytest.mark.parametrize(
    ("status", "jobs", "expected"),
    [
        ("Executing", [job("one", "InProgress", 5, None, None)], (span(Phase.STARTING, 0, None),)),
        (
            "Executing",
            [job("one", "InProgress", 0, 9, None)],
            (span(Phase.STARTING, 0, 9), span(Phase.RUNNING, 9, None)),
        ),
        ("Failed", [job("one", "Failed", 0, None, 4)], (span(Phase.FAILED, 0, 4),)),
        ("Failed", [], (span(Phase.FAILED, 0, None),)),
        ("Succeeded", [], (span(Phase.RUNNING, 0, None),)),
    ],
)
def test_a_step_shows_how_far_it_came(status, jobs, expected) -> None:
    assert spans_of(executions.Step("join", status, started=NOON), jobs, NOON) == expected


def test_the_attempts_before_a_retried_execution_are_kept() -> None:
    """After a retry, SageMaker returns only the time of a step's last start."""
    step = executions.Step("join", "Succeeded", started=after(100), ended=after(130))
    jobs = [job("one", "Failed", 10, 20, 30), job("two", "Completed", 101, 110, 130)]

    assert spans_of(step, jobs, NOON) == (
        span(Phase.WAITING, 0, 10),
        span(Phase.STARTING, 10, 20),
        span(Phase.FAILED, 20, 30),
        span(Phase.RETRYING, 30, 101),
        span(Phase.STARTING, 101, 110),
        span(Phase.RUNNING, 110, 130),
    )


def test_a_step_that_did_not_start_has_no_spans() -> None:
    assert spans_of(executions.Step("join", "Starting"), [], NOON) == ()


PRICES = Prices(
    region="eu-west-1",
    instance_hours=(InstanceHours(as_of=date(2026, 11, 1), source="test", usd={"ml.m5.xlarge": 0.36}),),
    resources={},
)


def test_every_attempt_costs_from_its_creation_to_its_end() -> None:
    jobs = [job("one", "Failed", 0, 50, 100), job("two", "InProgress", 100, 150, None)]

    cost = cost_of_jobs(jobs, PRICES, after(400))

    assert cost.usd == pytest.approx(2 * 0.36 * 400 / 3600)
    assert cost.basis == (
        "2 x ml.m5.xlarge at 0.36 USD an hour for 1 min 40 s; "
        "2 x ml.m5.xlarge at 0.36 USD an hour for 5 min 00 s"
    )


def test_a_price_that_is_not_known_is_not_guessed() -> None:
    unpriced = replace(job("one", "Completed", 0, 5, 10), instance_type="ml.new.large")

    cost = cost_of_jobs([unpriced], PRICES, NOON)

    assert cost == Cost(None, "2 x ml.new.large, whose price is not known, for 10 s")
    assert total([cost, Cost(1.0, "")]).usd is None
    assert total([Cost(0.5, ""), None, Cost(1.0, "")]).usd == 1.5


def line(file: str, text: str, reason: str) -> bytes:
    return f'{{"file": "{file}", "line": "{text}", "reason": "{reason}"}}'.encode()


def test_rejected_rows_are_counted_by_file_with_an_example_of_each_reason() -> None:
    lines = [
        line("a.csv", "1", "too short"),
        line("b.csv", "2", "no number"),
        line("b.csv", "3", "no number"),
        line("b.csv", "4", "too short"),
        b'{"file": "b.csv"}',
        b'["b.csv"]',
        b"not JSON",
    ]

    rejected = group_rejected(lines, 9)

    assert rejected is not None
    assert (rejected.read, rejected.total) == (4, 9)
    assert [(each.file, each.rows) for each in rejected.files] == [("b.csv", 3), ("a.csv", 1)]
    assert rejected.files[0].reasons == {"no number": 2, "too short": 1}
    assert rejected.files[0].examples == (("2", "no number"), ("4", "too short"))


def test_examples_are_few_short_and_printable() -> None:
    lines = [line("a.csv", "x" * 500 + "\\u001b[31m", f"reason {number}") for number in range(EXAMPLES + 2)]

    (file,) = group_rejected(lines, 5).files

    assert [reason for _, reason in file.examples] == [f"reason {number}" for number in range(EXAMPLES)]
    assert file.examples[0][0] == "x" * 200 + "…"
    (escaped,) = group_rejected([line("a.csv", "\\u001b[31m", "r")], 1).files
    assert escaped.examples[0][0] == "�[31m"


def test_without_a_line_in_the_documented_form_there_are_no_examples() -> None:
    assert group_rejected([b'{"row": 1}'], 1) is None


def test_a_real_event_log_reports_where_the_time_went() -> None:
    (log,) = (LOGS / "not_granted" / "3.5.9").iterdir()

    run = spark_run(profile.read(log))

    assert run.seconds == pytest.approx(118.502)
    assert sum(run.time.values()) == pytest.approx(run.seconds, abs=0.01)
    assert [executor.name for executor in run.executors] == ["executor 1", "executor 0", "executor 2"]
    assert [bool(executor.lost) for executor in run.executors] == [False, True, False]
    assert run.executors[1].ended < run.seconds == run.executors[0].ended
    assert run.allocation.startswith("2 of 4 requested executors granted")
    assert ("spark.executor.memoryOverhead", "768m", "not set") in [
        setting for finding in run.findings for setting in finding.settings
    ]
    assert all("/" not in stage.name for stage in run.stages)
    assert all(0 <= stage.started <= stage.ended <= run.seconds for stage in run.stages)


def test_of_many_gaps_between_tasks_the_longest_are_kept() -> None:
    run = profile.Profile(started=0, ended=1_000_000)
    for number in range(MOST_INTERVALS * 2):
        run.busy.add(number * 1000, number * 1000 + (100 if number % 2 else 900))

    busy = spark_run(run).busy

    assert len(busy) <= MOST_INTERVALS
    assert all(before[1] < after_[0] for before, after_ in pairwise(busy))


def test_an_executor_that_ends_with_the_application_was_not_lost() -> None:
    run = profile.Profile(started=0, ended=10_000)
    run.executors["1"] = profile.Executor(4, 1000, removed=10_000, reason="shut down")
    run.executors["2"] = profile.Executor(4, 1000, removed=9_000, reason="killed")

    assert [executor.lost for executor in spark_run(run).executors] == ["", "killed"]


def test_a_duration_within_a_tenth_is_not_a_difference() -> None:
    slower = replace(CLEAN, spans=(*CLEAN.spans, span(Phase.RUNNING, 362, 382)))

    assert differences(replace(SMALL, steps=(CLEAN,)), replace(SMALL, steps=(slower,))) == ()


def test_equal_executions_do_not_differ() -> None:
    assert differences(SMALL, replace(SMALL, arn="other", started=after(9), ended=after(489))) == ()


def test_what_differs_is_listed_with_both_values() -> None:
    slower = replace(CLEAN, spans=(span(Phase.RUNNING, 0, 900),), rows_in=17_000, packages=())
    now = replace(
        SMALL,
        status="Succeeded",
        steps=(slower, Step("new", "Succeeded")),
        cost=Cost(0.5, ""),
        provenance=replace(SMALL.provenance, commit="abc"),
    )

    found = {(each.step, each.what): (each.previous, each.now) for each in differences(SMALL, now)}

    assert found == {
        ("", "status"): ("Failed", "Succeeded"),
        ("", "commit"): ("4f0c2a9d1b7e48c6a5d3f2e1908b7c6d5e4f3a21", "abc"),
        ("", "estimated cost"): ("0.1148 USD", "0.5000 USD"),
        ("clean-rides", "duration"): ("6 min 02 s", "15 min 00 s"),
        ("clean-rides", "rows read"): ("16,951", "17,000"),
        ("clean-rides", "packages"): ("holidays==0.61", "none"),
        ("join-rates", "step"): ("present", "missing"),
        ("summarize", "step"): ("present", "missing"),
        ("new", "step"): ("missing", "present"),
    }
