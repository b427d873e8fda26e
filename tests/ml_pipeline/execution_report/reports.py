"""Reports of fictitious executions, small and large, for tests of the page and for the docs' picture."""

from datetime import UTC, date, datetime, timedelta

from ml_pipeline.execution_report.model import (
    NOT_STARTED,
    Check,
    Column,
    Cost,
    DataSet,
    Difference,
    ExecutionReport,
    Executor,
    Figures,
    Finding,
    Frequency,
    Histogram,
    Link,
    Output,
    Phase,
    Previous,
    Provenance,
    Rejected,
    RejectedFile,
    Span,
    SparkRun,
    Stage,
    Step,
)

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
PIPELINE = "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/rides-dev/execution"
LENGTHS = Histogram(
    "0",
    "48.2",
    (310, 980, 1640, 2210, 2480, 2300, 1950, 1540, 1120, 830, 560, 370, 240, 160, 100, 60, 40, 20, 10, 5),
    (350, 1050, 1700, 2200, 2400, 2150, 1850, 1500, 1150, 850, 600, 400, 270, 180, 120, 70, 45, 25, 12, 6),
)
FARES = Histogram(
    "2.5",
    "96",
    (20, 260, 900, 1800, 2600, 2900, 2500, 1900, 1300, 850, 520, 310, 190, 110, 60, 35, 20, 12, 6, 3),
    (30, 300, 1000, 1900, 2600, 2750, 2350, 1800, 1250, 830, 520, 320, 200, 120, 70, 40, 22, 14, 8, 4),
)


def after(seconds: float) -> datetime:
    """Return a time in seconds since the start of the execution."""
    return NOON + timedelta(seconds=seconds)


def span(phase: Phase, start: float, end: float | None) -> Span:
    """Return a span in seconds since the start of the execution."""
    return Span(phase, after(start), None if end is None else after(end))


OUTPUT = "s3a://rides-dev-data/clean/runs/pipelines-w1sz65lhdni1-clean-rides-rpncqgbok3"
GB = 1_000_000_000
SPARK = SparkRun(
    application_id="application_1795573404123_0001",
    version="3.5.9",
    seconds=148.0,
    cores=8,
    allocation="2 of 3 requested executors granted, with 4 cores and 13,681 MiB each: 8 of 12 cores",
    complete=True,
    time={
        "before the first task": 11.2,
        "tasks ran": 118.4,
        "between tasks": 14.1,
        "after the last task": 4.3,
    },
    core_time={
        "running tasks": 702.0,
        "garbage collection": 41.0,
        "starting Python workers": 0.0,
        "committing output": 12.5,
        "scheduling tasks": 9.0,
        "idle": 182.7,
    },
    busy=((11.2, 62.0), (66.5, 101.0), (110.6, 143.7)),
    executors=(
        Executor("executor 1", 4, 8.1, 148.0),
        Executor("executor 2", 4, 8.4, 71.0, "Container killed by YARN for exceeding memory limits"),
        Executor("executor 3", 4, 79.0, 148.0),
    ),
    stages=(
        Stage(0, "csv at clean.py:48", 11.2, 62.0, 64, 0, 5.9, 9.8, 9 * GB, 2 * GB, 0, 0),
        Stage(1, "count at clean.py:61", 66.5, 101.0, 200, 3, 1.2, 14.6, 2 * GB, 310_000, 0, 890_000_000),
        Stage(2, "parquet at clean.py:77", 110.6, 143.7, 16, 0, 13.7, 22.1, 2 * GB, 0, 1_900_000_000, 0),
    ),
    stages_left_out=0,
    findings=(
        Finding(
            "skew",
            "stage 1 (count at clean.py:61)",
            "The longest of 200 tasks took 14.6 s, the median one 1.2 s, and it read 9 times as much.",
            "Split large partitions while they are joined.",
            "All tasks of the stage end at about the same time.",
            (("spark.sql.adaptive.skewJoin.skewedPartitionFactor", "2.0", "5.0"),),
            11.4,
        ),
        Finding(
            "spill",
            "stage 1 (count at clean.py:61)",
            "890 MB were written to disk because the execution memory of tasks was used up.",
            "Make partitions smaller.",
            "Tasks keep their data in memory.",
            (("spark.sql.shuffle.partitions", "400", "200"),),
            6.0,
        ),
    ),
)

