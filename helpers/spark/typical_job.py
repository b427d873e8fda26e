"""Loads the classes that most jobs need: text, CSV, JSON, Parquet, aggregation, join and Python worker."""

import sys

from pyspark.sql import SparkSession, functions

folder = sys.argv[1]
spark = SparkSession.builder.getOrCreate()

rows = spark.range(100).select(
    "id",
    functions.col("id").cast("string").alias("text"),
    (functions.col("id") / 3).alias("ratio"),
    functions.regexp_extract(functions.col("id").cast("string"), r"(\d)$", 1).alias("digit"),
)
rows.write.parquet(f"{folder}/parquet")
parquet = spark.read.parquet(f"{folder}/parquet")
parquet.write.csv(f"{folder}/csv", header=True)
parquet.write.json(f"{folder}/json", compression="gzip")
parquet.select("text").write.text(f"{folder}/text")
counts = parquet.groupBy("digit").agg(functions.count("*").alias("rows"), functions.max("ratio"))
parquet.join(counts, "digit").filter("rows > 1").orderBy("id").collect()
spark.read.csv(f"{folder}/csv", header=True, inferSchema=True).collect()
spark.read.json(f"{folder}/json").collect()
spark.read.text(f"{folder}/text").collect()
spark.sparkContext.parallelize(range(4), 2).mapPartitions(lambda part: [sum(part)]).collect()
spark.stop()
