"""The examples of docs/packages.md: locked, upserted and run on the embedded AWS."""

import io
import json
import re
import shutil
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import pyarrow.parquet as pq
import pytest

from helpers.environments import Environment
from ml_pipeline.__main__ import main
from ml_pipeline.params import spark_code
from ml_pipeline.project import open_project
from ml_pipeline.releases.sweep import hashes_of_checkout
from tests.ml_pipeline.small_project import ARTIFACTS, DATA
from tests.ml_pipeline.two_steps import add_pipeline

EXAMPLES = Path(__file__).parent / "examples"
DOCUMENT = {
    "pipeline_name": "Tables-${Environment}",
    "trial": "tables",
    "steps": {
        "write-tables": {
            "code": "tables.py",
            "helper_files": ["amounts.py"],
            "requirements": "requirements-tables.in",
            "jars": [
                "io.delta:delta-spark_2.12:3.3.2",
                "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.0",
            ],
            "outputs": {
                "delta_table": "s3a://${DataBucketName}/tables/delta/amounts",
                "iceberg_tables": "s3a://${DataBucketName}/tables/iceberg",
            },
            "instance_type": "ml.m5.large",
            "instance_count": 2,
        }
    },
}
MODULE = """
from ml_pipeline.steps import SparkStep
DESCRIPTION = "Writes tables."
def steps(_):
    return [SparkStep("write-tables")]
"""
ROWS = [{"id": number, "amount": f'"{number},000"'} for number in range(1, 5)]


class Run(NamedTuple):
    """The two upserts and the execution of the example."""

    first: str
    second: str
    log: str


@pytest.fixture(scope="module")
def example(stack: boto3.Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example as a pipeline of the small project; its jobs can be changed."""
    folder = tmp_path_factory.mktemp("tables")
    jobs = folder / "spark_jobs"
    shutil.copytree(EXAMPLES, jobs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spark_code, "FOLDER", jobs)
        add_pipeline(folder, jobs, patch, DOCUMENT, "tables", MODULE)
        yield folder


@pytest.fixture(scope="module")
def run(example: Path, capsys_of_module: Any) -> Run:
    lines = []
    for words in (("upsert",), ("upsert",), ("start", "--wait"), ("logs",)):
        assert main([*words, "--pipeline", "tables"]) == 0
        lines.append(capsys_of_module())
    return Run(lines[0], lines[1], lines[3])


@pytest.fixture(scope="module")
def capsys_of_module() -> Iterator[Any]:
    """Returns what was printed since the last call."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", printed)

        def read() -> str:
            text = printed.getvalue()
            printed.seek(0)
            printed.truncate()
            return text

        yield read


def objects(stack: boto3.Session, bucket: str, prefix: str) -> dict[str, bytes]:
    """The objects below a prefix, by key."""
    s3 = stack.client("s3")
    listed = s3.list_objects_v2(Bucket=f"{bucket}-local", Prefix=prefix).get("Contents", [])
    return {
        entry["Key"]: s3.get_object(Bucket=f"{bucket}-local", Key=entry["Key"])["Body"].read()
        for entry in listed
    }


def rows(files: list[bytes]) -> list[dict[str, Any]]:
    """The rows of Parquet files by ID, as pyarrow reads them."""
    found = [row for content in files for row in pq.read_table(io.BytesIO(content)).to_pylist()]
    return sorted(found, key=lambda row: row["id"])


def blocks(avro: bytes) -> bytes:
    """The decompressed blocks of an Avro file, which is enough to find the paths in an Iceberg manifest."""
    marker = avro[-16:]
    inflated = b""
    for part in avro.split(marker)[1:-1]:
        # Each block follows two numbers with one to five bytes each.
        for skipped in range(2, 11):
            with suppress(zlib.error):
                inflated += zlib.decompressobj(-zlib.MAX_WBITS).decompress(part[skipped:])
                break
    return inflated


def test_everything_is_uploaded_once(run: Run, stack: boto3.Session) -> None:
    (folder,) = re.findall(r"Staged s3://[\w-]+/(code/[0-9a-f]{16}) \([\d.]+ MB\)", run.first)
    assert "Staged" not in run.second
    staged = {key.removeprefix(f"{folder}/") for key in objects(stack, ARTIFACTS, f"{folder}/")}
    assert {"packages.json", "python/humanize/__init__.py", "jars/delta-spark_2.12-3.3.2.jar"} <= staged
    assert any(re.fullmatch(r"python/orjson/orjson.cpython-312-x86_64-linux-gnu.so", key) for key in staged)


def test_the_driver_imports_a_pure_and_a_native_package(run: Run) -> None:
    assert 'The driver writes "1,000"' in run.log


def test_another_engine_reads_the_delta_table_that_executors_wrote(run: Run, stack: boto3.Session) -> None:
    table = objects(stack, DATA, "tables/delta/amounts/")
    log = table["tables/delta/amounts/_delta_log/00000000000000000000.json"]
    added = [json.loads(line)["add"]["path"] for line in log.splitlines() if b'"add"' in line]

    assert rows([table[f"tables/delta/amounts/{path}"] for path in added]) == ROWS


def test_another_engine_reads_the_iceberg_table_that_executors_wrote(run: Run, stack: boto3.Session) -> None:
    table = objects(stack, DATA, "tables/iceberg/shop/amounts/")
    metadata = json.loads(table["tables/iceberg/shop/amounts/metadata/v1.metadata.json"])
    assert metadata["snapshots"][0]["summary"]["total-records"] == str(len(ROWS))
    manifests = [blocks(content) for key, content in table.items() if key.endswith("-m0.avro")]
    added = {
        path for manifest in manifests for path in re.findall(rb"s3a://[^/]+/([^ ]+?\.parquet)", manifest)
    }

    assert rows([table[path.decode()] for path in added]) == ROWS


def test_a_wheel_with_another_hash_is_rejected_by_its_line_before_anything_is_uploaded(
    example: Path, stack: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = example / "spark_jobs" / "requirements-tables.txt"
    locked = lock.read_text()
    before = objects(stack, ARTIFACTS, "").keys()
    line = locked[: locked.index("orjson==")].count("\n") + 1
    pure, native = locked.split("orjson==")
    lock.write_text(f"{pure}orjson=={re.sub('sha256:[0-9a-f]{8}', 'sha256:00000000', native)}")

    try:
        assert main(["upsert", "--pipeline", "tables"]) == 1
    finally:
        lock.write_text(locked)

    assert f"requirements-tables.txt:{line}: orjson==" in capsys.readouterr().err
    assert objects(stack, ARTIFACTS, "").keys() == before


def test_the_packages_of_a_checkout_are_not_swept(example: Path) -> None:
    project = open_project(Environment("local"), "tables")

    (folder,) = project.bundles
    assert folder.rpartition("/")[2] in hashes_of_checkout(project.environment, project)
