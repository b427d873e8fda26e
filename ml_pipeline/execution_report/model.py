"""The data model of the report of an execution. `missing` lists what the report lacks, with reasons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum

NOT_STARTED = "NotStarted"
"""The status of a step that SageMaker does not list yet. All other statuses are those of the API."""


class Phase(Enum):
    """What a step does during a span."""

    WAITING = "waiting for earlier steps"
    STARTING = "starting instances"
    RUNNING = "running"
    FAILED = "failed attempt"
    RETRYING = "waiting to retry"


@dataclass(frozen=True)
class Span:
    """A part of a step's timeline. `ended` is None while the step is in this phase."""

    phase: Phase
    started: datetime
    ended: datetime | None


@dataclass(frozen=True)
class Link:
    """A link to a page, or a command if there is no page."""

    text: str
    url: str = ""
    command: str = ""


@dataclass(frozen=True)
class Output:
    """A data set in a job report."""

    name: str
    folder: str
    rows: int
    files: int
    format: str


@dataclass(frozen=True)
class Check:
    """A check in a job report."""

    name: str
    expected: str
    actual: str
    holds: bool


@dataclass(frozen=True)
class RejectedFile:
    """The rejected rows of one input file, among those that were read for the report."""

    file: str
    reasons: Mapping[str, int]
    """The number of rows for each reason, the most frequent one first."""
    examples: tuple[tuple[str, str], ...]
    """The first line for each of the most frequent reasons, with the reason. Long lines are truncated."""

    @property
    def rows(self) -> int:
        """The number of rows with any reason."""
        return sum(self.reasons.values())


@dataclass(frozen=True)
class Rejected:
    """Rejected rows by input file."""

    read: int
    """The number of rows that were read for the report."""
    total: int
    """The number of rows in the job report."""
    files: tuple[RejectedFile, ...]


@dataclass(frozen=True)
class Histogram:
    """The number of rows in bins of equal width from `low` to `high`."""

    low: str
    high: str
    counts: tuple[int, ...]
    previous: tuple[int, ...] | None = None
    """The number of rows of the previous run in the same bins."""


@dataclass(frozen=True)
class Frequency:
    """The frequency of a value, as a fraction from 0 to 1 of the rows that are not NULL."""

    value: str
    share: float
    previous: float | None = None


@dataclass(frozen=True)
class Figures:
    """Summary statistics of a column in one run. Texts are empty if they do not apply to the type."""

    null_share: float
    minimum: str = ""
    mean: str = ""
    maximum: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a data set: a histogram of numbers or times, or the most frequent values of texts."""

    name: str
    type: str
    figures: Figures
    previous: Figures | None = None
    """None if the previous run has no column of this name and kind."""
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
    """An executor. Times are in seconds since the start of the application."""

    name: str
    cores: int
    started: float
    ended: float
    lost: str = ""
    """The reason why it was removed before the end of the application; otherwise, an empty string."""


@dataclass(frozen=True)
class Stage:
    """A Spark stage. Times are in seconds since the start of the application, sizes in bytes."""

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
    """A finding about a Spark run: what costs time or risks failure, and the recommended change."""

    kind: str
    where: str
    evidence: str
    change: str
    effect: str
    settings: tuple[tuple[str, str, str], ...] = ()
    """Property, recommended value, current value."""
    seconds: float = 0.0
    """Upper bound of the wall-clock time that the change saves."""


@dataclass(frozen=True)
class SparkRun:
    """The analysis of a Spark event log."""

    application_id: str
    version: str
    seconds: float
    cores: int
    allocation: str
    """Requested and granted executors as text; empty if no number was requested."""
    complete: bool
    """Whether the log contains the end of the application."""
    time: Mapping[str, float]
    """Wall-clock time in seconds by activity. The sum is `seconds`."""
    core_time: Mapping[str, float]
    """Core time in core-seconds by activity."""
    busy: tuple[tuple[float, float], ...]
    """Intervals in which at least one task ran: start and end in seconds."""
    executors: tuple[Executor, ...]
    stages: tuple[Stage, ...]
    """The longest stages, in the order of their start."""
    stages_left_out: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Cost:
    """An estimate in USD, and how it was computed. `usd` is None if a price is unknown."""

    usd: float | None
    basis: str


@dataclass(frozen=True)
class Step:
    """A step with its job. If the result was reused, the job is that of the earlier execution."""

    name: str
    status: str
    after: tuple[str, ...] = ()
    """Names of the steps that this step depends on."""
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
    """The timings in the job report, by phase."""
    results: tuple[tuple[str, str], ...] = ()
    """Name and value of results without a job report, such as artifacts, metrics and model packages."""
    rejected: Rejected | None = None
    data_sets: tuple[DataSet, ...] = ()
    spark: SparkRun | None = None
    image: str = ""
    code: tuple[str, ...] = ()
    """URIs of the code files."""
    packages: tuple[str, ...] = ()
    """Requirements with versions, and jars."""
    links: tuple[Link, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def ended(self) -> datetime | None:
        """The end of the last span."""
        return self.spans[-1].ended if self.spans else None

    def seconds_in(self, *phases: Phase) -> float:
        """Return the number of seconds in the given phases, without spans that have not ended."""
        return sum(
            (span.ended - span.started).total_seconds()
            for span in self.spans
            if span.phase in phases and span.ended
        )

    @property
    def took(self) -> float:
        """The duration in seconds, without waiting for earlier steps."""
        return self.seconds_in(*(phase for phase in Phase if phase is not Phase.WAITING))


@dataclass(frozen=True)
class Provenance:
    """The origin of the executed definition."""

    version: int
    commit: str
    code_hash: str
    definition_hash: str
    upserted: datetime
    upserted_by: str
    rolled_back_to: int | None = None


@dataclass(frozen=True)
class Difference:
    """A difference from the previous run. `step` is empty for a difference of the whole execution."""

    step: str
    what: str
    previous: str
    now: str


@dataclass(frozen=True)
class Previous:
    """The execution with which this one is compared."""

    arn: str
    started: datetime
    differences: tuple[Difference, ...]


@dataclass(frozen=True)
class ExecutionReport:
    """An execution, with everything that the report shows."""

    environment: str
    pipeline: str
    arn: str
    status: str
    started: datetime
    ended: datetime | None
    written: datetime
    """The time when this report was collected."""
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
        """The execution ID, the last part of the ARN."""
        return self.arn.rpartition("/")[2]

    @property
    def seconds(self) -> float:
        """The duration from the start to the end, or until the report was written."""
        return max(0.0, ((self.ended or self.written) - self.started).total_seconds())
