#!/usr/bin/env bash
# In Spark's event log a scan of files has the metric "size of files read". It is the size of the files that were
# chosen when the scan was planned, not of what was read: first() on a large file "reads" all of it.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==4.1.1 py4j==0.10.9.9
mkdir logs
cat > sizes.py <<'PY'
import json
import os
import sys
from pathlib import Path

os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
from pyspark.sql import SparkSession

settings = {
    "spark.driver.host": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.eventLog.enabled": "true",
    "spark.eventLog.dir": Path("logs").resolve().as_uri(),
    "spark.eventLog.rolling.enabled": "false",
    "spark.eventLog.compress": "false",
}
Path("numbers.csv").write_text("".join(f"{number}\n" for number in range(2_000_000)))
spark = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
version = spark.version
spark.read.schema("number long").csv("numbers.csv").first()
spark.stop()
(log,) = Path("logs").iterdir()
events = [json.loads(line) for line in log.open()]


def nodes(plan):
    yield plan
    for child in plan["children"]:
        yield from nodes(child)


metric = next(
    metric["accumulatorId"]
    for event in events
    if "sparkPlanInfo" in event
    for node in nodes(event["sparkPlanInfo"])
    for metric in node["metrics"]
    if metric["name"] == "size of files read"
)
updates = [dict(event["accumUpdates"]) for event in events if event["Event"].endswith("DriverAccumUpdates")]
size = next(update[metric] for update in updates if metric in update)
read = sum(
    event["Task Metrics"]["Input Metrics"]["Bytes Read"]
    for event in events
    if event["Event"] == "SparkListenerTaskEnd"
)
print(f"pyspark {version}: the metric 'size of files read' is that of the files chosen, whatever a limit leaves unread.")
print(f"first(): size of files read {size:,} bytes; its task read {read:,} bytes")
sys.exit(0 if size > 10 * read > 0 else "It no longer is: this finding is out of date.")
PY
venv/bin/python sizes.py 2> errors.txt || { cat errors.txt >&2; exit 1; }
