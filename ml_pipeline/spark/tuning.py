"""The tuning loop: run the pipeline, read the event log, change one thing, run again, keep what is faster."""

import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from helpers.errors import UserError
from helpers.files import write_atomically
from helpers.spark.event_log.configuration import CLASSIFICATION, updated
from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.profile import read
from helpers.spark.event_log.rules.finding import Finding
from helpers.spark.event_log.summary import summary_of
from ml_pipeline import commands
from ml_pipeline.executions.executions import start
from ml_pipeline.executions.input_data import input_fingerprint
from ml_pipeline.executions.waiting import wait
from ml_pipeline.project import Project, open_project, say
from ml_pipeline.releases.staging import FOLDER
from ml_pipeline.spark.event_logs import newest_log

CONFIGURATION = FOLDER / "configuration.json"
LEAST_GAIN = 0.03
"""A share of the time: what saves less is not worth a setting that somebody must understand."""


class RunFailedError(UserError):
    """An execution did not succeed."""


@dataclass(frozen=True)
class Measurement:
    """A run: its time from the application's start to its end, and what its log says."""

    seconds: float
    findings: Sequence[Finding]


Measure = Callable[[str], Measurement]
"""Runs the pipeline with the text of a configuration.json."""


def tune(project: Project, console: Console, rounds: int, pairs: int) -> int:
    """Tune the configuration.json of this checkout for an environment's data.

    Whatever interrupts it, the file and the pipeline are put back as they were.

    Raises:
        UserError: the environment is none to try things in, or the pipeline does not run as it is.
    """
    if project.environment in {"staging", "prod"}:
        raise UserError(f"tune runs the pipeline with settings on trial: not in {project.environment}")
    original = CONFIGURATION.read_text(encoding="utf-8")

    def tell(line: str) -> None:
        say(console, line)

    def put(text: str) -> Project:
        if text != CONFIGURATION.read_text(encoding="utf-8"):
            write_atomically(CONFIGURATION, text)
        changed = open_project(project.environment)
        commands.upsert(changed, Console(quiet=True))
        return changed

    try:
        best = search(lambda text: _measured(put(text), console), original, rounds, pairs, tell)
    except BaseException:
        tell(f"Putting {CONFIGURATION} back as it was.")
        try:
            put(original)
        except Exception as error:
            mend = f"the pipeline still has settings on trial. Run: make upsert ENV={project.environment}"
            raise UserError(f"{error}; {mend}") from error
        raise
    put(best)
    tell(f"{CONFIGURATION} {'is as it was: nothing was faster' if best == original else 'holds what won'}.")
    return 0


def search(measure: Measure, text: str, rounds: int, pairs: int, tell: Callable[[str], None]) -> str:
    """Return the fastest configuration that was found, as the text of its file.

    Each round takes the finding with the most time at stake that was not tried yet, and runs the present
    configuration and the changed one in turn, so that a machine that grows slower speaks for neither.

    Args:
        measure: runs a configuration.
        text: the present one.
        rounds: changes to try at most.
        pairs: how many times both are run in each round.
        tell: takes a line about each round.

    Raises:
        RunFailedError: the present configuration does not run.
    """
    now = measure(text)
    tell(f"Now: {now.seconds:.1f} s")
    tried: set[str] = set()
    for number in range(1, rounds + 1):
        finding = next_change(now.findings, text, tried)
        if finding is None:
            tell("No finding is left that a setting may mend.")
            break
        tried.add(_key(finding.settings))
        told = ", ".join(f"{name} = {value}" for name, value in finding.settings.items())
        tell(f"Round {number}, {finding.kind}: {told}")
        candidate = updated(text, finding.settings, CONFIGURATION.name)
        ratios = []
        for _ in range(pairs):
            before = measure(text)
            try:
                changed = measure(candidate)
            except RunFailedError as error:
                tell(f"  {error}")
                ratios.append(math.inf)
                break
            ratios.append(changed.seconds / before.seconds)
            tell(f"  {before.seconds:.1f} s before, {changed.seconds:.1f} s after, ratio {ratios[-1]:.2f}")
        if is_gain(ratios):
            tell(f"  kept: the median ratio is {statistics.median(ratios):.2f}")
            text, now = candidate, changed
        else:
            tell("  not kept: no gain beyond noise")
    return text


def next_change(found: Sequence[Finding], text: str, tried: set[str]) -> Finding | None:
    """Return the first finding with time at stake whose settings are new, or None."""
    present = _properties(text)
    for finding in found:
        new = any(present.get(name) != value for name, value in finding.settings.items())
        if finding.seconds > 0 and new and _key(finding.settings) not in tried:
            return finding
    return None


def is_gain(ratios: Sequence[float]) -> bool:
    """Return whether a change is faster beyond noise, given the ratios of its time to that of the present.

    Every pair must agree, and the median must be below 1 by more than `LEAST_GAIN`.
    """
    return bool(ratios) and max(ratios) < 1 and statistics.median(ratios) < 1 - LEAST_GAIN


def _key(settings: Mapping[str, str]) -> str:
    return json.dumps(settings, sort_keys=True)


def _properties(text: str) -> dict[str, str]:
    """Return the properties of spark-defaults."""
    document = json.loads(text)
    return {
        name: value
        for entry in (document if isinstance(document, list) else [document])
        if entry.get("Classification") == CLASSIFICATION
        for name, value in entry.get("Properties", {}).items()
    }


def _measured(project: Project, console: Console) -> Measurement:
    """Run the pipeline to its end and read its event log."""
    session = project.session
    sagemaker, s3 = session.client("sagemaker"), session.client("s3")
    data = input_fingerprint(s3, project.parameters.pyspark_process_data_input, project.environment)
    arn = start(sagemaker, project.name, data, project.environment, use_cache=False)
    snapshot, interrupted = wait(sagemaker, session.client("logs"), arn, console)
    if interrupted:
        raise KeyboardInterrupt
    if snapshot.status != "Succeeded":
        reason = next((step.failure_reason for step in snapshot.steps if step.failure_reason), "")
        raise RunFailedError(f"{arn} is {snapshot.status}: {reason or snapshot.failure_reason}")
    run = read(newest_log(project, arn).uri, s3)
    return Measurement(summary_of(run).seconds, findings(run))
