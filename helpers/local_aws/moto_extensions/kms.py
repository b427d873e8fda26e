"""AWS KMS."""

from typing import Any

from moto.kms import urls, utils
from moto.kms.models import KmsBackend

from helpers.local_aws.moto_extensions.extending import replaces


@replaces("moto.kms.models:generate_private_key")
def make_no_pair_of_keys(key_spec: str) -> Any:
    """Generate no pair of keys for a symmetric key: moto does, which takes a tenth of a second."""
    return None if key_spec == "SYMMETRIC_DEFAULT" else utils.generate_private_key(key_spec)


# moto's classes have no types, so the base of their subclasses is Any.
class KmsExtension(KmsBackend):  # type: ignore[misc]
    """The backend, with operations for which moto takes only the ID of a key: AWS takes the ARN as well."""

    @property
    def _url_module(self) -> Any:
        return urls  # moto looks for them next to this module

    def disable_key(self, key_id: str) -> None:
        """Disable a key."""
        super().disable_key(self.get_key_id(key_id))

    def enable_key(self, key_id: str) -> None:
        """Enable a key."""
        super().enable_key(self.get_key_id(key_id))

    def schedule_key_deletion(self, key_id: str, pending_window_in_days: int) -> float:
        """Delete a key after a number of days, and return when: seconds since 1970."""
        return float(super().schedule_key_deletion(self.get_key_id(key_id), pending_window_in_days))

    def cancel_key_deletion(self, key_id: str) -> None:
        """Keep a key that was to be deleted."""
        super().cancel_key_deletion(self.get_key_id(key_id))
