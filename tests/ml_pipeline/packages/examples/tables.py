"""Uses the packages of its step: two Python packages, in driver and executors, and two table formats."""

import argparse

from amounts import described
from pyspark.sql import SparkSession
from pyspark.sql.functions import udf


def main():
    """Write the same rows as a Delta table and as an Iceberg table on S3."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--delta_table", required=True)
    parser.add_argument("--iceberg_tables", required=True)
    arguments = parser.parse_args()
    print("The driver writes", described(1000), flush=True)

    spark = SparkSession.builder.getOrCreate()
    spark.conf.set("spark.sql.catalog.lake", "org.apache.iceberg.spark.SparkCatalog")
    spark.conf.set("spark.sql.catalog.lake.type", "hadoop")
    spark.conf.set("spark.sql.catalog.lake.warehouse", arguments.iceberg_tables)
    numbers = spark.range(1, 5, numPartitions=2)
    # The function runs in the executors, each of which has one of the two partitions.
    rows = numbers.withColumn("amount", udf(described)(numbers.id * 1000))

    rows.write.format("delta").save(arguments.delta_table)
    rows.writeTo("lake.shop.amounts").using("iceberg").create()
    spark.stop()


if __name__ == "__main__":
    main()
