"""The profile of a run, from one pass over its log. Memory grows with stages and executors, not tasks."""

import bisect
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.spark.event_log import events
from helpers.spark.event_log.events import Event
from helpers.spark.event_log.reading import EventLogError, lines
from helpers.spark.event_log.settings import Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

INPUT_BYTES = "etl.inputBytes"
"""The stage property with the bytes that tasks of spark_jobs/etl read, which Spark does not measure."""
INPUT_ROWS, REJECTED_ROWS = "etl.inputRows", "etl.rejectedRows"
"""The properties of a later Spark job with the rows that each of these tasks has read and rejected."""
_PER_OCTAVE = 32
"""Histogram steps per doubling of a duration: a median is accurate to 1.1 %."""

_KILLED = {"TaskKilled", "TaskCommitDenied"}
"""As in Spark: the commit of the slower copy of a writing task is denied."""
_FILES_READ = "size of files read"
_JOB_COMMIT = "job commit time"
_TASK_COMMIT = "task commit time"
_ROWS = "number of output rows"
_PYTHON_START = "time to start Python workers"
_PYTHON_INITIALIZE = "time to initialize Python workers"
_PYTHON_ALL = "time to run Python workers"
"""Despite its name, it includes the other two."""


@dataclass
class Stage:
    """The sums over all attempts of a stage. Times in ms, sizes in bytes."""

    id: int
    name: str = ""
    submitted: int = 0
    completed: int = 0
    failure: str = ""
    tasks: int = 0
    """Task attempts."""
    planned: int = 0
    """Tasks without repeated attempts; 0 if the log does not contain it."""
    failed: int = 0
    failed_ms: int = 0
    killed: int = 0
    speculative: int = 0
    error: str = ""
    """The message of the last failed task, on one line."""
    task_ms: int = 0
    """Time from the launches of tasks to their ends, including Spark's overhead at both ends."""
    run_ms: int = 0
    gc_ms: int = 0
    last_launch: int = 0
    """Last launch of a non-speculative task, in ms since 1970: at least one task waited until then."""
    longest_ms: int = 0
    longest: int = 0
    """The index of the longest task."""
    longest_read: int = 0
    """Bytes that the longest task read."""
    durations: Counter[int] = field(default_factory=Counter)
    memory_spilled: int = 0
    disk_spilled: int = 0
    peak_execution: int = 0
    input: int = 0
    output: int = 0
    shuffle_read: int = 0
    shuffle_written: int = 0
    largest: int = 0
    """Maximum bytes that a task read."""
    task_commit_ms: int = 0
    python_start_ms: int = 0
    """Time to start and initialize Python workers."""
    python_run_ms: int = 0
    """Remaining time of Python workers, including their wait for rows."""
    scans: set[int] = field(default_factory=set)
    """The scans that tasks of this stage ran."""
    divided: list[int] = field(default_factory=list)
    """Input bytes of each task, if the job divides files itself and reads them in Python."""
    rows: list[int] = field(default_factory=list)
    """Rows that each of these tasks read."""
    rejected: int = 0
    """Rows that these tasks rejected."""

    @property
    def partitions(self) -> int:
        """Tasks without repeated attempts."""
        return self.planned or sum(self.durations.values()) or self.tasks

    @property
    def median_ms(self) -> float:
        """The median duration of the successful tasks."""
        middle = (sum(self.durations.values()) + 1) // 2
        for step, count in sorted(self.durations.items()):
            middle -= count
            if middle <= 0:
                return 2 ** (step / _PER_OCTAVE) - 1
        return 0.0

    @property
    def read(self) -> int:
        """Bytes that the tasks read from files and shuffles."""
        return self.input + self.shuffle_read

    @property
    def span_ms(self) -> int:
        """Time from the first submission to the last end."""
        return max(0, self.completed - self.submitted) if self.submitted else 0


@dataclass
class Executor:
    """An executor: its cores, and its start and end in ms since 1970."""

    cores: int
    added: int
    removed: int | None = None
    reason: str = ""
    host: str = ""


@dataclass
class Scan:
    """A scan of files that was executed."""

    location: str
    format: str
    size: int = 0
    """Size of the selected files, even if a limit or a column selection left parts of them unread."""


