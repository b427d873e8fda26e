"""The Spark events and members that are used here; everything else in a line is skipped unparsed.

Spark's JsonProtocol defines the events. Spark writes the name of an event first, so unused events, which have
most of the bytes, can be skipped quickly. Logs that other tools have rewritten are parsed in a slower way.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from helpers.spark.event_log.reading import EventLogError, name_of

_SQL = "org.apache.spark.sql.execution.ui."


class LogStart(Struct):
    """The first line."""

    spark: str = field(name="Spark Version")


class EnvironmentUpdate(Struct):
    """The settings of the application."""

    properties: dict[str, str] = field(name="Spark Properties")


class ApplicationStart(Struct):
    """The start of the application. Times are in ms since 1970, as in all events."""

    time: int = field(name="Timestamp")
    name: str = field(name="App Name", default="")
    id: str | None = field(name="App ID", default=None)


class ApplicationEnd(Struct):
    """The last event of a complete log."""

    time: int = field(name="Timestamp")


class ExecutorInfo(Struct):
    """Properties of an executor."""

    cores: int = field(name="Total Cores")
    host: str = field(name="Host", default="")


class ExecutorAdded(Struct):
    """An executor was added."""

    time: int = field(name="Timestamp")
    executor: str = field(name="Executor ID")
    info: ExecutorInfo = field(name="Executor Info")


class ExecutorRemoved(Struct):
    """An executor was removed, with a textual reason."""

    time: int = field(name="Timestamp")
    executor: str = field(name="Executor ID")
    reason: str = field(name="Removed Reason", default="")


class Accumulable(Struct):
    """A SQL metric, summed over the tasks of a stage."""

    id: int = field(name="ID", default=-1)
    name: str | None = field(name="Name", default=None)
    value: Any = field(name="Value", default=None)


class StageInfo(Struct):
    """Properties of a stage attempt."""

    stage: int = field(name="Stage ID")
    name: str = field(name="Stage Name", default="")
    tasks: int = field(name="Number of Tasks", default=0)
    submitted: int | None = field(name="Submission Time", default=None)
    completed: int | None = field(name="Completion Time", default=None)
    failure: str | None = field(name="Failure Reason", default=None)
    accumulables: list[Accumulable] = field(name="Accumulables", default_factory=list)


class JobStart(Struct):
    """A Spark job starts, with properties that the application has set for it."""

    properties: dict[str, str] = field(name="Properties", default_factory=dict)


class StageSubmitted(Struct):
    """A stage attempt starts, with properties that the job has set for it."""

    info: StageInfo = field(name="Stage Info")
    properties: dict[str, str] = field(name="Properties", default_factory=dict)


class StageCompleted(Struct):
    """A stage attempt has ended, successfully or not."""

    info: StageInfo = field(name="Stage Info")


class EndReason(Struct):
    """How a task ended, with its exception if it failed."""

    reason: str = field(name="Reason")
    class_name: str = field(name="Class Name", default="")
    description: str = field(name="Description", default="")
    loss: str = field(name="Loss Reason", default="")


class TaskInfo(Struct):
    """Properties of a task attempt."""

    launched: int = field(name="Launch Time")
    finished: int = field(name="Finish Time")
    index: int = field(name="Index", default=0)
    speculative: bool = field(name="Speculative", default=False)


class ShuffleRead(Struct):
    """Bytes read from a shuffle."""

    remote: int = field(name="Remote Bytes Read", default=0)
    local: int = field(name="Local Bytes Read", default=0)


class ShuffleWrite(Struct):
    """Bytes written to a shuffle."""

    written: int = field(name="Shuffle Bytes Written", default=0)


class InputRead(Struct):
    """Bytes read from the input."""

    read: int = field(name="Bytes Read", default=0)


class OutputWritten(Struct):
    """Bytes written to the output."""

    written: int = field(name="Bytes Written", default=0)


class TaskMetrics(Struct):
    """Times in ms, sizes in bytes."""

    run_ms: int = field(name="Executor Run Time", default=0)
    gc_ms: int = field(name="JVM GC Time", default=0)
    memory_spilled: int = field(name="Memory Bytes Spilled", default=0)
    disk_spilled: int = field(name="Disk Bytes Spilled", default=0)
    peak_execution: int = field(name="Peak Execution Memory", default=0)
    shuffle_read: ShuffleRead = field(name="Shuffle Read Metrics", default_factory=ShuffleRead)
    shuffle_write: ShuffleWrite = field(name="Shuffle Write Metrics", default_factory=ShuffleWrite)
    input: InputRead = field(name="Input Metrics", default_factory=InputRead)
    output: OutputWritten = field(name="Output Metrics", default_factory=OutputWritten)


class ExecutorMetrics(Struct):
    """Peak memory in bytes; zero if Spark did not measure it."""

    heap: int = field(name="JVMHeapMemory", default=0)
    process: int = field(name="ProcessTreeJVMRSSMemory", default=0)
    python: int = field(name="ProcessTreePythonRSSMemory", default=0)


class TaskEnd(Struct):
    """A task attempt has ended. These events have nearly all bytes of a log."""

    stage: int = field(name="Stage ID")
    reason: EndReason = field(name="Task End Reason")
    info: TaskInfo = field(name="Task Info")
    metrics: TaskMetrics | None = field(name="Task Metrics", default=None)
    peaks: ExecutorMetrics | None = field(name="Task Executor Metrics", default=None)


class StageExecutorMetrics(Struct):
    """Peaks of an executor during a stage, with spark.eventLog.logStageExecutorMetrics."""

    executor: str = field(name="Executor ID")
    peaks: ExecutorMetrics = field(name="Executor Metrics")


class PlanMetric(Struct):
    """A metric of a plan node, and its accumulator."""

    name: str
    accumulator: int = field(name="accumulatorId")


class PlanNode(Struct):
    """A node of a SQL plan."""

    name: str = field(name="nodeName")
    description: str = field(name="simpleString", default="")
    children: list["PlanNode"] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)
    metrics: list[PlanMetric] = field(default_factory=list)


class SqlStart(Struct):
    """A query starts."""

    plan: PlanNode = field(name="sparkPlanInfo")


class SqlUpdate(Struct):
    """A query continues with a changed plan."""

    plan: PlanNode = field(name="sparkPlanInfo")


class DriverUpdates(Struct):
    """Metrics of the driver, as pairs of accumulator and value."""

    updates: list[tuple[int, int]] = field(name="accumUpdates")


Event = (
    LogStart
    | EnvironmentUpdate
    | ApplicationStart
    | ApplicationEnd
    | ExecutorAdded
    | ExecutorRemoved
    | JobStart
    | StageSubmitted
    | StageCompleted
    | StageExecutorMetrics
    | TaskEnd
    | SqlStart
    | SqlUpdate
    | DriverUpdates
)

_DECODERS: Mapping[bytes, msgspec.json.Decoder[Event]] = {
    name.encode(): msgspec.json.Decoder(kind)
    for name, kind in {
        "SparkListenerLogStart": LogStart,
        "SparkListenerEnvironmentUpdate": EnvironmentUpdate,
        "SparkListenerApplicationStart": ApplicationStart,
        "SparkListenerApplicationEnd": ApplicationEnd,
        "SparkListenerExecutorAdded": ExecutorAdded,
        "SparkListenerExecutorRemoved": ExecutorRemoved,
        "SparkListenerJobStart": JobStart,
        "SparkListenerStageSubmitted": StageSubmitted,
        "SparkListenerStageCompleted": StageCompleted,
        "SparkListenerStageExecutorMetrics": StageExecutorMetrics,
        "SparkListenerTaskEnd": TaskEnd,
        f"{_SQL}SparkListenerSQLExecutionStart": SqlStart,
        f"{_SQL}SparkListenerSQLAdaptiveExecutionUpdate": SqlUpdate,
        f"{_SQL}SparkListenerDriverAccumUpdates": DriverUpdates,
    }.items()
}


def parse(
    lines: Iterable[bytes], source: object = "the log", kinds: Collection[type] | None = None
) -> Iterator[Event]:
    """Yield the events that are used here.

    Args:
        lines: the lines of the log.
        source: the source of the lines, for messages.
        kinds: the required event types if not all are needed; others are skipped unparsed.

    Raises:
        EventLogError: a line is not an event, or lacks a mandatory member.
    """
    decoders = {
        name: decoder for name, decoder in _DECODERS.items() if kinds is None or decoder.type in kinds
    }
    for number, line in enumerate(lines, 1):
        try:
            decoder = decoders.get(name_of(line))
            if decoder is None:
                continue
            try:
                yield decoder.decode(line)
            except msgspec.ValidationError:
                yield msgspec.convert(_without_nulls(msgspec.json.decode(line)), decoder.type)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise EventLogError(
                f"event {number} of {source} cannot be read: {error}",
                hint="Copy the log again, or use the log of another run",
            ) from None


def _without_nulls(value: Any) -> Any:
    """Return JSON without members that are null; Spark writes null for a missing string."""
    match value:
        case dict():
            return {name: _without_nulls(member) for name, member in value.items() if member is not None}
        case list():
            return [_without_nulls(member) for member in value]
        case _:
            return value
