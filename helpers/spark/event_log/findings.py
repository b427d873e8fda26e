"""What to change, by the profile of a run: each finding with evidence, a setting and its effect.

The thresholds are those of Spark's tuning guide and of the EMR best practices where these give one (tasks of
100 to 200 ms as the least, partitions of about 128 MB, garbage collection below a tenth of the run time), and
otherwise ours: what costs less than a second or a twentieth of the run is not worth a line.

No finding promises more than the tasks and the driver have spent by the log's own metrics, and none asks for
a setting that was in effect.
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
    """Return what is to be changed, the most time first."""
    found = [_without_effective(run, finding) for rule in RULES for finding in rule(run)]
    return sorted(found, key=lambda finding: -finding.seconds)


def _without_effective(run: Profile, finding: Finding) -> Finding:
    """Return a finding without the settings that have the values it asks for already."""
    settings = run.settings
    new = {name: value for name, value in finding.settings.items() if not settings.is_in_effect(name, value)}
    return replace(finding, settings=new)
