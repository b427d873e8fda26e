#!/usr/bin/env bash
# Spark lists a file whose name begins with _metadata as an input of a DataFrame, as Parquet may need it, and then does
# not read it, of any format. What inputFiles() names is therefore more than what is read, and the rows of such a text
# or CSV file are missing without a warning.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==3.5.9
mkdir in
echo 1 > in/a.csv
echo 2 > in/_metadata.csv
cat > read.py <<'PY'
import sys
from pathlib import Path

from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
frame = spark.read.csv("in", schema="number int")
listed, rows = sorted(Path(name).name for name in frame.inputFiles()), [row.number for row in frame.collect()]
print(f"pyspark {spark.version}")
print(f"Spark lists {', '.join(listed)} as input files, and reads the rows {rows}.")
spark.stop()
sys.exit(0 if listed == ["_metadata.csv", "a.csv"] and rows == [1] else "It differs now: this finding is out of date.")
PY
SPARK_LOCAL_IP=127.0.0.1 venv/bin/python read.py 2>errors.txt || { cat errors.txt >&2; exit 1; }
