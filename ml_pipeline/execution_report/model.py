"""The report of an execution as plain data. `missing` lists what cannot be shown, with reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum

NOT_STARTED = "NotStarted"
"""The status of a step that SageMaker does not list yet; its own are spelled as in the API."""


class Phase(Enum):
    """What a step did in a part of its time."""

    WAITING = "waiting for earlier steps"
    STARTING = "starting instances"
    RUNNING = "running"
    FAILED = "failed attempt"
    RETRYING = "waiting to retry"


@dataclass(frozen=True)
class Span:
    """A part of a step's time; `ended` is None while it lasts."""

    phase: Phase
    started: datetime
    ended: datetime | None


@dataclass(frozen=True)
class Link:
    """Where to read on: a page in a browser, or a command if there is no page."""

    text: str
    url: str = ""
    command: str = ""


@dataclass(frozen=True)
class Output:
    """A data set that a job reports to have written."""

    name: str
    folder: str
    rows: int
    files: int
    format: str


@dataclass(frozen=True)
class Check:
    """A check that a job reports."""

    name: str
    expected: str
    actual: str
    holds: bool


@dataclass(frozen=True)
class RejectedFile:
    """The rows that were rejected of one input file, among those that were looked at."""

    file: str
    reasons: Mapping[str, int]
    """Rows by reason, the most frequent first."""
    examples: tuple[tuple[str, str], ...]
    """The first line of each of the most frequent reasons, with that reason; long lines are cut."""

    @property
    def rows(self) -> int:
        """The rows of all reasons."""
        return sum(self.reasons.values())


@dataclass(frozen=True)
class Rejected:
    """Rejected rows by input file."""

    read: int
    """The rows that were looked at."""
    total: int
    """The rows that the job reports."""
    files: tuple[RejectedFile, ...]


@dataclass(frozen=True)
class Histogram:
    """Rows by bins of equal width, from `low` to `high`."""

    low: str
    high: str
    counts: tuple[int, ...]
    previous: tuple[int, ...] | None = None
    """Those of the previous run, in the same bins."""


@dataclass(frozen=True)
class Frequency:
    """How often a value occurs, as a share from 0 to 1 of the rows that are not NULL."""

    value: str
    share: float
    previous: float | None = None


@dataclass(frozen=True)
class Figures:
    """The figures of a column in one run; texts are empty where the type has no such figure."""

    null_share: float
    minimum: str = ""
    mean: str = ""
    maximum: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a data set: a histogram where it has an order, else its most frequent values."""

    name: str
    type: str
    figures: Figures
    previous: Figures | None = None
    """None where the previous run has no such column of the same type."""
    histogram: Histogram | None = None
    frequencies: tuple[Frequency, ...] = ()


@dataclass(frozen=True)
class DataSet:
    """The columns of an output, from a sample of its rows."""

    name: str
    rows: int
    sampled_rows: int
    columns: tuple[Column, ...]
    columns_left_out: int = 0
    has_previous: bool = False


@dataclass(frozen=True)
class Executor:
    """An executor's life, in seconds since the application started."""

    name: str
    cores: int
    started: float
    ended: float
    lost: str = ""
    """Why it was removed before the end, where it was."""


@dataclass(frozen=True)
class Stage:
    """A stage of Spark. Times in seconds since the application started, sizes in bytes."""

    id: int
    name: str
    started: float
    ended: float
    tasks: int
    failed_tasks: int
    median_task: float
    longest_task: float
    read: int
    shuffled: int
    written: int
    spilled: int


@dataclass(frozen=True)
class Finding:
    """Something that a run lost time or safety with, and what to change."""

    kind: str
    where: str
    evidence: str
    change: str
    effect: str
    settings: tuple[tuple[str, str, str], ...] = ()
    """Property, value to try, present value."""
    seconds: float = 0.0
    """Wall-clock at stake, at most."""


@dataclass(frozen=True)
class SparkRun:
    """What the event log of a job shows."""

    application_id: str
    version: str
    seconds: float
    cores: int
    allocation: str
    """Requested and granted executors in words; empty where no number was requested."""
    complete: bool
    """False where the log has no end."""
    time: Mapping[str, float]
    """Where the wall-clock went: seconds by activity; they add up to `seconds`."""
    core_time: Mapping[str, float]
    """Where the time of the cores went, in core-seconds by activity."""
    busy: tuple[tuple[float, float], ...]
    """When at least one task ran."""
    executors: tuple[Executor, ...]
    stages: tuple[Stage, ...]
    """Those that took longest, by their start."""
    stages_left_out: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Cost:
    """An estimate in USD; None where a price is not known."""

    usd: float | None
    basis: str


@dataclass(frozen=True)
class Step:
    """A step of the execution, with its job; of a reused result the job is that of the earlier execution."""

    name: str
    status: str
    after: tuple[str, ...] = ()
    """The steps that it depends on."""
    attempts: int = 0
    spans: tuple[Span, ...] = ()
    failure_reason: str = ""
    exception: str = ""
    reused_from: str = ""
    cost: Cost | None = None
    rows_in: int | None = None
    rows_rejected: int | None = None
    outputs: tuple[Output, ...] = ()
    checks: tuple[Check, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    """The job's own timings by phase."""
    results: tuple[tuple[str, str], ...] = ()
    """What a step without a report came to, by what it is: artifacts, metrics, a model package."""
    rejected: Rejected | None = None
    data_sets: tuple[DataSet, ...] = ()
    spark: SparkRun | None = None
    image: str = ""
    code: tuple[str, ...] = ()
    """URIs of the code files."""
    packages: tuple[str, ...] = ()
    """Pinned packages and jars of the step."""
    links: tuple[Link, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def ended(self) -> datetime | None:
        """When its last span ended."""
        return self.spans[-1].ended if self.spans else None

    def seconds_in(self, *phases: Phase) -> float:
        """Return how long it was in some phases, as far as they are over."""
        return sum(
            (span.ended - span.started).total_seconds()
            for span in self.spans
            if span.phase in phases and span.ended
        )

    @property
    def took(self) -> float:
        """Seconds without the waiting for earlier steps."""
        return self.seconds_in(*(phase for phase in Phase if phase is not Phase.WAITING))


@dataclass(frozen=True)
class Provenance:
    """Where the executed definition comes from."""

    version: int
    commit: str
    code_hash: str
    definition_hash: str
    upserted: datetime
    upserted_by: str
    rolled_back_to: int | None = None


@dataclass(frozen=True)
class Difference:
    """Something that the previous run had otherwise; an empty step is the whole execution."""

    step: str
    what: str
    previous: str
    now: str


@dataclass(frozen=True)
class Previous:
    """The execution that this one is compared with."""

    arn: str
    started: datetime
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class ExecutionReport:
    """An execution with all that is known of it."""

    environment: str
    pipeline: str
    arn: str
    status: str
    started: datetime
    ended: datetime | None
    written: datetime
    """When this report was collected."""
    steps: tuple[Step, ...]
    failure_reason: str = ""
    started_by: str = ""
    cost: Cost | None = None
    prices_region: str = ""
    prices_as_of: date | None = None
    provenance: Provenance | None = None
    previous: Previous | None = None
    links: tuple[Link, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def execution_id(self) -> str:
        """The last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def seconds(self) -> float:
        """From its start to its end, or until the report was written."""
        return max(0.0, ((self.ended or self.written) - self.started).total_seconds())
