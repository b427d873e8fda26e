"""The metrics of a training job, extracted from its log."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from helpers.local_aws.api.response import Response


class MetricReader:
    """Keeps the last value of each metric."""

    def __init__(self, definitions: Sequence[Mapping[str, str]]):
        """Args: definitions: Name and Regex; its first group is the value, and `#011` stands for a tab."""
        self._patterns = {
            each["Name"]: re.compile(each["Regex"].replace("#011", r"\t")) for each in definitions
        }
        self._values: dict[str, tuple[float, datetime]] = {}

    def read(self, line: str) -> None:
        """Process a line of the log."""
        for name, pattern in self._patterns.items():
            if match := pattern.search(line):
                try:
                    self._values[name] = (float(match[1]), datetime.now(UTC))
                except ValueError:  # not a number: CloudWatch accepts only numbers
                    continue

    def final(self) -> list[Response]:
        """Return the metrics for `FinalMetricDataList`."""
        return [
            {"MetricName": name, "Value": value, "Timestamp": moment}
            for name, (value, moment) in self._values.items()
        ]
