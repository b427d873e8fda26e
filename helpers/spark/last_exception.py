"""Finds the exception of a failed Spark job in hundreds of lines of output."""

import re
from collections.abc import Sequence

_TRACEBACK = "Traceback (most recent call last):"
_LOG_RECORD = re.compile(r"\d\d/\d\d/\d\d \d\d:\d\d:\d\d [A-Z]+ ")
_EXCEPTION = re.compile(r"(?P<name>[A-Za-z_][\w.$]*)(?:: (?P<text>.*)|:?)$")
_JAVA = re.compile(
    r'(?:Caused by: |: |Exception in thread "[^"]*" )'
    r"(?P<name>[\w.$]+(?:Exception|Error)\b)(?:: (?P<text>.*))?$"
)
_BARE = re.compile(r"(?P<name>[\w.$]+(?:Error|Exception|Interrupt)): (?P<text>.+)$")
# These only wrap another exception, which is more specific.
_WRAPPERS = ("Py4JJavaError", "PythonException", "SparkException", "InvocationTargetException")
# These end the driver before the job can report a remedy.
_REMEDIES = (
    (
        r"OutOfMemoryError: ",
        "raise spark.driver.memory in configuration.json, or spark.executor.memory where tasks run in "
        "executors",
    ),
    (
        r"IllegalArgumentException: Required .* is above the max threshold \(\d+ MB\) of this cluster",
        "an executor must fit into a node: use the sizes from make size, or larger instances",
    ),
    (r"FileNotFoundException: ", "upload the file, or correct its URI"),
)
_SHUT_DOWN = "SparkContext was shut down"
_MASTER_LOST = (
    "start the step again, or raise yarn.resourcemanager.am.max-attempts in yarn-site and "
    "spark.yarn.maxAppAttempts in spark-defaults of configuration.json"
)
_DIAGNOSTICS = re.compile(r"YarnClientSchedulerBackend: Diagnostics message: (?P<text>.*)")
_LOST = re.compile(r"ExecutorLostFailure|Job aborted due to stage failure")


def last_exception(lines: Sequence[str]) -> tuple[str, str] | None:
    """Return class and message of the exception that ended a job, or None if its output contains none.

    Args:
        lines: the job's output, or its last thousands of lines.
    """
    found = _last_exception(lines)
    if found is None:
        return None
    name, text = found
    if _SHUT_DOWN in text and (
        messages := [match["text"] for line in lines if (match := _DIAGNOSTICS.search(line))]
    ):
        return name, f"{messages[-1]}: {_MASTER_LOST} ({text})"
    for pattern, remedy in _REMEDIES:
        if re.match(pattern, f"{name}: {text}"):
            return name, f"{text}: {remedy}"
    return found


def _last_exception(lines: Sequence[str]) -> tuple[str, str] | None:
    own = _without_log_records(lines)
    for part in (own, list(lines)):
        if (found := _python(part)) or (found := _java(part)):
            return found
    for line in reversed(own):
        if (match := _BARE.match(line)) or (match := re.match(r"(?P<name>Error): (?P<text>.+)$", line)):
            return match["name"].rpartition(".")[2], match["text"].strip()
    return None


def _without_log_records(lines: Sequence[str]) -> list[str]:
    """Return the lines outside of Spark's log records; a record ends at a line without indentation."""
    kept = []
    within = False
    for line in lines:
        if _LOG_RECORD.match(line):
            within = True
        elif line.startswith((_TRACEBACK, 'Exception in thread "main"')):
            within = False
        if not within:
            kept.append(line)
    return kept


def _python(lines: Sequence[str]) -> tuple[str, str] | None:
    starts = [index for index, line in enumerate(lines) if line.rstrip().endswith(_TRACEBACK)]
    if not starts:
        return None
    raised = _raised(lines, starts[-1])
    if raised is None:
        return None
    name, text, at = raised
    if name.rpartition(".")[2] in _WRAPPERS:
        if java := _java(lines[at:]):
            return java
        if not text:  # the JVM had already ended; its output is above
            return None
    return name.rpartition(".")[2], text


def _raised(lines: Sequence[str], start: int) -> tuple[str, str, int] | None:
    for at in range(start + 1, len(lines)):
        line = lines[at]
        if line[:1].strip() and (match := _EXCEPTION.match(line)):
            text = match["text"] or next((more.strip() for more in lines[at + 1 :] if more.strip()), "")
            return match["name"], text.strip(), at
    return None


def _java(lines: Sequence[str]) -> tuple[str, str] | None:
    matches = [match for line in lines if (match := _JAVA.match(line))]
    if not matches:
        return None
    for match in reversed(matches):
        text = (match["text"] or "").strip()
        if text and (_LOST.search(text) or match["name"].rpartition(".")[2] not in _WRAPPERS):
            return match["name"].rpartition(".")[2], text
    return matches[-1]["name"].rpartition(".")[2], (matches[-1]["text"] or "").strip()
