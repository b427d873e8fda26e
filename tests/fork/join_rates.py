"""Convert the fares of trips into one currency, and sum them by day.

    spark-submit --py-files etl.zip join_rates.py --trips URI --rates URI --by_day URI

Trips are CSV files: trip, day, currency, fare. Rates are Parquet files, partitioned by day: currency, rate.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from etl.errors import JobError
from etl.executors import count_executors
from etl.failures import SPARK_ERRORS, spark_failure, stop_spark
from etl.log import timed
from etl.report import Check, job_report, written_output
from etl.runs import begin_run, publish_report
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 - the name that the Spark world gives it

if TYPE_CHECKING:
    from collections.abc import Sequence

TRIPS = "trip string, day date, currency string, fare double"


def main(argv: Sequence[str] | None = None) -> None:
    """Run the job.

    Raises:
        JobError: Spark fails; the message is one line.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--trips", "--rates", "--by_day"):
        parser.add_argument(name, required=True, help="folder (s3a://, s3://, local)")
    parser.add_argument("--least_fare", type=float, default=0.0, help="lower ones are left out")
    options = parser.parse_args(argv)
    spark = SparkSession.builder.appName("join_rates").getOrCreate()
    try:
        process(spark, options)
    except SPARK_ERRORS as error:
        raise JobError(spark_failure(error)) from error


def process(spark: SparkSession, options: argparse.Namespace) -> None:
    """Run the job in the given session."""
    run = begin_run(options.by_day)
    folder = f"{run.folder_in(options.by_day)}/parquet"
    seconds: dict[str, float] = {}
    trips = spark.read.csv(options.trips, schema=TRIPS, header=True, mode="FAILFAST")
    counted = trips.where(F.col("fare") >= options.least_fare)
    amount = F.round(F.sum(F.col("fare") * F.col("rate")), 2)
    with timed(seconds, "write Parquet"):
        (
            counted.join(spark.read.parquet(options.rates), ["day", "currency"])
            .groupBy("day")
            .agg(F.count("*").alias("trips"), amount.alias("amount"))
            .coalesce(1)
            .write.parquet(folder)
        )
    written = spark.read.parquet(folder)
    converted = written.agg(F.sum("trips")).first()
    report = job_report(
        spark.sparkContext.applicationId,
        {"parquet": written_output(spark, folder, written.count(), "parquet")},
        rows_in=trips.count(),
        checks=[Check("trips with a rate", counted.count(), converted[0] if converted else 0)],
        seconds=seconds,
        executors=count_executors(spark),
    )
    publish_report(spark, run, report)


if __name__ == "__main__":
    try:
        main()
    finally:
        stop_spark()
