"""AWS KMS."""

from typing import Any

from moto.kms import utils

from helpers.local_aws.moto_extensions.extending import replaces


@replaces("moto.kms.models:generate_private_key")
def make_no_pair_of_keys(key_spec: str) -> Any:
    """Generate no pair of keys for a symmetric key: moto does, which takes a tenth of a second."""
    return None if key_spec == "SYMMETRIC_DEFAULT" else utils.generate_private_key(key_spec)
