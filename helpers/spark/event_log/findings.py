"""Recommends changes from the profile of a run: each finding has evidence, a setting and its effect.

The thresholds are from Spark's tuning guide and the EMR best practices (tasks of at least 100 to 200 ms,
partitions of about 128 MB, garbage collection below a tenth of the run time). Otherwise, they are our own: a
loss of less than a second or a twentieth of the run is not reported.

No finding promises more than the time that tasks and driver spent according to the log, and none recommends a
setting that was already in effect.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

from helpers.spark.event_log.profile import Profile
from helpers.spark.event_log.rules import allocation, driver, executors, partitions, python
from helpers.spark.event_log.rules.finding import Finding

RULES: tuple[Callable[[Profile], Iterator[Finding]], ...] = (
    allocation.executors_not_granted,
    allocation.dynamic_executors_not_granted,
    partitions.spill,
    partitions.skew,
    executors.garbage_collection,
    partitions.idle_cores,
    partitions.small_partitions,
    partitions.large_partitions,
    executors.failed_tasks,
    executors.failed_stages,
    executors.speculative_tasks,
    executors.executor_loss,
    executors.memory,
    driver.driver,
    driver.commit,
    driver.repeated_scans,
    python.worker_starts,
    python.functions,
)


def findings(run: Profile) -> list[Finding]:
    """Return the findings, largest time first."""
    found = [_without_effective(run, finding) for rule in RULES for finding in rule(run)]
    return sorted(found, key=lambda finding: -finding.seconds)


def _without_effective(run: Profile, finding: Finding) -> Finding:
    """Return a finding without the settings that already have the recommended values."""
    settings = run.settings
    new = {name: value for name, value in finding.settings.items() if not settings.is_in_effect(name, value)}
    return replace(finding, settings=new)