@dataclass
class TaskIntervals:
    """The time during which at least one task ran, as disjoint intervals in ms."""

    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def add(self, start: int, end: int) -> None:
        """Add a task. Tasks are reported when they end, so usually the last interval grows."""
        first = bisect.bisect_left(self.ends, start)
        last = bisect.bisect_right(self.starts, end)
        if first < last:
            start, end = min(start, self.starts[first]), max(end, self.ends[last - 1])
        self.starts[first:last] = [start]
        self.ends[first:last] = [end]

    @property
    def total(self) -> int:
        """The total length of the intervals."""
        return sum(self.ends) - sum(self.starts)

    def within(self, start: int, end: int) -> int:
        """The length of the intervals within two times."""
        pairs = zip(self.starts, self.ends, strict=True)
        return sum(max(0, min(end, last) - max(start, first)) for first, last in pairs)

    @property
    def gaps(self) -> list[int]:
        """The lengths of the gaps between the intervals."""
        return [start - end for end, start in zip(self.ends, self.starts[1:], strict=False)]


@dataclass
class Profile:
    """A run as recorded in its log."""

    application_id: str = ""
    name: str = ""
    spark_version: str = ""
    started: int = 0
    ended: int = 0
    """The end of the application, or the last known time if the end is missing."""
    complete: bool = False
    properties: dict[str, str] = field(default_factory=dict)
    executors: dict[str, Executor] = field(default_factory=dict)
    stages: dict[int, Stage] = field(default_factory=dict)
    busy: TaskIntervals = field(default_factory=TaskIntervals)
    peak_heap: int = 0
    peak_process: int = 0
    peak_python: int = 0
    job_commits: dict[int, int] = field(default_factory=dict)
    """Commit times in ms, by accumulator."""
    parquet_commits: set[int] = field(default_factory=set)
    """Those of the commits that wrote Parquet."""
    scans: dict[int, Scan] = field(default_factory=dict)
    """Scans by accumulator of their node. A node in several plans, such as of cached data, is one scan."""
    _scan_of_rows: dict[int, int] = field(default_factory=dict)
    """Scans by accumulator of their rows, which is updated in the stage that runs the scan."""
    _counted: dict[int, int] = field(default_factory=dict)
    """Values by accumulator; a node that several stages run continues to count."""

    @property
    def settings(self) -> Settings:
        """The settings in effect."""
        return Settings(self.properties, self.spark_version)

    @property
    def runs_in_driver(self) -> bool:
        """Whether tasks run in the driver (`local`), which makes settings of executors ineffective."""
        return "driver" in self.executors

    @property
    def hosts(self) -> set[str]:
        """The hosts of the executors."""
        return {executor.host for executor in self.executors.values()}

    @property
    def task_slots(self) -> int:
        """The maximum number of concurrent tasks."""
        return int(self.cores / max(1, self.settings.number("spark.task.cpus")))

    @property
    def cores(self) -> int:
        """The maximum number of executor cores at the same time."""
        changes = [(executor.added, executor.cores) for executor in self.executors.values()]
        changes += [
            (executor.removed, -executor.cores)
            for executor in self.executors.values()
            if executor.removed is not None
        ]
        now = most = 0
        for _, cores in sorted(changes):
            now += cores
            most = max(most, now)
        return most

    @property
    def executors_at_once(self) -> list[Executor]:
        """The largest set of executors at the same time; a replacement of a lost executor adds none."""
        changes = [(executor.added, 1, name) for name, executor in self.executors.items()]
        changes += [
            (executor.removed, 0, name)
            for name, executor in self.executors.items()
            if executor.removed is not None
        ]
        alive: dict[str, Executor] = {}
        most: list[Executor] = []
        for _, is_added, name in sorted(changes):
            if not is_added:
                alive.pop(name, None)
                continue
            alive[name] = self.executors[name]
            if len(alive) > len(most):
                most = list(alive.values())
        return most

    @property
    def capacity_ms(self) -> float:
        """The run time that was available on the executors while tasks ran."""
        cores = sum(
            executor.cores * self.busy.within(executor.added, executor.removed or self.ended)
            for executor in self.executors.values()
        )
        return cores / max(1, self.settings.number("spark.task.cpus"))

    @property
    def memory_setting(self) -> str:
        """The name of the setting for the heap in which tasks run."""
        return f"spark.{'driver' if self.runs_in_driver else 'executor'}.memory"

    @property
    def run_ms(self) -> int:
        """The run time that the tasks used."""
        return sum(stage.run_ms for stage in self.stages.values())

    @property
    def busy_until(self) -> int:
        """The end of the last task, in ms since 1970."""
        return self.busy.ends[-1] if self.busy.ends else self.started

    @property
    def driver_ms(self) -> int:
        """The time during which no task ran."""
        return max(0, self.ended - self.started - self.busy.total)

    def stage(self, number: int) -> Stage:
        """Return a stage; create it if it is not known."""
        if number not in self.stages:
            self.stages[number] = Stage(number)
        return self.stages[number]


