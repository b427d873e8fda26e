"""Runs an ingestion job, from its command line to its report.

`<output_table>/runs/<run>/` contains a folder for each format, `report.json` (docs/job-report.md) and, if
rows were rejected, `rejected/` with JSON lines of file, line and reason. In the end, the report atomically
replaces the one in the report folder. Therefore, readers that open the folders in that report see a
complete run.
"""

from __future__ import annotations

import argparse
import uuid
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Optional

from pyspark.sql import SparkSession

from etl.errors import JobError, shown
from etl.executors import count_executors
from etl.failures import SPARK_ERRORS, is_of_s3, s3_failure, spark_failure, stop_spark
from etl.ingestion.assignment import Assignment, Result, run_task, sum_of
from etl.ingestion.inputs import divide, find_input
from etl.ingestion.sink import Formats
from etl.log import stdout_logger, timed
from etl.names import overlap
from etl.report import Check, Output, data_files, job_report
from etl.runs import begin_run, publish_report, write_report
from etl.storage import prepare, s3_settings, storage

if TYPE_CHECKING:
    import logging
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pyspark import SparkContext

    from etl.ingestion.assignment import Written
    from etl.ingestion.inputs import Part
    from etl.ingestion.sink import Sink
    from etl.ingestion.table import Table
    from etl.storage import Storage

INPUT_BYTES = "etl.inputBytes"
"""Property of the Spark job with the input bytes of each task, for the analysis of the event log."""
INPUT_ROWS, REJECTED_ROWS = "etl.inputRows", "etl.rejectedRows"
"""Properties of a second, empty Spark job with the numbers of rows that each task read and rejected."""
SHOWN_LINES = 3
_NO_ROWS_FIX = "add some, or correct the input"


class Options(NamedTuple):
    """The options of the command line."""

    input_table: str
    output_table: str
    max_rejected_fraction: float


def ingest(table: Table, name: str, argv: Sequence[str] | None = None) -> None:
    """Run an ingestion job.

    Args:
        table: the schema of the input and the output.
        name: the name of the Spark application.
        argv: the arguments of the job; by default, those of this process.

    Raises:
        JobError: the input, the output or Spark prevent it; the message is one line.
    """
    options = parse(argv)
    log = stdout_logger(name)
    seconds: dict[str, float] = {}
    prepare(options.input_table, options.output_table)
    with spark_session(name, seconds) as spark:
        process(spark, table, Formats(table), options, seconds, log)


@contextmanager
def spark_session(name: str, seconds: dict[str, float]) -> Iterator[SparkSession]:
    """Start Spark for a block, and describe errors of Spark and S3 in one line.

    Args:
        name: the name of the Spark application.
        seconds: receives the duration of the start in seconds.

    Raises:
        JobError: Spark or S3 fails.
    """
    with timed(seconds, "start Spark"):
        # Executor sizes depend on the cluster, and are set in configuration.json.
        spark = SparkSession.builder.appName(name).getOrCreate()
    spark.sparkContext.setLogLevel("WARN")
    try:
        yield spark
    except SPARK_ERRORS as error:  # the log contains the stack trace of Java
        raise JobError(spark_failure(error)) from error
    except Exception as error:
        if is_of_s3(error):
            raise JobError(s3_failure(error)) from error
        raise


def main(table: Table, name: str) -> None:
    """Run an ingestion job as a program, and stop Spark."""
    try:
        ingest(table, name)
    finally:
        stop_spark()


def parse(argv: Sequence[str] | None) -> Options:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description="Validate files of delimited text, and write the valid rows."
    )
    parser.add_argument(
        "--input_table", required=True, help="file, folder or glob pattern (s3a://, s3://, local)"
    )
    parser.add_argument("--output_table", required=True, help="output folder (s3a://, s3://, local)")
    parser.add_argument(
        "--max_rejected_fraction",
        type=fraction,
        default=0.01,
        help="maximum fraction of malformed rows; the job fails above it (default: %(default)s)",
    )
    values = parser.parse_args(argv)
    return Options(values.input_table, values.output_table.rstrip("/"), values.max_rejected_fraction)


def fraction(text: str) -> float:
    """Parse a number from 0 to 1.

    Raises:
        argparse.ArgumentTypeError: the number is less than 0 or more than 1.
    """
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a fraction from 0 to 1")
    return value


