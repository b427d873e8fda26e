"""The job with files from the tests."""

import bz2
import gzip
import json
import lzma
import os
import pickle
import random
import re
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import etl.ingestion.job as job_module
import polars as pl
import process_pyspark
import pyarrow.parquet as pq
import pytest
import zstandard
from etl.errors import JobError
from etl.ingestion import inputs
from etl.ingestion.assignment import Rejected, Result, Written, run_task
from etl.ingestion.formats import other_format
from etl.ingestion.job import ingest
from etl.spark_inputs import input_size
from etl.storage import LocalDisk
from pyspark import SparkContext
from pyspark.sql import SparkSession

from helpers.spark.event_log import profile
from tests.bench import abalone, other_jobs
from tests.spark_submit import JOBS, packages

GOOD = "M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,15"
OTHER = "F,0.53,0.42,0.135,0.677,0.2565,0.1415,0.21,9"
HEADER = "sex,length,diameter,height,whole_weight,shucked_weight,viscera_weight,shell_weight,rings"
SAMPLE = Path(process_pyspark.__file__).parent / "sample_data" / "abalone.csv"


class Job:
    """Runs the job on lines, in folders of one test."""

    def __init__(self, folder: Path):
        self.source = folder / "in"
        self.target = folder / "out"
        self.source.mkdir()

    def write(self, *lines: str, name: str = "a.csv", end: str = "\n") -> None:
        (self.source / name).write_bytes("".join(line + end for line in lines).encode())

    def run(self, *options: str, source: Path | None = None) -> dict[str, Any]:
        self.run_only(*options, source=source)
        return self.report()

    def run_only(self, *options: str, source: Path | None = None) -> None:
        words = ["--input_table", str(source or self.source), "--output_table", str(self.target), *options]
        ingest(process_pyspark.ABALONE, "test", words)

    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.target / "report.json").read_text())
        return report

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the rows that a reader finds: first the report, then the output."""
        table = pq.read_table(self.report()["outputs"]["parquet"]["folder"])
        return sorted(tuple(row.values()) for row in table.to_pylist())

    def runs(self) -> list[Path]:
        """The folders of all runs, oldest first."""
        return sorted((self.target / "runs").iterdir(), key=lambda folder: folder.stat().st_mtime_ns)

    def rejected(self) -> list[dict[str, str]]:
        """The quarantine of the newest run, whether it succeeded or not."""
        parts = sorted((self.runs()[-1] / "rejected").glob("part-*"))
        return [json.loads(line) for part in parts for line in part.read_text().split("\n")[:-1]]


@pytest.fixture
def job(spark: SparkSession, tmp_path: Path) -> Job:
    return Job(tmp_path)


ROW = ("M", 0.455, 0.365, 15)
OTHER_ROW = ("F", 0.53, 0.42, 9)


def test_the_sample_comes_through_whole(job) -> None:
    report = job.run(source=SAMPLE)

    source = [line.split(",") for line in SAMPLE.read_text().splitlines()]
    assert job.rows() == sorted((r[0], float(r[1]), float(r[2]), int(r[8])) for r in source)
    assert (report["rows_in"], report["rows_rejected"]) == (4177, 0)
    (run,) = job.runs()
    assert report["outputs"] == {
        name: {"folder": f"{run}/{name}", "rows": 4177, "files": 1, "format": name}
        for name in ("csv", "parquet")
    }
    assert report["checks"] == [
        {"name": "rows in = rows written + rows rejected", "expected": 4177, "actual": 4177}
    ]
    assert set(report["seconds"]) == {"start Spark", "list the input", "read, check and write"}


def test_a_small_input_is_one_task_of_one_spark_job(job, spark) -> None:
    """Each additional parallel task starts a Python worker."""
    context = spark.sparkContext
    for name in "abc":
        job.write(GOOD, name=f"{name}.csv")
    context.setJobGroup("small input", "")
    try:
        job.run()
    finally:
        context.setLocalProperty("spark.jobGroup.id", None)

    tracker = context.statusTracker()
    jobs = [tracker.getJobInfo(number) for number in tracker.getJobIdsForGroup("small input")]
    (stage,) = (stage for job in jobs for stage in job.stageIds)
    assert tracker.getStageInfo(stage).numTasks == 1


def test_the_event_log_has_the_rows_of_each_task(job, spark, monkeypatch) -> None:
    """In the properties of a Spark job without tasks, which are removed afterwards."""
    found: list[tuple[str | None, ...]] = []
    empty = SparkContext.emptyRDD

    def watch(context: SparkContext) -> Any:
        found.append(tuple(map(context.getLocalProperty, (profile.INPUT_ROWS, profile.REJECTED_ROWS))))
        return empty(context)

    monkeypatch.setattr(SparkContext, "emptyRDD", watch)
    monkeypatch.setattr(inputs, "LEAST_SPLIT_BYTES", 1)
    job.write(*[GOOD] * 200)
    job.write("bad", *[GOOD] * 200, name="b.csv")

    job.run()

    ((rows, rejected),) = found
    read = list(map(int, str(rows).split(",")))
    assert (len(read), sum(read)) == (rejected.count(",") + 1, 401)
    assert sum(map(int, rejected.split(","))) == 1
    assert len(read) > 1
    assert spark.sparkContext.getLocalProperty(profile.INPUT_ROWS) is None


def python(code: str) -> str:
    """Run a program in a separate Python with the imports of jobs, and return its output."""
    environment = {"PYTHONPATH": os.pathsep.join(map(str, (JOBS, packages())))}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def test_the_driver_imports_no_polars() -> None:
    """The import takes half a second, which would delay the start of Spark, and only tasks use it."""
    result = Result(1, {"csv": [Written("part-0", 1, 1)]}, [], [Rejected("a.csv", "bad", "1 field")], 0.1)

    imported = python(
        "import pickle, sys, process_pyspark\n"
        f"pickle.loads({pickle.dumps(result)!r})\n"
        "pickle.dumps(process_pyspark.ABALONE)\n"
        "print(*sys.modules)"
    )

    assert {"process_pyspark", "etl.ingestion.job"} < set(imported.split())
    assert {"polars", "boto3", "etl.ingestion.task"}.isdisjoint(imported.split())


@pytest.mark.parametrize(
    ("uri", "imported"), [("s3a://bucket/in", True), ("file:/in", False), ("/in", False)]
)
def test_the_client_of_s3_is_imported_while_spark_starts(uri, imported) -> None:
    """If the job needs it: the import takes a third of a second."""
    modules = python(
        "import sys\nfrom etl.storage import prepare\n"
        f"if thread := prepare({uri!r}): thread.join()\n"
        "print(*sys.modules)"
    )

    assert ("s3transfer.manager" in modules.split()) is imported


def test_polars_has_one_thread_in_a_worker_that_meets_it_in_a_rule() -> None:
    """A task has one core, and Polars reads its number of threads when it is imported."""
    table = replace(process_pyspark.ABALONE, rules={"no rings": pl.col("rings") > 0})

    threads = python(
        "import pickle, sys\n"
        f"pickle.loads({pickle.dumps((run_task, table))!r})\n"
        "print(sys.modules['polars'].thread_pool_size())"
    )

    assert threads == "1\n"


def test_both_outputs_hold_the_same_and_csv_has_a_header(job) -> None:
    job.write(GOOD, OTHER)

    report = job.run()

    text = "".join(part.read_text() for part in Path(report["outputs"]["csv"]["folder"]).glob("part-*"))
    assert sorted(text.splitlines()) == ["F,0.53,0.42,9", "M,0.455,0.365,15", "sex,length,diameter,rings"]
    assert job.rows() == [OTHER_ROW, ROW]


@pytest.mark.parametrize(
    "header",
    [
        HEADER,
        HEADER.upper(),
        "Sex, Length, Diameter, Height, Whole weight, Shucked weight, Viscera weight, Shell weight, Rings",
        ",".join(f'"{name}"' for name in HEADER.split(",")),
    ],
)
def test_a_header_is_not_a_row(job, header) -> None:
    job.write(header, GOOD)

    assert job.run()["rows_in"] == 1
    assert job.rows() == [ROW]


@pytest.mark.parametrize(
    "header",
    [
        "sex,diameter,length,height,whole_weight,shucked_weight,viscera_weight,shell_weight,rings",
        "id,sex,length,diameter,height,weight,shucked,viscera,shell",
    ],
)
def test_a_header_with_other_columns_fails_the_job(job, header) -> None:
    job.write(header, *[GOOD] * 300)

    with pytest.raises(JobError, match=r"a\.csv has the header .* but the columns must be sex,length"):
        job.run()
    assert not (job.target / "report.json").exists()


@pytest.mark.parametrize(
    "line",
    [
        GOOD.replace("0.095", "5e-2"),
        GOOD.replace("0.095", ".095"),
        GOOD.replace("0.095", " 0.095 "),
        GOOD.replace(",15", ",+15"),
        GOOD.replace("0.095", "0.095" + "0" * 200),
    ],
)
def test_a_row_that_is_not_plain_may_be_valid(job, line) -> None:
    job.write(line)

    assert job.run()["rows_rejected"] == 0
    assert job.rows() == [ROW]


def test_a_file_that_is_not_what_its_task_wrote_fails_the_job(job, monkeypatch) -> None:
    """For example, if another run writes to the same location, or S3 lost a confirmed object."""
    publish = job_module._run_tasks

    def change_a_file(*arguments: Any) -> Any:
        results = publish(*arguments)
        (part,) = (job.runs()[-1] / "csv").glob("part-*")
        part.write_bytes(b"")
        return results

    monkeypatch.setattr(job_module, "_run_tasks", change_a_file)
    job.write(GOOD)

    with pytest.raises(JobError, match=r"/csv/part-.*\.csv is not what the tasks of this run wrote"):
        job.run()

    assert list(job.runs()[-1].iterdir()) == []
    assert not (job.target / "report.json").exists()


def test_a_second_attempt_of_a_task_writes_the_same_files(job, spark, monkeypatch) -> None:
    """The first attempt may have written some files before its executor was lost."""
    seen: list[Any] = []
    monkeypatch.setattr(job_module, "_run_tasks", lambda *arguments: seen.append(arguments))
    job.write(GOOD, "bad", *[OTHER] * 9)
    with pytest.raises(TypeError):
        job.run()
    (_, assignment, (part,)) = seen[0]

    first = run_task(assignment, part)
    files = {path: path.read_bytes() for path in sorted(job.target.rglob("part-*"))}
    again = run_task(assignment, part)

    assert len(files) == 3
    assert {path: path.read_bytes() for path in sorted(job.target.rglob("part-*"))} == files
    assert first._replace(seconds=0) == again._replace(seconds=0)


def test_lines_may_be_quoted_end_with_crlf_and_be_blank(job) -> None:
    job.write(GOOD.replace("M", '"M"').replace(",15", ',"15"'), "", "   ", OTHER, end="\r\n")

    assert job.run()["rows_in"] == 2
    assert job.rows() == [OTHER_ROW, ROW]


def test_gzip_and_many_files_are_read_together(job) -> None:
    (job.source / "z.csv.gz").write_bytes(gzip.compress(f"{HEADER}\n{GOOD}\n".encode()))
    for index in range(20):
        job.write(HEADER, OTHER, name=f"{index}.csv")
    job.write(name="empty.csv")

    assert job.run()["rows_in"] == 21


def test_blanks_and_control_characters_around_a_number_are_not_a_part_of_it(job) -> None:
    lines = [
        *(GOOD + end for end in "\x0b\x0c\x1c\x1d\x1e\x1f \t\0"),
        " " + GOOD,
        GOOD.replace(",", " , "),
        GOOD.replace("0.455", "+455e-3"),
        '"' + GOOD.replace(",", '","') + '"',
    ]
    job.write(*lines)

    job.run()

    assert job.rows() == [ROW] * len(lines)


def test_each_line_end_of_a_text_file_ends_a_row_and_a_mark_at_its_begin_is_not_a_part_of_it(job) -> None:
    for name, end in {"mac": "\r", "dos": "\r\n", "unix": "\n"}.items():
        job.write("\ufeff" + GOOD, OTHER, name=name, end=end)

    job.run()

    assert job.rows() == [OTHER_ROW] * 3 + [ROW] * 3


def test_a_row_needs_whole_numbers(job) -> None:
    """In Java, `$` also matches before U+0085, U+2028 and U+2029 at the end."""
    ends = "\x85\u2028\u2029\xa0\u200b\ufeff"
    numbers = [
        *(f"15{end}" for end in ends),
        *(
            "15d",
            "15f",
            "15L",
            "0xF",
            "1_5",
            "15.0",
            "1e1",
            "\uff11\uff15",
            "NaN",
            "-Infinity",
            "1 5",
            "NULL",
        ),
    ]
    job.write(GOOD, *(GOOD.replace(",15", f",{number}") for number in numbers))

    report = job.run("--max_rejected_fraction", "0.99")

    assert (report["rows_in"], report["rows_rejected"]) == (1 + len(numbers), len(numbers))
    assert job.rows() == [ROW]
    assert sorted(fault["line"].rpartition(",")[2] for fault in job.rejected()) == sorted(numbers)


def test_a_value_that_is_lost_on_the_way_fails_the_job(job) -> None:
    job.write(*[GOOD] * 3, OTHER)
    lossy = replace(
        process_pyspark.ABALONE,
        transform=lambda rows: rows.with_columns(rings=pl.when(pl.col("rings") < 10).then("rings")),
    )

    with pytest.raises(JobError, match=r"required column rings holds NULL \(3 rows\)"):
        ingest(lossy, "test", ["--input_table", str(job.source), "--output_table", str(job.target)])

    assert [path for path in job.target.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("M,0.455", "2 fields instead of 9"),
        (GOOD + ",1", "10 fields instead of 9"),
        (GOOD.replace("0.365", "wide"), "diameter is not a number: wide"),
        (GOOD.replace("0.365", "NaN"), "diameter is not finite"),
        (GOOD.replace("0.365", "Infinity"), "diameter is not finite"),
        (GOOD.replace("0.365", ""), "diameter is missing"),
        (GOOD.replace("0.365", "-1"), "diameter is negative"),
        (GOOD.replace("0.365", "1d"), "diameter is not a number: 1d"),
        (GOOD.replace("M", "X"), "sex is not M, F, I: X"),
        (GOOD.replace("M", ""), "sex is missing"),
        (GOOD.replace(",15", ",7.5"), "rings is not a whole number: 7.5"),
        (GOOD.replace(",15", ",-2"), "rings is negative"),
        (GOOD + "\x85", "rings is not a number: 15\ufffd"),
        (GOOD.replace("0.095", "0\u2028"), "height is not a number: 0\ufffd"),
        (GOOD.replace(",15", ",99999999999"), "rings is not a whole number: 99999999999"),
        (GOOD.replace("0.514", "1.2.3"), "whole_weight is not a number: 1.2.3"),
        (GOOD.replace("0.15,", f"{'9' * 400},"), "shell_weight is not finite"),
    ],
)
def test_a_malformed_row_is_set_aside_with_its_line_and_reason(job, line, reason) -> None:
    job.write(OTHER, line)

    report = job.run("--max_rejected_fraction", "0.5")

    (fault,) = job.rejected()
    assert fault["line"] == line
    assert reason in fault["reason"]
    assert fault["file"].endswith("/in/a.csv")
    assert (report["rows_in"], report["rows_rejected"]) == (2, 1)
    assert report["outputs"]["rejected"] == {
        "folder": f"{job.runs()[-1]}/rejected",
        "rows": 1,
        "files": len(list((job.runs()[-1] / "rejected").glob("part-*"))),
        "format": "json",
    }
    assert [(check["expected"], check["actual"]) for check in report["checks"]] == [(2, 2)]
    assert job.rows() == [OTHER_ROW]


def test_too_many_malformed_rows_fail_the_job_before_the_outputs_are_touched(job) -> None:
    job.write(GOOD)
    before = job.run()
    job.write(GOOD, "bad", name="b.csv")

    with pytest.raises(JobError) as caught:
        job.run()

    assert "1 of 3 rows are malformed (33.33%), --max_rejected_fraction allows 1.00%" in str(caught.value)
    assert f"{job.target}/runs/" in str(caught.value)
    assert "'bad' (1 fields instead of 9)" in str(caught.value)
    assert [fault["line"] for fault in job.rejected()] == ["bad"]
    assert json.loads((job.target / "report.json").read_text()) == before
    assert job.rows() == [ROW]


def test_a_failed_run_leaves_its_quarantine_and_nothing_else(job) -> None:
    job.write(GOOD, "bad")

    with pytest.raises(JobError):
        job.run()

    (run,) = job.runs()
    assert [part.name for part in run.iterdir()] == ["rejected"]


def test_the_report_leads_from_one_whole_run_to_the_next(job) -> None:
    job.write(GOOD, "bad")
    before = job.run("--max_rejected_fraction", "0.5")
    job.write(GOOD)

    after = job.run()

    assert "rejected" not in after["outputs"]
    runs = [Path(report["outputs"]["csv"]["folder"]).parent for report in (before, after)]
    assert [json.loads((run / "report.json").read_text()) for run in runs] == [before, after]
    assert set(job.runs()) == set(runs)
    assert [path.name for path in job.target.iterdir() if path.is_file()] == ["report.json"]


def test_on_sagemaker_a_run_is_named_after_its_job_and_reports_where_the_step_asks(
    job, tmp_path, monkeypatch
) -> None:
    config, reports = tmp_path / "processingjobconfig.json", tmp_path / "reports"
    config.write_text('{"ProcessingJobName": "pipelines-abc-clean-xyz"}')
    monkeypatch.setenv("PROCESSING_JOB_CONFIG", str(config))
    monkeypatch.setenv("REPORT_FOLDER", f"{reports}/")
    job.write(GOOD)

    job.run_only()

    report = json.loads((reports / "report.json").read_text())
    assert report == json.loads((reports / "runs/pipelines-abc-clean-xyz/report.json").read_text())
    assert report["outputs"]["csv"]["folder"] == f"{job.target}/runs/pipelines-abc-clean-xyz/csv"
    assert not (job.target / "report.json").exists()


@pytest.mark.parametrize("lines", [(), (HEADER,), ("", "  ")])
def test_an_input_without_rows_fails_the_job(job, lines) -> None:
    job.write(*lines)

    with pytest.raises(JobError, match="has no data rows: add some, or correct the input"):
        job.run()


FORMATS = {
    "gzip": (gzip.compress(GOOD.encode()), "is compressed by gzip, but its name does not end in .gz"),
    "bzip2": (bz2.compress(GOOD.encode()), "is compressed by bzip2, but its name does not end in .bz2"),
    "xz": (lzma.compress(GOOD.encode()), "is compressed by xz"),
    "zip": (b"PK\3\4" + bytes(9), "is a ZIP archive"),
    "zstd": (b"\x28\xb5\x2f\xfd" + bytes(9), "is compressed by Zstandard"),
    "parquet": (b"PAR1\x15\4\x15", "is a Parquet file"),
    **{encoding: (f"{GOOD}\n{OTHER}".encode(encoding), "is UTF-16") for encoding in ("utf-16", "utf-16-le")},
    "utf-16-be": (GOOD.encode("utf-16-be"), "is UTF-16"),
    "utf-32": (GOOD.encode("utf-32"), "is UTF-32"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_of_another_format_is_known_by_its_first_bytes(name) -> None:
    content, found = FORMATS[name]

    assert (other_format(content) or "").startswith(found)
    assert other_format(b"PAR1,PK,BZh9,ORC") is None


@pytest.mark.parametrize("name", ["b.csv", "b.csv.GZ"])
def test_a_file_of_another_format_fails_the_job_and_is_not_taken_for_a_few_malformed_rows(job, name) -> None:
    job.write(*[GOOD] * 1000)
    (job.source / name).write_bytes(FORMATS["gzip"][0])

    with pytest.raises(
        JobError, match=rf"/in/{name} is compressed by gzip, but its name does not end in \.gz"
    ):
        job.run()


@pytest.mark.parametrize(
    ("suffix", "content", "cause"),
    [
        (".gz", gzip.compress(GOOD.encode() * 999)[:-20], "EOFError"),
        (".gz", GOOD.encode() * 9, "Not a gzipped file"),
        (".bz2", bz2.compress(random.Random(1).randbytes(9999))[:-999], "EOFError"),
        (".deflate", zlib.compress(GOOD.encode() * 99)[:-9], "EOFError"),
    ],
)
def test_the_one_broken_file_of_many_is_named(job, suffix, content, cause) -> None:
    for index in range(9):
        (job.source / f"{index}.csv.gz").write_bytes(gzip.compress(f"{GOOD}\n".encode()))
    (job.source / f"[a] b.csv{suffix}").write_bytes(content)

    with pytest.raises(JobError, match=rf"/in/\[a\] b\.csv{suffix} cannot be decompressed: .*{cause}"):
        job.run()


@pytest.mark.parametrize("suffix", [".lz4", ".snappy"])
def test_a_compression_that_is_not_read_is_named(job, suffix) -> None:
    (job.source / f"a.csv{suffix}").write_bytes(bytes(9))

    with pytest.raises(
        JobError, match=rf"a\.csv{suffix}: {suffix} is not supported: compress the input with gzip"
    ):
        job.run()


def test_archives_of_several_members_are_read_to_their_end(job) -> None:
    members = [f"{HEADER}\n{GOOD}\n".encode(), f"{GOOD}\n{OTHER}".encode(), f"\n{OTHER}\n".encode()]
    packed = {".gz": gzip.compress, ".bz2": bz2.compress, ".zst": zstandard.ZstdCompressor().compress}
    for suffix, compress in packed.items():
        (job.source / f"a.csv{suffix}").write_bytes(b"".join(map(compress, members)))
    (job.source / "a.csv.deflate").write_bytes(zlib.compress(b"".join(members)))

    assert job.run()["rows_in"] == 4 * len(packed) + 4


def test_a_missing_input_is_named(job) -> None:
    with pytest.raises(JobError, match=r"there is no input at .*/nowhere"):
        job.run(source=job.source / "nowhere")


HIDDEN = ("_a.csv", ".a.csv", "a.csv._COPYING_", "_tmp/a.csv", ".b/a.csv", "_metadata.csv")


@pytest.mark.parametrize("name", HIDDEN)
def test_files_that_spark_skips_are_named(job, spark, name, caplog) -> None:
    path = job.source / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{GOOD}\n")

    for source in {job.source, path if path.parent == job.source else job.source}:
        with pytest.raises(JobError, match=rf"Spark skips all files at .*/in/{re.escape(name)}; rename"):
            input_size(spark, str(source))
    job.write(OTHER)
    assert input_size(spark, str(job.source)) >= len(OTHER) + 1
    assert f"/in/{name}" in caplog.text


def test_an_input_of_hidden_files_fails_the_job(job) -> None:
    job.write(GOOD, name="_a.csv")

    with pytest.raises(JobError, match=r"the job skips all files at .*/in/_a\.csv"):
        job.run()


def test_a_pattern_reads_hidden_folders_that_it_matches(job, caplog) -> None:
    (job.source / "_tmp").mkdir()
    (job.source / "_tmp" / "a.csv").write_text(f"{GOOD}\n")
    job.write(OTHER)

    job.run(source=job.source / "*")

    assert job.rows() == [OTHER_ROW, ROW]
    assert caplog.text == ""


def test_a_name_with_glob_characters_is_read_literally_or_as_a_pattern(job) -> None:
    job.write(GOOD, name="a [1].csv")
    job.write(OTHER, name="a 1.csv")

    with pytest.raises(JobError, match="as a glob pattern it matches other names") as caught:
        job.run(source=job.source / "a [1].csv")
    job.run(source=Path(str(caught.value).partition("use ")[2].partition(", or")[0]))

    assert job.rows() == [ROW]


def test_a_local_name_with_a_colon_is_read(job) -> None:
    job.write(GOOD, name="10:00.csv")

    for source in (job.source, job.source / "10:00.csv", job.source / "*"):
        job.run(source=source)
        assert job.rows() == [ROW]


def test_input_and_output_do_not_lie_in_one_another(job) -> None:
    job.write(GOOD)

    with pytest.raises(JobError, match="must not overlap"):
        job.run(source=job.source.parent)


@pytest.mark.parametrize("last", [GOOD, HEADER, "bad"])
def test_each_byte_is_read_once(job, spark, monkeypatch, last) -> None:
    read: list[int] = []
    actual = LocalDisk.read

    def count(disk: LocalDisk, file: Any, start: int, end: int) -> bytes:
        read.append(end - start)
        return actual(disk, file, start, end)

    monkeypatch.setattr(LocalDisk, "read", count)
    monkeypatch.setattr(
        job_module, "_run_tasks", lambda _, assignment, parts: [run_task(assignment, part) for part in parts]
    )
    job.write(*[GOOD] * 1000, last)

    job.run("--max_rejected_fraction", "0.5")

    assert sum(read) == (job.source / "a.csv").stat().st_size


def test_the_jobs_that_it_is_measured_against_give_the_same_rows(job, spark, tmp_path) -> None:
    abalone.write(2_000, job.source / "generated.csv")
    job.run()

    for name, other in other_jobs.JOBS.items():
        other(spark, str(job.source), str(tmp_path / name))
        rows = sorted(tuple(row.values()) for row in pq.read_table(tmp_path / name / "parquet").to_pylist())
        assert rows == job.rows(), name


@pytest.mark.parametrize("words", [["--max_rejected_fraction", "2"], ["--max_rejected_fraction", "few"]])
def test_a_wrong_command_line_is_rejected(job, words) -> None:
    with pytest.raises(SystemExit):
        job.run(*words)