def read(source: str | Path, s3: "S3Client | None" = None) -> Profile:
    """Return the profile of an event log; see `reading.lines` for possible sources.

    Raises:
        EventLogError: there is no log, it is damaged, or it contains no start of an application.
    """
    run = profile(events.parse(lines(source, s3), source))
    if not run.started:
        raise EventLogError(
            f"{source} ends before the application starts: it holds no run yet",
            hint="Wait until the job has started, then run the command again",
        )
    return run


def profile(parsed: Iterable[Event]) -> Profile:
    """Return the profile of a run from its events."""
    run = Profile()
    for event in parsed:
        take(run, event)
    return run


def take(run: Profile, event: Event) -> None:  # noqa: C901, PLR0912 -- a table of events
    """Add the content of an event to a run."""
    match event:
        case events.TaskEnd():
            _apply_task(run, event)
        case events.StageSubmitted():
            if sizes := event.properties.get(INPUT_BYTES):
                run.stage(event.info.stage).divided = _numbers(sizes)
        case events.JobStart():
            if rows := event.properties.get(INPUT_ROWS):
                _apply_rows(run, _numbers(rows), _numbers(event.properties.get(REJECTED_ROWS, "")))
        case events.StageCompleted():
            _apply_stage(run, event.info)
        case events.ApplicationStart():
            run.application_id, run.name, run.started = event.id or "", event.name, event.time
            run.ended = max(run.ended, event.time)
        case events.ApplicationEnd():
            run.ended, run.complete = max(run.ended, event.time), True
        case events.ExecutorAdded():
            run.executors[event.executor] = Executor(event.info.cores, event.time, host=event.info.host)
            run.ended = max(run.ended, event.time)
        case events.ExecutorRemoved():
            if event.executor in run.executors:
                run.executors[event.executor].removed = event.time
                run.executors[event.executor].reason = event.reason
        case events.StageExecutorMetrics():
            if event.executor in run.executors:  # the driver is one only if tasks run in it
                _apply_peaks(run, event.peaks)
        case events.SqlStart() | events.SqlUpdate():
            _apply_plan(run, event.plan)
        case events.DriverUpdates():
            for accumulator, value in event.updates:
                if accumulator in run.scans:
                    run.scans[accumulator].size = max(run.scans[accumulator].size, value)
                elif accumulator in run.job_commits:
                    run.job_commits[accumulator] = max(run.job_commits[accumulator], value)
        case events.EnvironmentUpdate():
            run.properties = event.properties
        case events.LogStart():
            run.spark_version = event.spark


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number.isdecimal()]


def _apply_rows(run: Profile, rows: list[int], rejected: list[int]) -> None:
    """Add the rows of tasks to the newest stage with as many tasks."""
    for stage in reversed(run.stages.values()):
        if len(stage.divided) == len(rows):
            stage.rows, stage.rejected = rows, sum(rejected)
            return


