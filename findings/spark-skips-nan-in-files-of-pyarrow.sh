#!/usr/bin/env bash
# For Spark, NaN is greater than any other number; in Parquet, the statistics of pyarrow leave NaN out. A filter that only
# NaN satisfies so skips the row group in which it is, without a warning. Files of Spark have NaN as their maximum and are
# read right, and so are all files with pushdown off: the rows of a query depend on who wrote the file.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==3.5.9 pyarrow==25.0.1
cat > filter.py <<'PY'
import sys
from pathlib import Path

import pyarrow
from pyarrow import parquet
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
version = spark.version
Path("pyarrow").mkdir()
parquet.write_table(pyarrow.table({"price": [1.0, 2.0, float("nan")]}), "pyarrow/prices.parquet")
rows = "SELECT * FROM VALUES (1D), (2D), (DOUBLE('NaN')) AS rows(price)"
spark.sql(rows).coalesce(1).write.parquet("spark")


def maximum(writer):
    (file,) = Path(writer).glob("*.parquet")
    return str(parquet.read_metadata(file).row_group(0).column(0).statistics.max)


def counted(writer, pushdown):
    spark.conf.set("spark.sql.parquet.filterPushdown", pushdown)
    return [
        spark.read.parquet(writer).where(condition).count()
        for condition in ("price > 2.5", "price = DOUBLE('NaN')", "isnan(price)")
    ]


found = {writer: (maximum(writer), counted(writer, "true"), counted(writer, "false")) for writer in ("spark", "pyarrow")}
spark.stop()
print(f"pyspark {version} loses the NaN in a file of pyarrow {pyarrow.__version__} where a filter is pushed down.")
print("Rows with price > 2.5, = NaN, isnan(), among 1, 2 and NaN:")
for writer, (highest, pushed, not_pushed) in found.items():
    print(f"written by {writer}, maximum {highest}: {pushed}; without pushdown {not_pushed}")
all_found = [1, 1, 1]
expected = {"spark": ("nan", all_found, all_found), "pyarrow": ("2.0", [0, 0, 1], all_found)}
sys.exit(0 if found == expected else "The rows differ from that: this finding is out of date.")
PY
SPARK_LOCAL_IP=127.0.0.1 venv/bin/python filter.py 2> errors.txt || { cat errors.txt >&2; exit 1; }
