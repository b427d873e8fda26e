"""Decides when an earlier result of a step is reused (developer guide, "Caching pipeline steps")."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

_DURATION = re.compile(
    r"P?(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.IGNORECASE,
)
_DAYS = {"years": 365, "months": 30, "weeks": 7, "days": 1}


def cache_key(step_name: str, arguments: Mapping[str, Any], members: Sequence[str]) -> str:
    """Return a key for a step from the given members of its resolved arguments.

    Resources, outputs, network, role and tags never affect the key.

    As on AWS, the content of an S3 object does not affect the key: changed code or data must change the URI
    or the environment.
    """
    key = {name: _member(arguments, name) for name in members}
    return hashlib.sha256(json.dumps([step_name, key], sort_keys=True).encode()).hexdigest()


def _member(arguments: Mapping[str, Any], path: str) -> Any:
    """Return the member at a path such as `TrainingJobDefinition.InputDataConfig`, or None."""
    name, _, rest = path.partition(".")
    return _member(arguments.get(name) or {}, rest) if rest else arguments.get(name)


def parse_expiry(text: str) -> timedelta:
    """Return `ExpireAfter` as a duration; a year has 365 days and a month 30.

    The developer guide uses ISO 8601 durations with or without the leading P, in upper or lower case (`P30D`,
    `30d`, `PT1H`, `T16m`).

    Raises:
        ValueError: the text is not a duration, or an empty one.
    """
    match = _DURATION.fullmatch(text)
    parts = {unit: int(number) for unit, number in (match.groupdict() if match else {}).items() if number}
    if not parts:
        raise ValueError(f"'{text}' is not an ISO 8601 duration such as P30D or PT1H")
    days = sum(_DAYS[unit] * number for unit, number in parts.items() if unit in _DAYS)
    return timedelta(
        days=days,
        **{unit: number for unit, number in parts.items() if unit not in _DAYS},
    )
