"""A second pipeline with two steps, created and run with `make` in a separate checkout."""

import io
import json
import re
from collections.abc import Mapping
from typing import Any

import pyarrow.parquet as pq
import pytest

from ml_pipeline.pipelines import pipeline_names
from tests.checkout import Checkout, copy_of, outputs, summary_value

BOTH = {"prepare-fares", "summarize"}
PARAMETERS = "ml_pipeline/params/pipelines/fares.json"
SAMPLE = "spark_jobs/sample_data/fares.csv"
QUICK = [
    {
        "Classification": "spark-defaults",
        "Properties": {"spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1"},
    }
]
"""The JVM options of spark_jobs/configuration.json, whose sizes are those of other instances."""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory, repository):
    checkout = copy_of(repository, tmp_path_factory.mktemp("checkout"))
    checkout.made("new-pipeline", "NAME=fares")
    checkout.made("new-step", "PIPELINE=fares", "NAME=summarize")
    # begin: model life cycle
    # `evaluate` has four times as many files of packages to upload, and no test here executes it.
    checkout.change(
        "ml_pipeline/params/pipelines/train.json", "requirements-evaluation", "requirements-ingestion"
    )
    # end: model life cycle
    (checkout.folder / "spark_jobs" / "quick.json").write_text(json.dumps(QUICK))
    # Without YARN, whose JVMs use two thirds of a job's CPU time; the jobs in test_make.py use it.
    for step in BOTH:
        change_step(checkout, step, instance_count=1, configuration="quick.json")
    yield checkout
    checkout.make("down")


@pytest.fixture(scope="module")
def first_run(checkout) -> str:
    return checkout.made("run", "PIPELINE=fares")


def steps(checkout: Checkout, output: str) -> dict[str, dict[str, Any]]:
    """The steps by name of the execution that a command started."""
    found = checkout.client("sagemaker").list_pipeline_execution_steps(
        PipelineExecutionArn=summary_value(output, "Execution")
    )["PipelineExecutionSteps"]
    assert {step["StepStatus"] for step in found} == {"Succeeded"}
    return {step["StepName"]: step for step in found}


def executed(checkout: Checkout, output: str) -> set[str]:
    """The executed, not reused, steps of the execution that a command started."""
    found = steps(checkout, output)
    assert found.keys() == BOTH
    return {name for name, step in found.items() if "CacheHitResult" not in step}


