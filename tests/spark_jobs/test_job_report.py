"""The runs of a job and their reports, as the jobs' library writes them and `ml_pipeline` reads them."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from etl.errors import JobError
from etl.executors import Executors, count_executors
from etl.names import is_data_file
from etl.report import Check, Output, job_report, written_output
from etl.runs import Run, begin_run, outdated_runs, publish_report
from etl.storage import LocalDisk
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from ml_pipeline.executions.job_report import parse_report

NAMES = st.text(min_size=1)
COUNTS = st.integers(0, 2**63)
SIZES = st.integers(1, 2**63)
VALUES = st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
OUTPUTS = st.builds(
    Output,
    folder=st.from_regex(r"\As3a://[a-z]{3,9}/[a-z]+(/[a-z]+)*\Z"),
    rows=COUNTS,
    files=COUNTS,
    format=st.sampled_from(["parquet", "csv", "json", "orc", "txt"]),
)


@given(
    application_id=NAMES,
    outputs=st.dictionaries(st.text(), OUTPUTS, max_size=9),
    rows_in=COUNTS | st.none(),
    rows_rejected=COUNTS | st.none(),
    checks=st.lists(st.builds(Check, NAMES, VALUES, VALUES), max_size=3),
    seconds=st.dictionaries(st.text(), st.floats(0, 1e9), max_size=3),
    executors=st.builds(Executors, SIZES, COUNTS, SIZES, SIZES) | st.none(),
)
def test_what_a_job_reports_is_what_is_read(
    application_id, outputs, rows_in, rows_rejected, checks, seconds, executors
) -> None:
    written = job_report(
        application_id,
        outputs,
        rows_in=rows_in,
        rows_rejected=rows_rejected,
        checks=checks,
        seconds=seconds,
        executors=executors,
    )

    report = parse_report(json.dumps(written).encode(), "report.json")

    assert (report.application_id, report.rows_in, report.rows_rejected) == (
        application_id,
        rows_in,
        rows_rejected,
    )
    assert {name: output.model_dump() for name, output in report.outputs.items()} == {
        name: output._asdict() for name, output in outputs.items()
    }
    assert [tuple(check.model_dump().values()) for check in report.checks] == [
        tuple(check) for check in checks
    ]
    assert report.seconds == seconds
    assert report.executors == executors or report.executors.model_dump() == executors._asdict()
    assert list(report.failed_checks) == [
        position for position, check in enumerate(checks) if check.expected != check.actual
    ]


def test_a_run_by_hand_has_a_name_of_its_own_and_reports_to_its_output() -> None:
    first, second = begin_run("s3a://b/out/"), begin_run("s3a://b/out/")

    assert first.name != second.name
    assert first.folder_in("s3a://b/out/") == f"s3a://b/out/runs/{first.name}"
    assert (first.report_folder, first.days_kept) == ("s3a://b/out", 10)


def test_a_run_on_sagemaker_is_what_the_environment_describes(tmp_path, monkeypatch) -> None:
    config = tmp_path / "processingjobconfig.json"
    config.write_text(json.dumps({"ProcessingJobName": "job-1", "Environment": {}}))
    monkeypatch.setenv("PROCESSING_JOB_CONFIG", str(config))
    monkeypatch.setenv("REPORT_FOLDER", "s3a://b/first")
    monkeypatch.setenv("RUNS_KEPT_DAYS", "40")

    assert begin_run("s3a://b/out") == Run("job-1", "s3a://b/first", 40)


@pytest.mark.parametrize("content", [None, "{", "[]", "{}"])
def test_a_job_description_without_a_name_is_rejected(content, tmp_path, monkeypatch) -> None:
    """With another name, users could not find the run of the job."""
    config = tmp_path / "processingjobconfig.json"
    if content is not None:
        config.write_text(content)
    monkeypatch.setenv("PROCESSING_JOB_CONFIG", str(config))

    with pytest.raises(JobError, match=f"PROCESSING_JOB_CONFIG={config}: no ProcessingJobName"):
        begin_run("s3a://b/out")


@pytest.mark.parametrize("days", ["0", "-1", "1.5", "ten"])
def test_days_that_are_not_a_number_of_days_are_rejected(days, monkeypatch) -> None:
    monkeypatch.setenv("RUNS_KEPT_DAYS", days)

    with pytest.raises(JobError, match=f"RUNS_KEPT_DAYS={days}: expected a number of days"):
        begin_run("s3a://b/out")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("part-0.parquet", True),
        ("model.bin", True),
        ("day=1/part-0", True),
        ("_day=1/part-0", True),
        ("_SUCCESS", False),
        (".part-0.crc", False),
        ("_temporary/0/part-0", False),
    ],
)
def test_data_files_are_those_that_spark_reads(name, expected) -> None:
    assert is_data_file(name) is expected


def test_a_run_that_a_report_names_or_another_job_may_write_is_not_outdated() -> None:
    modified = {"old": 1, "reported": 1, "new": 1, "young": 2, "report": 1}

    assert outdated_runs(modified, "new", 2, '{"folder": "s3a://b/runs/reported/csv"}') == ["old", "report"]


def test_the_files_of_partitions_count(spark: SparkSession, tmp_path: Path) -> None:
    folder = str(tmp_path / "table")
    spark.range(6, numPartitions=1).selectExpr("id", "id % 3 AS day").write.partitionBy("day").parquet(folder)

    assert written_output(spark, folder, 6, "parquet") == Output(folder, 6, 3, "parquet")


@pytest.mark.parametrize(
    ("nulls", "message"), [([], None), (["a"], r"a \(1 rows\)"), (["a", "b"], r"a \(1 rows\), b \(1 rows\)")]
)
def test_null_in_a_required_column_fails_the_job(spark: SparkSession, tmp_path: Path, nulls, message) -> None:
    folder = str(tmp_path / "table")
    columns = [f"IF(id = 7, NULL, id) AS {name}" if name in nulls else f"id AS {name}" for name in "ab"]
    spark.range(9, numPartitions=3).selectExpr(*columns, "CAST(NULL AS INT) AS c").write.parquet(folder)

    if message is None:
        assert written_output(spark, folder, 9, "parquet", required=("a", "b")).rows == 9
    else:
        with pytest.raises(JobError, match=f"{folder} holds NULL in required columns: {message};"):
            written_output(spark, folder, 9, "parquet", required=("a", "b"))


class Job:
    """Publishes reports of a job with two outputs, `a` and `b`, in separate folders."""

    def __init__(self, spark: SparkSession, folder: Path):
        self.spark, self.a, self.b = spark, folder / "a", folder / "b"

    def run(self, name: str, days_kept: int = 10) -> list[str]:
        run = Run(name, str(self.a), days_kept)
        outputs = {}
        for output in (self.a, self.b):
            data = Path(run.folder_in(str(output))) / "data"
            data.mkdir(parents=True)
            (data / "part-0.csv").write_text("1\n")
            outputs[output.name] = written_output(self.spark, str(data), 1, "csv")
        return publish_report(self.spark, run, job_report("app-1", outputs))

    def age(self, name: str, days: int) -> None:
        """Make a run look as if it was written this many days ago."""
        past = (datetime.now(UTC) - timedelta(days=days)).timestamp()
        for run in (self.a / "runs" / name, self.b / "runs" / name):
            for path in (run, *run.rglob("*")) if run.exists() else ():
                os.utime(path, (past, past))


@pytest.fixture
def job(spark: SparkSession, tmp_path: Path) -> Job:
    return Job(spark, tmp_path)


def test_the_report_of_the_run_is_there_before_the_copy_that_readers_follow(job, monkeypatch) -> None:
    written = []

    write = LocalDisk.write

    def record(disk: LocalDisk, uri: str, content: bytes) -> None:
        written.append(uri)
        write(disk, uri, content)

    monkeypatch.setattr(LocalDisk, "write", record)

    job.run("new")

    assert written == [f"{job.a}/runs/new/report.json", f"{job.a}/report.json"]
    assert len({Path(report).read_text() for report in written}) == 1


def test_a_run_removes_what_nobody_reads_any_more_from_all_outputs(job) -> None:
    ages = {"outdated": 11, "young": 9, "reported": 11}
    for name in ages:
        job.run(name)
    for name, days in ages.items():
        job.age(name, days)

    removed = job.run("new")

    assert removed == [f"{job.a}/runs/outdated", f"{job.b}/runs/outdated"]
    for output in (job.a, job.b):
        assert {run.name for run in (output / "runs").iterdir()} == {"young", "reported", "new"}


def test_runs_are_kept_as_long_as_the_step_asks(job) -> None:
    job.run("first")
    job.run("second")
    job.age("first", 11)

    assert job.run("third", days_kept=30) == []
    assert job.run("fourth", days_kept=10) == [f"{job.a}/runs/first", f"{job.b}/runs/first"]


def test_a_run_without_a_report_is_as_old_as_its_newest_file(job) -> None:
    """A killed job writes no report, and a running job has not written it yet."""
    for name in ("killed", "running", "empty"):
        (job.a / "runs" / name / "csv").mkdir(parents=True)
        if name != "empty":
            (job.a / "runs" / name / "csv" / "part-0.csv").touch()
        job.age(name, 11)
    (job.a / "runs" / "running" / "csv" / "part-1.csv").touch()

    assert job.run("new") == [f"{job.a}/runs/empty", f"{job.a}/runs/killed"]


class Cluster:
    """The responses of a session on a cluster, with Spark's own SparkConf; the tests' session is local."""

    def __init__(self, spark: SparkSession, master: str, executors: int, properties: dict[str, str]):
        conf = spark.sparkContext._jvm.org.apache.spark.SparkConf(False)
        for name, value in properties.items():
            conf.set(f"spark.{name}", value)
        tracker = SimpleNamespace(getExecutorInfos=lambda: ["driver", *["executor"] * executors])
        scala = SimpleNamespace(statusTracker=lambda: tracker)
        java = SimpleNamespace(
            getConf=lambda: conf,
            isLocal=lambda: master.startswith("local["),
            master=lambda: master,
            sc=lambda: scala,
        )
        self.sparkContext = SimpleNamespace(_jsc=java)


ON_YARN = {"executor.instances": "30", "executor.cores": "4", "executor.memory": "12438m"}


@pytest.mark.parametrize(
    ("master", "properties", "memory_mib"),
    [
        ("yarn", {}, 12438 + 1243),
        ("yarn", {"executor.memoryOverhead": "1381m"}, 12438 + 1381),
        ("yarn", {"executor.memoryOverheadFactor": "0.2"}, 12438 + 2487),
        ("yarn", {"executor.memory": "1g"}, 1024 + 384),
        ("yarn", {"executor.pyspark.memory": "1g"}, 12438 + 1243 + 1024),
        ("yarn", {"memory.offHeap.enabled": "true", "memory.offHeap.size": "2g"}, 12438 + 1243 + 2048),
        ("yarn", {"memory.offHeap.size": "2g"}, 12438 + 1243),
        ("local-cluster[30,4,12438]", {"executor.memoryOverhead": "1381m"}, 12438),
    ],
)
def test_executors_have_all_that_the_cluster_manager_is_asked_for(
    spark: SparkSession, caplog, master, properties, memory_mib
) -> None:
    cluster = Cluster(spark, master, 30, ON_YARN | properties)

    assert count_executors(cluster) == Executors(30, 30, 4, memory_mib)
    assert not caplog.messages


def test_executors_that_were_not_granted_are_logged_with_what_to_change(spark: SparkSession, caplog) -> None:
    executors = count_executors(Cluster(spark, "yarn", 24, ON_YARN))

    assert caplog.messages == [
        "only 24 of 30 requested executors were granted, with 4 vCPU and 13681 MiB each: lower "
        "spark.executor.memory or spark.executor.cores in configuration.json so that all fit, or raise "
        "pyspark_process_instance_count"
    ]
    written = job_report("app-1", {}, executors=executors)
    assert parse_report(json.dumps(written).encode(), "report.json").executors.are_missing


def test_where_no_number_of_executors_is_requested_none_is_reported(spark: SparkSession) -> None:
    dynamic = ON_YARN | {"dynamicAllocation.enabled": "true"}

    assert count_executors(spark) is None
    assert count_executors(Cluster(spark, "local[2]", 0, ON_YARN)) is None
    assert count_executors(Cluster(spark, "yarn", 2, {})) is None
    assert count_executors(Cluster(spark, "yarn", 2, dynamic)) is None
    assert "executors" not in job_report("app-1", {})


def documented(language: str) -> str:
    """Return the first code block of a language on the page about reports."""
    page = (Path(__file__).parents[2] / "docs" / "job-report.md").read_text()
    return page.partition(f"```{language}\n")[2].partition("```")[0]


def test_the_documented_report_is_one() -> None:
    assert parse_report(documented("json").encode(), "docs/job-report.md").rows_in == 4177


def test_the_documented_job_writes_a_report(spark: SparkSession, tmp_path: Path, monkeypatch) -> None:
    source, target = str(tmp_path / "in"), str(tmp_path / "out")
    spark.range(15).selectExpr("CAST(id AS DOUBLE) AS amount").write.parquet(source)
    monkeypatch.setattr("sys.argv", ["high_fares.py", source, target])
    monkeypatch.setattr("etl.failures.stop_spark", lambda: None)  # all tests share the session

    exec(compile(documented("python"), "high_fares.py", "exec"), {})

    text = (tmp_path / "out" / "report.json").read_text()
    report = parse_report(text.replace(str(tmp_path), "s3a://b").encode(), "report.json")
    assert (report.rows_in, report.outputs["high_fares"].rows) == (15, 5)
    assert len(report.checks) == 1
    assert report.failed_checks == {}
