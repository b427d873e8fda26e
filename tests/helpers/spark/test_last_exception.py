"""The message of a failed Spark job, found in the output of Spark."""

import pytest

from helpers.spark.last_exception import last_exception

WORKER = """\
26/11/24 04:50:55 WARN TaskSetManager: Lost task 0.0 in stage 0.0 (TID 0) (127.0.0.1 executor 1): \
org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "worker.py", line 1247, in main
ModuleNotFoundError: No module named 'early'

	at org.apache.spark.api.python.BasePythonRunner.handlePythonException(PythonRunner.scala:572)
"""
PY4J = (
    WORKER
    + """\
Traceback (most recent call last):
  File "app.py", line 8, in <module>
    rdd.collect()
py4j.protocol.Py4JJavaError: An error occurred while calling z:org.PythonRDD.collectAndServe.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 4 times, \
most recent failure: Lost task 0.3 in stage 0.0: \
org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "worker.py", line 1247, in main
    process()
ModuleNotFoundError: No module named 'helper'

	at org.apache.spark.api.python.BasePythonRunner.handlePythonException(PythonRunner.scala:572)
Driver stacktrace:
	at org.apache.spark.scheduler.DAGScheduler.failJobAndIndependentStages(DAGScheduler.scala:2856)
Caused by: org.apache.spark.api.python.PythonException: Traceback (most recent call last):
  File "worker.py", line 1247, in main
    process()
ModuleNotFoundError: No module named 'helper'

	... 1 more
26/11/24 04:50:55 INFO SparkUI: Stopped Spark web UI at http://127.0.0.1:4040
"""
)
LOST = """\
Traceback (most recent call last):
  File "app.py", line 8, in <module>
    rdd.collect()
py4j.protocol.Py4JJavaError: An error occurred while calling z:org.PythonRDD.collectAndServe.
: org.apache.spark.SparkException: Job aborted due to stage failure: Task 0 in stage 0.0 failed 1 times, \
most recent failure: Lost task 0.0 in stage 0.0 (TID 0) (127.0.0.1 executor 0): \
ExecutorLostFailure (executor 0 exited caused by \
one of the running tasks) Reason: Command exited with code 137
Driver stacktrace:
	at org.apache.spark.scheduler.DAGScheduler.failJobAndIndependentStages(DAGScheduler.scala:2856)
"""
CAPTURED = """\
Traceback (most recent call last):
  File "app.py", line 3, in <module>
    spark.read.csv("s3a://b/x")
pyspark.errors.exceptions.captured.AnalysisException: [PATH_NOT_FOUND] Path does not exist: s3a://b/x.
"""
CHAINED = """\
Traceback (most recent call last):
  File "app.py", line 3, in <module>
KeyError: 'a'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "app.py", line 5, in <module>
ValueError: no column a
"""
JAVA = """\
Exception in thread "main" java.lang.RuntimeException: outer
	at Main.main(Main.java:3)
Caused by: java.io.IOException: disk full
	... 3 more
"""
MEMORY = """\
26/11/24 04:50:55 ERROR Executor: Exception in task 0.0 in stage 0.0 (TID 0)
org.apache.spark.SparkException: [TASK_WRITE_FAILED] Task failed while writing rows to file:/out.
	at org.apache.spark.executor.Executor$TaskRunner.run(Executor.scala:624)
Caused by: java.lang.OutOfMemoryError: Java heap space
	at java.base/java.util.Arrays.copyOf(Arrays.java:3537)
"""
LAUNCHER = """\
Exception in thread "main" org.apache.spark.SparkException: Failed to get main class in JAR with error 'x'.
	at org.apache.spark.deploy.SparkSubmitArguments.error(SparkSubmitArguments.scala:650)
"""
DURING_SHUTDOWN = (
    CAPTURED + "26/11/24 04:50:55 ERROR Utils: Uncaught\njava.lang.IllegalStateException: Shutdown\n\tat x\n"
)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (PY4J, ("ModuleNotFoundError", "No module named 'helper'")),
        (CAPTURED, ("AnalysisException", "[PATH_NOT_FOUND] Path does not exist: s3a://b/x.")),
        (DURING_SHUTDOWN, ("AnalysisException", "[PATH_NOT_FOUND] Path does not exist: s3a://b/x.")),
        (CHAINED, ("ValueError", "no column a")),
        (JAVA, ("IOException", "disk full")),
        (LAUNCHER, ("SparkException", "Failed to get main class in JAR with error 'x'.")),
        ("  File \"app.py\", line 1\n    (\n    ^\nSyntaxError: '(' was never closed\n",) * 1
        + (("SyntaxError", "'(' was never closed"),),
        ("Traceback (most recent call last):\n  File x\nKeyboardInterrupt\n", ("KeyboardInterrupt", "")),
        ("Traceback (most recent call last):\n", None),
        (WORKER, ("ModuleNotFoundError", "No module named 'early'")),
        ("Error: Missing application resource.\n", ("Error", "Missing application resource.")),
        ("all is well\n", None),
        ("", None),
    ],
)
def test_the_last_exception_is_the_jobs_own(output: str, expected: tuple[str, str] | None) -> None:
    assert last_exception(output.splitlines()) == expected


def test_a_driver_without_memory_is_reported_with_what_to_change() -> None:
    name, text = last_exception(MEMORY.splitlines()) or ("", "")
    assert name == "OutOfMemoryError"
    assert text.startswith("Java heap space: raise spark.driver.memory in configuration.json")


def test_a_lost_executor_is_named() -> None:
    name, text = last_exception(LOST.splitlines()) or ("", "")
    assert name == "SparkException"
    assert "ExecutorLostFailure (executor 0 exited" in text


def test_an_exception_without_a_word_is_explained_by_the_log() -> None:
    """Java ran out of memory and ended before Python could request the message."""
    lines = [
        "26/11/25 10:23:57 ERROR Executor: Exception in task 0.0 in stage 2.0 (TID 2)",
        "Caused by: java.lang.OutOfMemoryError: Java heap space",
        "\tat java.base/java.util.Arrays.copyOf(Arrays.java:3537)",
        "Traceback (most recent call last):",
        '  File "process_pyspark.py", line 139, in main',
        "py4j.protocol.Py4JJavaError",
    ]

    found = last_exception(lines)

    assert found is not None
    assert found[0] == "OutOfMemoryError"
    assert found[1].startswith("Java heap space: raise spark.driver.memory")
