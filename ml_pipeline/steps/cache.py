"""Makes the results of steps reusable: adds the data to SageMaker's cache key.

The key of a processing step is its code, its arguments and its environment; the content behind an S3 URI is
not part of it (SageMaker developer guide, "Caching pipeline steps"). So a step's environment holds a
fingerprint of each input from outside the pipeline. An input from another step is named by the job that
wrote it: a job that ran again is another input, and one that was reused is the same.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ml_pipeline.params import PipelineParams

FINGERPRINT = "Fingerprint-"
"""Prefix of the names of pipeline parameters with fingerprints."""
FORCE_RUN_PARAMETER = "ForceRun"
"""A value that was never used before makes every step run; executions cannot disable SageMaker's cache."""
FORCE_RUN_VARIABLE = "FORCE_RUN"
FORCE_RUN_DEFAULT = "no"
OUTPUTS_VARIABLE = "OUTPUTS"
"""The variable with the names of a job's output options; other options with S3 URIs are inputs."""

_LONGEST_JOB_DAYS = 9
"""The maximum run time of a processing job in SageMaker."""
_UNITS = {"Y": 366, "M": 31, "W": 7, "D": 1}
_DATE_PART = re.compile(r"(\d+)([YMWD])")


def fingerprint_parameter(step: str, input_name: str) -> str:
    """Return the name of the pipeline parameter with the fingerprint of a step's input."""
    return f"{FINGERPRINT}{step}-{input_name}"


def fingerprint_parameters(params: "PipelineParams") -> list[str]:
    """Return the names of the pipeline parameters with the fingerprints of all external data."""
    return [
        fingerprint_parameter(step.name, name)
        for step in params.spark_steps.values()
        for name in step.data_inputs
    ]


def fingerprint_variable(input_name: str) -> str:
    """Return the name of the environment variable with the fingerprint of an input."""
    return f"INPUT_FINGERPRINT_{input_name.upper()}"


def days_reusable(expires_after: str) -> int:
    """Return for how many days a run may be read after its start: the cache's expiry plus the longest job.

    Args:
        expires_after: an ISO 8601 duration; it is rounded up to whole days.
    """
    date = expires_after.removeprefix("P").partition("T")
    days = sum(int(number) * _UNITS[unit] for number, unit in _DATE_PART.findall(date[0]))
    return days + bool(date[2]) + _LONGEST_JOB_DAYS + 1
