"""A job with all problems that a small job can have; run as a script with an output folder."""

import os
import sys
from pathlib import Path

from pyspark import TaskContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812 -- as everywhere

CODECS = ("lz4", "lzf", "snappy", "zstd")


def fail_once(number: int) -> int:
    if number == 1 and TaskContext.get().attemptNumber() == 0:
        raise ValueError("on purpose")
    return number


def main(folder: Path) -> None:
    os.environ.update(SPARK_LOCAL_IP="127.0.0.1", PYSPARK_PYTHON=sys.executable)
    (folder / "logs").mkdir()
    spark = (
        SparkSession.builder.master("local[2,2]")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.eventLog.enabled", "true")
        .config("spark.eventLog.dir", (folder / "logs").as_uri())
        .config("spark.sql.adaptive.enabled", "false")
        .config("spark.sql.shuffle.partitions", "8")
        .config("spark.shuffle.spill.numElementsForceSpillThreshold", "100000")
        .getOrCreate()
    )
    spark.sparkContext.parallelize(range(2), 2).map(fail_once).count()
    # Of a hundred rows, 99 have the same key: one task sorts them, with more data than fits into memory.
    key = F.when(F.col("id") % 100 > 0, 0).otherwise(F.col("id"))
    rows = spark.range(0, 3_000_000, 1, 2).withColumn("key", key).repartition(4, "key")
    rows.sortWithinPartitions(F.hash("id")).write.format("noop").mode("overwrite").save()
    # One source, two outputs: two scans. Cached rows are scanned once, regardless of how often they are read.
    spark.range(0, 50_000, 1, 2).write.csv(str(folder / "source"))
    source = spark.read.schema("id long").csv(str(folder / "source"))
    source.write.csv(str(folder / "csv"))
    source.write.parquet(str(folder / "parquet"))
    source.cache()
    source.count()
    source.agg(F.sum("id")).collect()
    compress(spark, folder)
    spark.stop()


def compress(spark: SparkSession, folder: Path) -> None:
    """Write the current log with each of Spark's codecs, under the file names that Spark uses."""
    jvm, java = spark.sparkContext._jvm, spark.sparkContext._jsc
    (log,) = (folder / "logs").iterdir()
    content = b"".join(log.read_bytes().splitlines(keepends=True)[:30])
    (folder / "plain").write_bytes(content)
    for name in CODECS:
        file = jvm.java.io.FileOutputStream(str(folder / f"plain.{name}"))
        codec = jvm.org.apache.spark.io.CompressionCodec.createCodec(java.sc().getConf(), name)
        stream = codec.compressedOutputStream(file)
        stream.write(content)
        stream.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
