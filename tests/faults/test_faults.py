"""Faults in dependencies of the job: it recovers, or reports a remedy."""

import gzip
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import psutil
import pyarrow.fs
import pyarrow.parquet as pq
import pytest

from tests import yarn
from tests.faults.faulty_s3 import FaultyS3, serving
from tests.faults.kills import STORES, Reader, kill_at_random
from tests.spark_submit import JOB, JOBS, SMALL, command, kill, start

pytestmark = pytest.mark.faults

ROW = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,{rings}\n"


@pytest.fixture(scope="module")
def faulty() -> Iterator[tuple[FaultyS3, str]]:
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def s3(faulty: tuple[FaultyS3, str]) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("s3", endpoint_url=faulty[1], region_name="us-east-1", **keys)
    for bucket in ("throttled", "slow", "flaky"):
        client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key="in/0.csv", Body=ROW.format(rings=1).encode())
    return client


FAILURES = f"""
import json, sys
sys.path.append({str(JOBS)!r})
from etl.errors import JobError
from etl.ingestion.job import ingest
from process_pyspark import ABALONE
for source in sys.argv[2:]:
    try:
        words = ["--input_table", source, "--output_table", sys.argv[1], "--max_rejected_fraction", "0.999"]
        ingest(ABALONE, "failures", words)
    except JobError as error:
        print("FAILED", json.dumps([source, str(error)]), flush=True)
"""


def test_a_failure_names_its_cause_and_what_to_change(faulty, s3, tmp_path) -> None:
    """All in one driver, to save time."""
    app = tmp_path / "failures.py"
    app.write_text(FAILURES)
    random.seed(1)
    malformed = "".join(f"{random.randbytes(200).hex()}\n" for _ in range(20_000))
    (tmp_path / "malformed.csv").write_text(ROW.format(rings=1) + malformed)
    (tmp_path / "endless.csv.gz").write_bytes(gzip.compress(b"1" * 2**20) * 600)
    timeout = ("attempts.maximum", "retry.limit", "retry.throttle.limit")
    conf = {
        **{f"spark.hadoop.fs.s3a.{name}": "1" for name in timeout},
        **{f"spark.hadoop.fs.s3a.{name}": "20ms" for name in ("retry.interval", "retry.throttle.interval")},
        "spark.hadoop.fs.s3a.connection.timeout": "1000",
        **SMALL,
    }
    sources = ["s3a://throttled/in", "s3a://slow/in", "malformed.csv", "endless.csv.gz"]
    paths = [source if ":" in source else str(tmp_path / source) for source in sources]

    words = command(app, str(tmp_path / "out"), *paths, conf=conf, endpoint=faulty[1])
    # No file can exceed a megabyte: the closest to a full disk without special permissions.
    process = start(["bash", "-c", 'ulimit -f 1000; exec "$@"', "bash", *words])
    output, _ = process.communicate()

    output = [
        json.loads(line[len("FAILED ") :]) for line in output.splitlines() if line.startswith("FAILED ")
    ]
    assert [source for source, _ in output] == paths, output
    messages = [message for _, message in output]
    assert "S3 throttles requests: raise spark.hadoop.fs.s3a.attempts.maximum" in messages[0]
    assert "too slowly: raise spark.hadoop.fs.s3a.connection.timeout" in messages[1]
    assert "the disk for shuffle and spill is full: raise pyspark_process_volume_size_gb" in messages[2]
    assert "endless.csv.gz: a line does not end within 256 MiB" in messages[3]
    assert not any("\n" in message for message in messages)
    assert not (tmp_path / "out" / "report.json").exists()


def test_a_lost_executor_and_a_throttling_s3_cost_time_and_no_row(faulty, s3) -> None:
    application, endpoint = faulty
    files, rows = 6, 2_000
    for file in range(files):
        lines = "".join(ROW.format(rings=file * rows + row) for row in range(rows))
        s3.put_object(Bucket="flaky", Key=f"in/{file}.csv", Body=lines.encode())
    words = ("--input_table", "s3a://flaky/in", "--output_table", "s3a://flaky/out")

    with yarn.running() as cluster:
        conf = EXECUTORS | cluster.settings
        process = start(
            command(JOB, *words, master="yarn", conf=conf, endpoint=endpoint), more=cluster.environment
        )
        try:
            assert application.reading.wait(300)
            executors()[0].kill()
            output, _ = process.communicate()
        finally:
            kill(process)

    assert process.returncode == 0, output
    assert "Lost executor" in output
    assert application.rejected > 0
    report = json.loads(s3.get_object(Bucket="flaky", Key="out/report.json")["Body"].read())
    filesystem = pyarrow.fs.S3FileSystem(
        endpoint_override=endpoint, access_key="test", secret_key="test", region="us-east-1"
    )
    table = pq.read_table(
        report["outputs"]["parquet"]["folder"].removeprefix("s3a://"), filesystem=filesystem
    )
    assert sorted(table["rings"].to_pylist()) == list(range(files * rows))
    assert report["rows_in"] == report["outputs"]["parquet"]["rows"] == files * rows
    assert [check for check in report["checks"] if check["expected"] != check["actual"]] == []


EXECUTORS = {
    **SMALL,
    "spark.executor.memory": "512m",
    "spark.executor.cores": "1",
    "spark.executor.instances": "2",
    "spark.hadoop.fs.s3a.attempts.maximum": "1",  # S3A retries itself; the SDK below it retries longer
    "spark.hadoop.fs.s3a.retry.throttle.interval": "20ms",
    "spark.hadoop.fs.s3a.retry.interval": "20ms",
}


def executors() -> list[psutil.Process]:
    return [
        process
        for process in psutil.Process().children(recursive=True)
        if process.name() == "java" and "CoarseGrainedExecutorBackend" in " ".join(process.cmdline())
    ]


def test_a_reader_notices_each_torn_output_once() -> None:
    with STORES["local disk"]() as store:
        folder = Path(store.root)
        (folder / "out").mkdir()
        reader = Reader(store)
        reader.start()
        for number in (1, 2):
            outputs = {name: {"folder": f"{store.uri}/gone-{number}"} for name in ("parquet", "csv")}
            (folder / "new.json").write_text(json.dumps({"outputs": outputs}))
            (folder / "new.json").replace(folder / "out" / "report.json")
            looks = reader.looks
            while reader.looks < looks + 3:
                time.sleep(0.01)
        reader.end()

    first, second = reader.torn
    assert "gone-1" in first
    assert "gone-2" in second


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", ["local disk", "S3"])
def test_a_reader_never_sees_half_of_an_output(name) -> None:
    """One or two kills, each at other times; `make faults` runs many."""
    with STORES[name]() as store:
        outcome = kill_at_random(store, kills=1, seed=random.SystemRandom().randrange(10**6))

    assert outcome.torn == []
    assert outcome.looks > 0
