#!/usr/bin/env bash
# In Spark's event log the description of an exception is a text, but null where a task throws an exception without a
# message. A reader that takes it for a text reads every log but those of such failures.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==3.5.9
mkdir logs
cat > descriptions.py <<'PY'
import json
import os
import sys
from pathlib import Path

os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

settings = {
    "spark.ui.enabled": "false",
    "spark.eventLog.enabled": "true",
    "spark.eventLog.dir": Path("logs").resolve().as_uri(),
    "spark.eventLog.compress": "false",
}
spark = SparkSession.builder.master("local[1]").config(map=settings).getOrCreate()
spark.sparkContext.setLogLevel("OFF")
for message in ("'no'", "CAST(NULL AS STRING)"):
    try:
        spark.range(1).selectExpr(f"raise_error(IF(id = 0, {message}, 'other'))").collect()
    except Py4JJavaError:
        pass
version = spark.version
spark.stop()
(log,) = Path("logs").iterdir()
events = [json.loads(line) for line in log.open()]
found = [
    event["Task End Reason"].get("Description", "missing")
    for event in events
    if event["Event"] == "SparkListenerTaskEnd"
]
print(f"pyspark {version}: the description of an exception without a message is null in the event log.")
print(f"The descriptions of two failed tasks: {json.dumps(found)}")
sys.exit(0 if found == ["no", None] else "It no longer is: this finding is out of date.")
PY
venv/bin/python descriptions.py 2> errors.txt || { cat errors.txt >&2; exit 1; }