def process(
    spark: SparkSession,
    table: Table,
    sink: Sink,
    options: Options,
    seconds: dict[str, float],
    log: logging.Logger,
) -> None:
    """Run the job in a Spark session.

    Args:
        spark: the Spark session.
        table: the schema of the input.
        sink: writes the valid rows.
        options: the options of the command line.
        seconds: receives durations in seconds, by phase.
        log: the logger of the job.

    Raises:
        JobError: the input or the output prevent it.
    """
    source, target = options.input_table, options.output_table
    if overlap(source, target):
        raise JobError(f"the input {source} and the output {target} must not overlap")
    settings = s3_settings(spark)
    with timed(seconds, "list the input"):
        found = find_input(storage(source, settings), source)
        parts = divide(found, spark.sparkContext.defaultParallelism, splittable=not table.multiline)
    if not parts:
        raise JobError(f"{source} has no data rows: {_NO_ROWS_FIX}")

    run = begin_run(target)
    folder = run.folder_in(target)
    files = storage(folder, settings)
    try:
        with timed(seconds, "read, check and write"):
            results = _run_tasks(spark, Assignment(table, sink, folder, str(uuid.uuid4()), settings), parts)
        rows = sum(result.rows for result in results)
        rejected = sum(file.rows for result in results for file in result.rejected)
        log.info("read %s rows from %s, rejected %s", f"{rows:,}", source, f"{rejected:,}")
        _check_rejected_fraction(options, folder, results, rows, rejected)
        completed = _complete(sink, files, folder, results)
    except Exception:
        with suppress(Exception):  # report the first error, not one of the cleanup
            for data_set in sink.data_sets:
                files.delete(f"{folder}/{data_set}")
        raise
    written = dict(completed.outputs)
    if rejected:
        count = sum(len(result.rejected) for result in results)
        written["rejected"] = Output(f"{folder}/rejected", rejected, count, "json")
    every_row = "rows in = rows written + rows rejected"
    checks = [Check(every_row, rows, count + rejected) for count in completed.rows]
    report = job_report(
        spark.sparkContext.applicationId,
        written,
        rows_in=rows,
        rows_rejected=rejected,
        checks=[completed.withheld] if completed.withheld else checks,
        seconds=seconds,
        executors=count_executors(spark),
    )
    if completed.withheld:
        write_report(spark, run, report)
        log.info("nothing of %s is published", folder)
        return
    for removed in publish_report(spark, run, report):
        log.info("removed the outdated run %s", removed)
    log.info("wrote %s rows to %s", f"{sum(completed.rows):,}", folder)


class _Completed(NamedTuple):
    """The result of a complete run."""

    outputs: Mapping[str, Output]
    rows: Sequence[int]
    """Numbers of rows that must equal the number of valid rows."""
    withheld: Optional[Check]
    """The failed check that prevents publication, or None."""


def _complete(sink: Sink, files: Storage, folder: str, results: Sequence[Result]) -> _Completed:
    """Check that the data sets of a run are complete, and let the sink complete or withhold the run.

    Raises:
        JobError: a data set is not complete, or the sink rejects the run.
    """
    written = {
        data_set: _commit(files, f"{folder}/{data_set}", kind, _files_of(results, data_set))
        for data_set, kind in sink.data_sets.items()
    }
    if sink.marks_success:
        for output in written.values():
            files.write(f"{output.folder}/_SUCCESS", b"")
    withheld = sink.finish(files, folder, written, sum_of(result.summary for result in results))
    if withheld:
        for data_set in sink.data_sets:
            files.delete(f"{folder}/{data_set}")
        return _Completed({}, [], withheld)
    counts = [output.rows for output in written.values()]
    return _Completed(written, counts[:1] if sink.each_has_all_rows else [sum(counts)], None)


def _run_tasks(spark: SparkSession, assignment: Assignment, parts: Sequence[Part]) -> list[Result]:
    """Run a task for each part. If Spark runs a task twice, one result is used.

    Raises:
        JobError: a file is not valid.
    """
    context = spark.sparkContext
    with _properties(context, {INPUT_BYTES: _list(part.size for part in parts)}):
        results: list[Result] = (
            context.parallelize(parts, len(parts)).map(partial(run_task, assignment)).collect()
        )
    for result in results:
        if result.problem:
            raise JobError(result.problem)
    _log_rows(context, results)
    return results


def _log_rows(context: SparkContext, results: Sequence[Result]) -> None:
    """Write the numbers of rows of each task to the event log.

    Spark cannot count rows that Python reads, and does not log accumulators of Python. It does log the
    properties of jobs, so this function runs a job without tasks.
    """
    properties = {
        "spark.job.description": "rows that each task read and rejected",
        INPUT_ROWS: _list(result.rows for result in results),
        REJECTED_ROWS: _list(sum(file.rows for file in result.rejected) for result in results),
    }
    with _properties(context, properties):
        context.emptyRDD().collect()


@contextmanager
def _properties(context: SparkContext, properties: Mapping[str, str]) -> Iterator[None]:
    """Set properties of the Spark jobs in a block."""
    for name, value in properties.items():
        context.setLocalProperty(name, value)
    try:
        yield
    finally:
        for name in properties:
            context.setLocalProperty(name, None)  # type: ignore[arg-type]  # removes it


def _list(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))


def _check_rejected_fraction(
    options: Options, folder: str, results: Sequence[Result], rows: int, rejected: int
) -> None:
    """Check the fraction of rejected rows.

    Raises:
        JobError: there are no rows, or too many are rejected.
    """
    if not rows:
        raise JobError(f"{options.input_table} has no data rows: {_NO_ROWS_FIX}")
    share = rejected / rows
    if share > options.max_rejected_fraction or rejected == rows:
        first = [each for result in results for each in result.examples][:SHOWN_LINES]
        examples = "; ".join(f"{each.file}: {shown(each.line)} ({each.reason})" for each in first)
        raise JobError(
            f"{rejected:,} of {rows:,} rows are malformed ({share:.2%}), "
            f"--max_rejected_fraction allows {options.max_rejected_fraction:.2%}; "
            f"all of them are in {folder}/rejected, the first are {examples}"
        )


def _files_of(results: Sequence[Result], data_set: str) -> list[Written]:
    return [file for result in results for file in result.outputs[data_set]]


def _commit(files: Storage, folder: str, kind: str, written: Sequence[Written]) -> Output:
    """Return the output of a complete data set.

    Raises:
        JobError: the files in the folder are not those that the tasks wrote.
    """
    expected = {file.name: file.size for file in written}
    found = data_files(files, folder)
    if found != expected:
        different = sorted(found.items() ^ expected.items())[0][0]
        raise JobError(f"{folder}/{different} is not what the tasks of this run wrote: run the job again")
    return Output(folder, sum(file.rows for file in written), len(written), kind)