def started(checkout: Checkout, step: str, *words: str) -> set[str]:
    """Start an execution, stop it when a step runs, and return the executed steps."""
    output = checkout.made("start", "PIPELINE=fares", "WAIT=no", *words)
    arn = re.search(r"Started (\S+)", output)[1]
    found: dict[str, dict[str, Any]] = {}
    while step not in found:
        listed = checkout.client("sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=arn)
        found = {each["StepName"]: each for each in listed["PipelineExecutionSteps"]}
    checkout.made("stop", "PIPELINE=fares")
    return {name for name, each in found.items() if "CacheHitResult" not in each}


def job_of(checkout: Checkout, output: str, step: str) -> str:
    arn = steps(checkout, output)[step]["Metadata"]["ProcessingJob"]["Arn"]
    job = checkout.client("sagemaker").describe_processing_job(ProcessingJobName=arn.rsplit("/", 1)[-1])
    return str(job["ProcessingJobName"])


def change_step(
    checkout: Checkout, step: str, arguments: Mapping[str, Any] | None = None, **keys: Any
) -> None:
    file = checkout.folder / PARAMETERS
    document = json.loads(file.read_text())
    section = document["steps"][step]
    section |= keys
    section["arguments"] |= arguments or {}
    file.write_text(json.dumps(document))


def result(checkout: Checkout, output: str) -> list[tuple[Any, ...]]:
    """The rows in the output of an execution's last step."""
    folder = output[output.index("summarize: Succeeded") :]
    files = [uri for uri in checkout.under(outputs(folder)["parquet"]) if uri.endswith(".parquet")]
    rows = [row for uri in files for row in pq.read_table(io.BytesIO(checkout.read(uri))).to_pylist()]
    return sorted(tuple(row.values()) for row in rows)


def test_the_first_run_executes_both_steps_and_the_second_reads_what_the_first_wrote(
    checkout, first_run
) -> None:
    assert executed(checkout, first_run) == BOTH
    job = checkout.client("sagemaker").describe_processing_job(
        ProcessingJobName=job_of(checkout, first_run, "summarize")
    )
    words = job["AppSpecification"]["ContainerArguments"]
    source = words[words.index("--input_table") + 1]
    assert source.endswith(
        f"/fares/output/prepare-fares/runs/{job_of(checkout, first_run, 'prepare-fares')}/parquet"
    )
    assert result(checkout, first_run) == [(1, 12.5), (2, 0.0), (3, 7.25)]


def test_nothing_changed_reuses_both_results(checkout, first_run) -> None:
    output = checkout.made("run", "PIPELINE=fares")

    assert executed(checkout, output) == set()
    assert output.count(f"result of {summary_value(first_run, 'Execution')} reused") == 2


def test_logs_and_events_are_those_of_the_step_that_is_named(checkout, first_run) -> None:
    for step in sorted(BOTH):
        logs = checkout.made(
            "logs",
            "PIPELINE=fares",
            f"STEP={step}",
            f"ARGS=--execution {summary_value(first_run, 'Execution')}",
        )
        assert f"Step {step}: Succeeded, job {job_of(checkout, first_run, step)}" in logs
        assert f"/fares/output/{step}/runs/" in logs
        assert not any(f"Step {other}" in logs for other in BOTH - {step})
        events = checkout.made("events", "PIPELINE=fares", f"STEP={step}")
        assert f"Step {step}: s3://" in events
        assert f"/{step}/" in events.splitlines()[0]

    code, output = checkout.make("logs", "PIPELINE=fares", "STEP=summarise")
    assert code != 0
    assert "expected one of prepare-fares, summarize" in output


def test_an_argument_of_the_second_step_executes_that_one_alone(checkout, first_run) -> None:
    change_step(checkout, "summarize", {"where": "amount > 10"})
    checkout.made("upsert", "PIPELINE=fares")

    assert started(checkout, "summarize") == {"summarize"}


def test_other_data_and_no_cache_execute_the_first_step(checkout, first_run) -> None:
    assert started(checkout, "prepare-fares", "CACHE=off") == {"prepare-fares"}

    checkout.change(SAMPLE, "3,7.25", "3,70.25")
    checkout.made("data", "PIPELINE=fares")

    assert started(checkout, "prepare-fares") == {"prepare-fares"}


def test_an_argument_of_the_first_step_executes_both(checkout, first_run) -> None:
    change_step(checkout, "prepare-fares", {"max_rejected_fraction": 0.5})

    output = checkout.made("run", "PIPELINE=fares")

    assert executed(checkout, output) == BOTH
    assert result(checkout, output) == [(1, 12.5), (3, 70.25)]


def test_there_is_nothing_to_plan_and_no_drift_in_any_pipeline(checkout, first_run) -> None:
    pipelines = ["processing", *sorted({"fares", *pipeline_names()} - {"processing"})]
    checkout.made("upsert", "PIPELINE=all")

    plan = checkout.made("plan")
    assert plan.count("is up to date, nothing would change") == len(pipelines)
    assert "local: no drift in" in checkout.made("drift")
    assert checkout.made("check-pipeline").count(": no findings") == len(pipelines)
    assert "is verified" in checkout.made("verify", "PIPELINE=fares")
    histories = json.loads(checkout.made("history", "PIPELINE=all", "ARGS=--json"))
    assert list(histories) == pipelines
    # One version for each change of the parameters above; data is not part of a definition.
    assert [entry["version"] for entry in histories["fares"]] == [3, 2, 1]


def test_each_step_is_priced_by_its_own_instances(checkout, first_run) -> None:
    before = checkout.made("plan", "PIPELINE=fares")
    assert "step prepare-fares: " in before
    assert before.count("1 x ml.m5.xlarge") == 2

    change_step(checkout, "summarize", instance_type="ml.m5.2xlarge", instance_count=2)

    lines = checkout.made("plan", "PIPELINE=fares").splitlines()
    (line,) = [each for each in lines if "; 2 x ml.m5.2xlarge at " in each]
    assert "step summarize: " in line
    assert sum("; 1 x ml.m5.xlarge at " in each for each in lines) == 1


def test_data_of_others_is_not_overwritten(checkout, first_run) -> None:
    (uri,) = checkout.under(outputs(first_run)["parquet"].split("/output/")[0] + "/input/")
    bucket, key = uri.removeprefix("s3://").split("/", 1)
    checkout.client("s3").put_object(Bucket=bucket, Key=key, Body=b"id,amount\n7,7.0\n")

    output = checkout.made("data", "PIPELINE=fares")

    assert "was left as it is" in output
    assert "not sample data" in output
    assert checkout.read(uri) == b"id,amount\n7,7.0\n"
