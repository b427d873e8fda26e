"""The effective Spark settings of a run: those in its log, and otherwise Spark's defaults."""

import math
import re
from collections.abc import Mapping

_BYTES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}
_UNIT = {
    "spark.driver.memory": "m",
    "spark.executor.memory": "m",
    "spark.executor.memoryOverhead": "m",
    "spark.executor.minMemoryOverhead": "m",
    "spark.executor.pyspark.memory": "m",
}
"""The unit of a number without a unit, if it is not bytes."""
_MINUTE = 60_000
_MILLISECONDS = {"": 1, "ms": 1, "s": 1000, "m": _MINUTE, "min": _MINUTE, "h": 60 * _MINUTE}

_DEFAULTS = {
    "spark.driver.memory": "1g",
    "spark.dynamicAllocation.schedulerBacklogTimeout": "1s",
    "spark.eventLog.logStageExecutorMetrics": "false",
    "spark.executor.heartbeatInterval": "10s",
    "spark.executor.memory": "1g",
    "spark.executor.memoryOverheadFactor": "0.1",
    "spark.executor.metrics.pollingInterval": "0",
    "spark.executor.minMemoryOverhead": "384m",
    "spark.executor.processTreeMetrics.enabled": "false",
    "spark.python.worker.reuse": "true",
    "spark.speculation": "false",
    "spark.speculation.multiplier": "1.5",
    "spark.sql.adaptive.advisoryPartitionSizeInBytes": "64m",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.adaptive.skewJoin.enabled": "true",
    "spark.sql.adaptive.skewJoin.skewedPartitionFactor": "5",
    "spark.sql.adaptive.skewJoin.skewedPartitionThresholdInBytes": "256m",
    "spark.sql.files.maxPartitionBytes": "128m",
    "spark.sql.shuffle.partitions": "200",
    "spark.task.cpus": "1",
}
"""Defaults of Spark 3.2 and later."""
_CHANGED = {"spark.speculation.multiplier": ((4,), "3")}
"""Defaults that a later version changed: since which version, and the new value."""


class Settings:
    """The settings of a run.

    Args:
        properties: the settings in the log.
        version: the Spark version in the log.
    """

    def __init__(self, properties: Mapping[str, str], version: str = ""):
        self._properties = properties
        self._version = tuple(int(part) for part in re.findall(r"\d+", version)[:2])

    def text(self, name: str) -> str | None:
        """Return the value of a setting, or None if no default is known."""
        given = self._properties.get(name)
        if given is not None:
            return given
        since, changed = _CHANGED.get(name, ((), ""))
        return changed if since and self._version >= since else _DEFAULTS.get(name)

    def is_on(self, name: str) -> bool:
        """Return whether a boolean setting is true."""
        return (self.text(name) or "").strip().lower() == "true"

    def number(self, name: str) -> float:
        """Return a number; 0 if it is not set, not a number, or infinite."""
        try:
            number = float(self.text(name) or 0)
        except ValueError:
            return 0.0
        return number if math.isfinite(number) else 0.0

    def size(self, name: str) -> int:
        """Return a size in bytes; 0 if it is not set or not valid."""
        return _size(self.text(name) or "", _UNIT.get(name, "")) or 0

    def milliseconds(self, name: str) -> float:
        """Return a duration; 0 if it is not set or not valid."""
        match = re.fullmatch(r"(\d+)\s*([a-z]*)", (self.text(name) or "").strip().lower())
        return int(match[1]) * _MILLISECONDS.get(match[2], 0) if match else 0.0

    def is_in_effect(self, name: str, value: str) -> bool:
        """Return whether a setting has a value, in any notation."""
        present = self.text(name)
        if present is None:
            return False
        unit = _UNIT.get(name, "")
        return present.strip().lower() == value.lower() or (
            _size(present, unit) is not None and _size(present, unit) == _size(value, unit)
        )


def _size(text: str, unit: str) -> int | None:
    size = text.strip().lower()
    match = re.fullmatch(r"(\d+)\s*([kmgtp]?)i?b?", size)
    return int(match[1]) * _BYTES[match[2] or ("b" if size.endswith("b") else unit)] if match else None
