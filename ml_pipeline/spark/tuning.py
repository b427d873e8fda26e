"""Tunes Spark: runs the pipeline, reads the event log, tries a setting, and keeps it if it is faster."""

import json
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console

from helpers.command_line import print_line
from helpers.errors import UserError, explain
from helpers.progress import progress
from helpers.spark.event_log.configuration import CLASSIFICATION, updated
from helpers.spark.event_log.findings import findings
from helpers.spark.event_log.profile import read
from helpers.spark.event_log.rules.finding import Finding
from helpers.spark.event_log.summary import summary_of
from ml_pipeline.executions.executions import start
from ml_pipeline.executions.waiting import wait
from ml_pipeline.params.spark_code import CONFIGURATION, FOLDER
from ml_pipeline.project import Project, open_project
from ml_pipeline.releases.upsert import upsert_all
from ml_pipeline.spark import trials
from ml_pipeline.spark.event_logs import newest_log, reject_unknown_step

LEAST_GAIN = 0.03
"""Minimum relative gain. A smaller gain does not justify another setting to maintain."""


_RUN = "run of the pipeline"


class RunFailedError(UserError):
    """An execution did not succeed."""


@dataclass(frozen=True)
class Measurement:
    """The duration of a Spark application in seconds, and the findings in its event log."""

    seconds: float
    findings: Sequence[Finding]


Measure = Callable[[str], Measurement]
"""A function that runs the pipeline with the text of a configuration.json."""


def tune(project: Project, console: Console, step: str | None, rounds: int, pairs: int) -> int:
    """Tune the Spark configuration of a step for the data of an environment.

    If the tuning is interrupted, the file and the pipeline are restored. After SIGKILL, the next call
    restores the file.

    Args:
        project: the pipeline.
        console: the console for progress.
        step: the name of the step; by default, the last one.
        rounds: maximum number of changes to try.
        pairs: number of runs of both configurations in each round.

    Returns:
        The exit code, 0.

    Raises:
        UserError: the environment does not allow trials, or the pipeline fails with the current settings.
    """
    environment = project.environment
    if environment.settings.sample_data == "never":
        raise UserError(
            f"tune runs the pipeline with trial settings, which {environment} does not allow "
            "(SampleData is never)",
            hint="Tune in another environment with: make tune ENV=dev",
        )
    name = step or list(project.parameters.spark_steps)[-1]
    reject_unknown_step(project, name)
    configuration = FOLDER / project.parameters.spark_steps[name].configuration_file
    if trials.restore(configuration):
        print_line(
            console, f"Restored {configuration}: it contained trial settings of a tuning that was killed."
        )
    original = configuration.read_text(encoding="utf-8")

    def show(line: str) -> None:
        print_line(console, line)

    def apply(text: str) -> Project:
        if text != configuration.read_text(encoding="utf-8"):
            trials.write_trial(configuration, original, text)
        changed = open_project(environment, project.pipeline.name)
        upsert_all([changed], Console(quiet=True))
        return changed

    def measure(text: str) -> Measurement:
        with steps.step(_RUN):
            return _measured(apply(text), name, console)

    most = 1 + 2 * rounds * pairs
    try:
        with progress("tune", f"{environment} {project.pipeline.name}", [_RUN] * most, console) as steps:
            best = search(measure, original, rounds, pairs, show)
    except BaseException:
        show(f"Restoring {configuration}.")
        upsert = project.target.command("upsert")
        try:
            apply(original)
        except KeyboardInterrupt as error:
            error.add_note(f"The pipeline still has trial settings. Register it again with: {upsert}")
            raise
        except Exception as error:
            cause = explain(error)
            raise UserError(
                f"{cause.message if cause else error}; the pipeline still has trial settings",
                hint=f"Register the configuration again with: {upsert}",
            ) from error
        finally:
            trials.end_trials(configuration)
        raise
    apply(best)
    trials.end_trials(configuration)
    show(f"{configuration}: {'unchanged, nothing was faster' if best == original else 'updated'}.")
    return 0


def search(measure: Measure, text: str, rounds: int, pairs: int, show: Callable[[str], None]) -> str:
    """Return the text of the fastest configuration.

    Each round tries the untried finding with the largest potential gain. It runs the current and the changed
    configuration alternately, so that a change in the speed of the machine affects both.

    Args:
        measure: runs a configuration.
        text: the current configuration.
        rounds: maximum number of changes to try.
        pairs: number of runs of both configurations in each round.
        show: prints a line.

    Raises:
        RunFailedError: the pipeline fails with the current configuration.
    """
    now = measure(text)
    show(f"Current settings: {now.seconds:.1f} s")
    tried: set[str] = set()
    for number in range(1, rounds + 1):
        finding = next_change(now.findings, text, tried)
        if finding is None:
            show("No other finding can be resolved by a setting.")
            break
        tried.add(_key(finding.settings))
        change = ", ".join(f"{name} = {value}" for name, value in finding.settings.items())
        show(f"Round {number}, {finding.kind}: {change}")
        candidate = updated(text, finding.settings, CONFIGURATION)
        ratios = []
        for _ in range(pairs):
            before = measure(text)
            try:
                changed = measure(candidate)
            except RunFailedError as error:
                show(f"  {error.message}")
                ratios.append(math.inf)
                break
            ratios.append(changed.seconds / before.seconds)
            show(f"  {before.seconds:.1f} s before, {changed.seconds:.1f} s after, ratio {ratios[-1]:.2f}")
        if is_gain(ratios):
            show(f"  kept: the median ratio is {statistics.median(ratios):.2f}")
            text, now = candidate, changed
        else:
            show("  not kept: no gain beyond noise")
    return text


def next_change(found: Sequence[Finding], text: str, tried: set[str]) -> Finding | None:
    """Return the first untried finding with a potential gain and changed settings, or None."""
    present = _properties(text)
    for finding in found:
        new = any(present.get(name) != value for name, value in finding.settings.items())
        if finding.seconds > 0 and new and _key(finding.settings) not in tried:
            return finding
    return None


def is_gain(ratios: Sequence[float]) -> bool:
    """Return whether a change is faster, given the ratios of its durations to the current ones.

    All ratios must be below 1, and their median below 1 - `LEAST_GAIN`.
    """
    return bool(ratios) and max(ratios) < 1 and statistics.median(ratios) < 1 - LEAST_GAIN


def _key(settings: Mapping[str, str]) -> str:
    return json.dumps(settings, sort_keys=True)


def _properties(text: str) -> dict[str, str]:
    """Return the properties of spark-defaults in a configuration.json."""
    document = json.loads(text)
    return {
        name: value
        for entry in (document if isinstance(document, list) else [document])
        if entry.get("Classification") == CLASSIFICATION
        for name, value in entry.get("Properties", {}).items()
    }


def _measured(project: Project, step: str, console: Console) -> Measurement:
    """Run the pipeline, and read the event log of a step.

    Raises:
        RunFailedError: the execution did not succeed.
    """
    session = project.session
    arn = start(session, project.target, use_cache=False)
    snapshot, interrupted = wait(session, arn, project.target, console)
    if interrupted:
        raise KeyboardInterrupt
    if snapshot.status != "Succeeded":
        reason = next((each.failure_reason for each in snapshot.steps if each.failure_reason), "")
        raise RunFailedError(
            f"{arn} is {snapshot.status}: {reason or snapshot.failure_reason}",
            hint=f"Read its log with: {project.target.command('logs', ARGS=f'--execution {arn}')}",
        )
    run = read(newest_log(project, arn, step).uri, session.client("s3"))
    return Measurement(summary_of(run).seconds, findings(run))