CLEAN = Step(
    "clean-rides",
    "Succeeded",
    attempts=2,
    spans=(
        span(Phase.STARTING, 0, 95),
        span(Phase.FAILED, 95, 121),
        span(Phase.RETRYING, 121, 131),
        span(Phase.STARTING, 131, 214),
        span(Phase.RUNNING, 214, 362),
    ),
    cost=Cost(0.1074, "3 x ml.m5.xlarge at 0.23 USD an hour for 2 min 01 s; 3 x ml.m5.xlarge for 3 min 51 s"),
    rows_in=16_951,
    rows_rejected=26,
    outputs=(
        Output(
            "parquet",
            f"{OUTPUT}/parquet",
            16_925,
            4,
            "parquet",
        ),
        Output("rejected", f"{OUTPUT}/rejected", 26, 1, "json"),
    ),
    checks=(
        Check("rows in = rows written + rows rejected", "16,951", "16,951", holds=True),
        Check("days in the data", "30", "29", holds=False),
    ),
    seconds={"start Spark": 11.2, "read": 50.8, "check": 34.5, "write Parquet": 51.5},
    rejected=Rejected(
        26,
        26,
        (
            RejectedFile(
                "s3://rides-dev-data/rides/2026-11-27.csv",
                {"fare is not a number: “free”": 18, "6 fields instead of 9": 5, "distance is negative": 1},
                (
                    ("77121,Kreuzberg,Mitte,4.1,free,card", "fare is not a number: “free”"),
                    ("77190,Wedding,,", "6 fields instead of 9"),
                    ("77304,Mitte,Mitte,-0.2,4.10,card", "distance is negative"),
                ),
            ),
            RejectedFile(
                "s3://rides-dev-data/rides/2026-11-26.csv",
                {"distance is missing": 2},
                (("76002,Mitte,Pankow,,12.30,cash", "distance is missing"),),
            ),
        ),
    ),
    data_sets=(
        DataSet(
            "parquet",
            16_925,
            16_925,
            (
                Column(
                    "distance_km",
                    "double",
                    Figures(0.0, "0", "9.71", "48.2"),
                    Figures(0.0, "0", "9.66", "47.9"),
                    histogram=LENGTHS,
                ),
                Column(
                    "fare",
                    "decimal128(10, 2)",
                    Figures(0.0, "2.5", "24.13", "96"),
                    Figures(0.0, "2.5", "23.4", "94.5"),
                    histogram=FARES,
                ),
                Column(
                    "payment",
                    "string",
                    Figures(0.0121),
                    Figures(0.0004),
                    frequencies=(
                        Frequency("card", 0.712, 0.688),
                        Frequency("cash", 0.221, 0.261),
                        Frequency("voucher", 0.067, 0.051),
                    ),
                ),
            ),
            has_previous=True,
        ),
    ),
    spark=SPARK,
    image="173754725891.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-spark-processing:3.5-cpu-py312-v1.3",
    code=("s3://rides-dev-artifacts/code/e39addeda49bf364/clean.py",),
    packages=("holidays==0.61",),
    links=(
        Link("Log", command="make logs ENV=dev STEP=clean-rides ARGS='--execution arn:…/w1sz65lhdni1'"),
        Link("Spark UI", command="make spark-ui ENV=dev STEP=clean-rides"),
    ),
)
JOIN = Step(
    "join-rates",
    "Failed",
    after=("clean-rides",),
    attempts=1,
    spans=(
        span(Phase.WAITING, 0, 363),
        span(Phase.STARTING, 363, 451),
        span(Phase.FAILED, 451, 480),
    ),
    failure_reason="AlgorithmError: See job logs for more information",
    exception="AnalysisException: [UNRESOLVED_COLUMN] A column with name `rate` cannot be resolved",
    cost=Cost(0.0074, "1 x ml.m5.xlarge at 0.23 USD an hour for 1 min 57 s"),
    links=(
        Link("Log", "https://eu-west-1.console.aws.amazon.com/cloudwatch/home", "make logs STEP=join-rates"),
    ),
    missing=(
        "The job failed before it published a report: rows and outputs are not known.",
        "There is no Spark event log below s3://rides-dev-data/spark_ui_logs/w1sz65lhdni1/join-rates.",
    ),
)
SUMMARIZE = Step(
    "summarize",
    NOT_STARTED,
    after=("join-rates",),
    missing=("The step did not start: it has no job, log, report or event log.",),
)

