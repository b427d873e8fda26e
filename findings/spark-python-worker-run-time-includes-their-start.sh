#!/usr/bin/env bash
# Since Spark 4.0 the event log has three times of each Python node of a plan: to start the workers, to initialize
# them, and to run them. The third is not the rest but the sum: whoever adds the three counts starts twice, and gets
# more than the tasks ran.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.1.1 py4j==0.10.9.9
mkdir logs
cat > times.py <<'PY'
import json
import os
import sys
from pathlib import Path

os.environ |= {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
from pyspark.sql import SparkSession, functions

settings = {
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.eventLog.enabled": "true",
    "spark.eventLog.dir": Path("logs").resolve().as_uri(),
    "spark.eventLog.rolling.enabled": "false",
    "spark.eventLog.compress": "false",
}
spark = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
version = spark.version
spark.range(1000).select(functions.udf(lambda number: number + 1, "long")("id")).collect()
spark.stop()
(log,) = Path("logs").iterdir()
events = [json.loads(line) for line in log.open()]
times = {
    each["Name"]: int(each["Value"])
    for event in events
    if event["Event"] == "SparkListenerStageCompleted"
    for each in event["Stage Info"]["Accumulables"]
    if each["Name"].startswith("time to ")
}
ran = sum(event["Task Metrics"]["Executor Run Time"] for event in events if event["Event"] == "SparkListenerTaskEnd")
start, initialize, run = (times[f"time to {what} Python workers"] for what in ("start", "initialize", "run"))
print(f"pyspark {version}: the time to run Python workers includes the times to start and to initialize them.")
print(f"start {start} ms, initialize {initialize} ms, run {run} ms: together {start + initialize + run} ms in tasks of {ran} ms")
sys.exit(0 if run >= start + initialize > 0 else "It no longer does: this finding is out of date.")
PY
venv/bin/python times.py 2> errors.txt || { cat errors.txt >&2; exit 1; }