def _apply_task(run: Profile, event: events.TaskEnd) -> None:
    stage, info, metrics = run.stage(event.stage), event.info, event.metrics
    stage.tasks += 1
    stage.speculative += info.speculative
    run.ended = max(run.ended, info.finished)
    run.busy.add(info.launched, max(info.launched, info.finished))
    if not info.speculative:
        stage.last_launch = max(stage.last_launch, info.launched)
    if event.peaks is not None:
        _apply_peaks(run, event.peaks)
    took = max(0, info.finished - info.launched)
    stage.task_ms += took
    if event.reason.reason in _KILLED:
        stage.killed += 1
    elif event.reason.reason != "Success":
        stage.failed += 1
        stage.failed_ms += took
        stage.error = _one_line(event.reason)
    if metrics is None:
        return
    scanned = metrics.input.read
    if not scanned and info.index < len(stage.divided):
        scanned = stage.divided[info.index]
    read = scanned + metrics.shuffle_read.remote + metrics.shuffle_read.local
    stage.run_ms += metrics.run_ms
    stage.gc_ms += metrics.gc_ms
    stage.memory_spilled += metrics.memory_spilled
    stage.disk_spilled += metrics.disk_spilled
    stage.peak_execution = max(stage.peak_execution, metrics.peak_execution)
    stage.input += scanned
    stage.output += metrics.output.written
    stage.shuffle_read += metrics.shuffle_read.remote + metrics.shuffle_read.local
    stage.shuffle_written += metrics.shuffle_write.written
    stage.largest = max(stage.largest, read)
    if event.reason.reason == "Success":
        if took >= stage.longest_ms:
            stage.longest_ms, stage.longest, stage.longest_read = took, info.index, read
        stage.durations[round(math.log2(took + 1) * _PER_OCTAVE)] += 1


def _one_line(reason: events.EndReason) -> str:
    """Return why a task ended: the last line of a Python traceback, or the first line of other messages."""
    text = (reason.description or reason.loss).strip()
    reported_lines = text.splitlines() or [""]
    text = reported_lines[-1] if text.startswith("Traceback") else reported_lines[0]
    return ": ".join(part for part in (reason.class_name.rpartition(".")[2] or reason.reason, text) if part)


def _apply_peaks(run: Profile, peaks: events.ExecutorMetrics) -> None:
    run.peak_heap = max(run.peak_heap, peaks.heap)
    run.peak_process = max(run.peak_process, peaks.process)
    run.peak_python = max(run.peak_python, peaks.python)


def _apply_stage(run: Profile, info: events.StageInfo) -> None:
    stage = run.stage(info.stage)
    stage.name = info.name
    stage.submitted = min(stage.submitted or info.submitted or 0, info.submitted or stage.submitted)
    stage.completed = max(stage.completed, info.completed or 0)
    stage.failure = info.failure or ""
    run.ended = max(run.ended, stage.completed)
    stage.planned = max(stage.planned, info.tasks)
    times = Counter[str]()
    for accumulable in info.accumulables:
        if accumulable.id in run._scan_of_rows:
            stage.scans.add(run._scan_of_rows[accumulable.id])
        if accumulable.name in {_TASK_COMMIT, _PYTHON_START, _PYTHON_INITIALIZE, _PYTHON_ALL}:
            value = int(accumulable.value)
            times[accumulable.name] += value - run._counted.get(accumulable.id, 0)
            run._counted[accumulable.id] = value
    started = times[_PYTHON_START] + times[_PYTHON_INITIALIZE]
    stage.task_commit_ms += times[_TASK_COMMIT]
    stage.python_start_ms += started
    stage.python_run_ms += max(0, times[_PYTHON_ALL] - started)


def _apply_plan(run: Profile, plan: events.PlanNode) -> None:
    for node in _nodes(plan):
        accumulators = {metric.name: metric.accumulator for metric in node.metrics}
        if _JOB_COMMIT in accumulators:
            run.job_commits.setdefault(accumulators[_JOB_COMMIT], 0)
            if ", Parquet," in node.description:
                run.parquet_commits.add(accumulators[_JOB_COMMIT])
        if _FILES_READ in accumulators and "Location" in node.metadata:
            number = accumulators[_FILES_READ]
            run.scans.setdefault(number, Scan(node.metadata["Location"], node.metadata.get("Format", "")))
            if _ROWS in accumulators:
                run._scan_of_rows[accumulators[_ROWS]] = number


def _nodes(plan: events.PlanNode) -> Iterator[events.PlanNode]:
    """Yield the nodes of a plan, without recursion, so that a deep plan does not reach Python's limit."""
    pending = [plan]
    while pending:
        node = pending.pop()
        yield node
        pending += node.children
