"""AWS KMS."""

from typing import Any

from moto.kms import urls, utils
from moto.kms.models import KmsBackend

from helpers.local_aws.moto_extensions.extending import replaces


@replaces("moto.kms.models:generate_private_key")
def make_no_pair_of_keys(key_spec: str) -> Any:
    """Return no key pair for a symmetric key. moto generates one, which takes a tenth of a second."""
    return None if key_spec == "SYMMETRIC_DEFAULT" else utils.generate_private_key(key_spec)


# moto's classes have no types, so the base of their subclasses is Any.
class KmsExtension(KmsBackend):  # type: ignore[misc]
    """The backend, with operations that also accept key ARNs, as AWS does; moto accepts only key IDs."""

    @property
    def _url_module(self) -> Any:
        return urls  # otherwise moto looks for them next to this module

    def disable_key(self, key_id: str) -> None:
        """Disable a key."""
        super().disable_key(self.get_key_id(key_id))

    def enable_key(self, key_id: str) -> None:
        """Enable a key."""
        super().enable_key(self.get_key_id(key_id))

    def schedule_key_deletion(self, key_id: str, pending_window_in_days: int) -> float:
        """Schedule the deletion of a key in some days, and return its time in seconds since 1970."""
        return float(super().schedule_key_deletion(self.get_key_id(key_id), pending_window_in_days))

    def cancel_key_deletion(self, key_id: str) -> None:
        """Cancel the scheduled deletion of a key."""
        super().cancel_key_deletion(self.get_key_id(key_id))
