#!/usr/bin/env bash
# Spark writes timestamps to Parquet as INT96, which Polars and pyarrow read as nanoseconds in 64 bits. These end in
# April 2262: Polars returns the last moment that fits, pyarrow another one, and DuckDB the right one. There is no error.
# Dates such as 9999-12-31, for "valid until further notice", are common in business data.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==3.5.9 polars==2.1.0 pyarrow==25.0.1 duckdb==2.0.1
cat > write.py <<'PY'
from pyspark.sql import SparkSession

spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
spark.sql("SELECT TIMESTAMP '9999-12-31 00:00:00' AS valid_until").write.parquet("contracts")
print(f"pyspark {spark.version}: {spark.read.parquet('contracts').first()['valid_until']}")
spark.stop()
PY
cat > read.py <<'PY'
import sys
from pathlib import Path

import duckdb
import polars
import pyarrow
import pyarrow.parquet

(file,) = map(str, Path("contracts").glob("*.parquet"))
years = {
    f"polars {polars.__version__}": str(polars.read_parquet(file).select(polars.col("valid_until").dt.to_string()).item()),
    f"pyarrow {pyarrow.__version__}": str(pyarrow.parquet.read_table(file)["valid_until"].cast("string")[0]),
    f"duckdb {duckdb.__version__}": str(duckdb.execute(f"SELECT valid_until FROM '{file}'").fetchall()[0][0]),
}
for reader, value in years.items():
    print(f"{reader}: {value}")
found = [value[:4] for value in years.values()]
differs = found[2] == "9999" and found[0] == "2262" and found[1] != "9999"
sys.exit(0 if differs else "The readers agree in other ways now: this finding is out of date.")
PY
TZ=UTC SPARK_LOCAL_IP=127.0.0.1 venv/bin/python write.py 2> errors.txt || { cat errors.txt >&2; exit 1; }
TZ=UTC venv/bin/python read.py || exit 1
