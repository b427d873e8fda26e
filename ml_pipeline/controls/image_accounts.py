"""The trusted accounts of images: those of AWS for Spark and built-in algorithms, and configured accounts."""

import re
from collections.abc import Collection
from functools import cache

from botocore.loaders import Loader

from helpers.algorithm_images import algorithm_image_accounts
from helpers.spark.images import spark_image_accounts

OWN_IMAGE_ACCOUNTS: frozenset[str] = frozenset()
"""Additional trusted accounts, such as the account of your own registry. An account ID has twelve digits."""

_IMAGE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.(?P<suffix>[a-z0-9.-]+)/[a-z0-9._/-]+"
    r"(:[A-Za-z0-9._-]+)?(@sha256:[0-9a-f]{64})?"
)


def image_problem(uri: object, own_accounts: Collection[str] = OWN_IMAGE_ACCOUNTS) -> str | None:
    """Return why an image is not trusted, or None if it is trusted."""
    found = _IMAGE.fullmatch(uri) if isinstance(uri, str) else None
    # The pattern also matches hosts outside AWS, such as amazonaws.com.example.org.
    if not found or found["suffix"] not in _registry_suffixes():
        return f"is not an image of a registry in AWS: {uri}"
    images = spark_image_accounts(), algorithm_image_accounts()
    of_aws = {accounts.get(found["region"]) for accounts in images}
    if found["account"] in {*of_aws, *own_accounts}:
        return None
    return f"comes from account {found['account']}, which is not trusted in {found['region']}"


@cache
def _registry_suffixes() -> frozenset[str]:
    """Return the DNS suffixes of the AWS partitions."""
    partitions = Loader().load_data("partitions")["partitions"]
    return frozenset(partition["outputs"]["dnsSuffix"] for partition in partitions)