SMALL = ExecutionReport(
    environment="dev",
    pipeline="rides-dev",
    arn=f"{PIPELINE}/w1sz65lhdni1",
    status="Failed",
    started=NOON,
    ended=after(480),
    written=after(510),
    steps=(CLEAN, JOIN, SUMMARIZE),
    failure_reason="Step failure: One or multiple steps failed.",
    started_by="arn:aws:sts::123456789012:assumed-role/rides-dev-ci-deploy/run-1842",
    cost=Cost(0.1148, "instances from the creation of a job to its end"),
    prices_region="eu-west-1",
    prices_as_of=date(2026, 11, 1),
    provenance=Provenance(
        version=14,
        commit="4f0c2a9d1b7e48c6a5d3f2e1908b7c6d5e4f3a21",
        code_hash="e39addeda49bf364",
        definition_hash="91c4e7b20a5d6f38",
        upserted=NOON - timedelta(minutes=4),
        upserted_by="arn:aws:sts::123456789012:assumed-role/rides-dev-ci-deploy/run-1842",
    ),
    previous=Previous(
        f"{PIPELINE}/k2m8v0qzr4ta",
        NOON - timedelta(days=1),
        (
            Difference("", "commit", "0a7b1c2d3e4f", "4f0c2a9d1b7e"),
            Difference("", "status", "Succeeded", "Failed"),
            Difference("clean-rides", "rows read", "16,402", "16,951"),
            Difference("clean-rides", "rows rejected", "3", "26"),
            Difference("clean-rides", "duration", "3 min 40 s", "6 min 02 s"),
        ),
    ),
    links=(Link("Verify outputs, checks and encryption", command="make verify ENV=dev"),),
)


def large(count: int) -> ExecutionReport:
    """Return a report with this number of steps, each with everything that a step can have."""
    width = 4
    steps = tuple(
        Step(
            f"step-{number:03}",
            "Succeeded",
            after=tuple(f"step-{other:03}" for other in range(max(0, number - width), number, 2)),
            attempts=1,
            spans=(
                span(Phase.WAITING, 0, number),
                span(Phase.STARTING, number, number + 5),
                span(Phase.RUNNING, number + 5, number + 30),
            ),
            cost=CLEAN.cost,
            rows_in=1_000 * number,
            rows_rejected=number % 3,
            outputs=CLEAN.outputs,
            checks=CLEAN.checks,
            seconds=CLEAN.seconds,
            rejected=CLEAN.rejected,
            data_sets=CLEAN.data_sets,
            spark=SPARK,
            links=CLEAN.links,
        )
        for number in range(count)
    )
    return ExecutionReport(
        environment="dev",
        pipeline="large-dev",
        arn=f"{PIPELINE}/abcdefghijkl",
        status="Succeeded",
        started=NOON,
        ended=after(count + 30),
        written=after(count + 40),
        steps=steps,
        cost=Cost(None, "the price of an instance type is not known"),
    )
