"""Finds staged code that is no longer used, by prefixes in the artifact bucket."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ml_pipeline.params.spark_code import HASH_DIGITS

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MINIMUM_AGE = timedelta(days=7)
VERSIONS_KEPT = 10
_FOLDER = "code/"
_PREFIX = re.compile(rf"{_FOLDER}[0-9a-f]{{{HASH_DIGITS}}}/")


@dataclass(frozen=True)
class CodeSweep:
    """The decision about each prefix."""

    unused: tuple[str, ...]
    kept: Mapping[str, str]
    """The reason for each."""


def staged_prefixes(s3: "S3Client", bucket: str) -> dict[str, datetime]:
    """Return the code prefixes in a bucket, each with the time of its newest object."""
    newest: dict[str, datetime] = {}
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=_FOLDER):
        for entry in page.get("Contents", []):
            if found := _PREFIX.match(entry["Key"]):
                modified = entry["LastModified"]
                newest[found[0]] = max(modified, newest.get(found[0], modified))
    return newest


def prefixes_in(definition: str) -> set[str]:
    """Return the code prefixes that a definition names."""
    return set(_PREFIX.findall(definition))


def decide(
    staged: Mapping[str, datetime],
    upserted: Collection[str],
    recorded: Iterable[tuple[str, str]],
    checkout: Collection[str],
    now: datetime,
) -> CodeSweep:
    """Decide which prefixes to delete: those that are unused and older than a number of days.

    Args:
        staged: the time of the newest object of each prefix.
        upserted: the registered definitions.
        recorded: the newest versions, as text, with their definitions; a rollback may need their code.
        checkout: the hashes of the steps in this checkout, which may be upserted at any moment.
        now: the current time.
    """
    reasons = {f"{_FOLDER}{each}/": "it is the code of this checkout" for each in checkout}
    for version, definition in sorted(recorded):
        reasons |= dict.fromkeys(prefixes_in(definition), f"{version} uses it")
    for definition in upserted:
        reasons |= dict.fromkeys(prefixes_in(definition), "the pipeline uses it")
    unused, kept = [], {}
    for prefix, modified in sorted(staged.items()):
        if prefix in reasons:
            kept[prefix] = reasons[prefix]
        elif now - modified < MINIMUM_AGE:
            kept[prefix] = f"it is younger than {MINIMUM_AGE.days} days"
        else:
            unused.append(prefix)
    return CodeSweep(tuple(unused), kept)


def delete_prefix(s3: "S3Client", bucket: str, prefix: str) -> None:
    """Delete the objects with a prefix; in a versioned bucket they can be restored."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=entry["Key"])
