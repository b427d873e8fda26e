"""The state of moto: the backends of all services, by account and region."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.s3.models import s3_backends

MotoState = Mapping[str, Mapping[str, Any]]
"""By moto module of the service, then account: an AccountSpecificBackend with one backend per region."""


def moto_state() -> MotoState:
    """Return the backends that requests have created so far."""
    return {
        _module(accounts): dict(accounts) for accounts in list(BackendDict._instances) if _backends(accounts)
    }


def restore_moto(state: MotoState) -> None:
    """Restore backends, before moto creates any."""
    for module, accounts in state.items():
        backends = get_backend(module)
        backends.update(accounts)
        BackendDict._instances.append(backends)
    for account, regions in state.get("s3", {}).items():
        for region, backend in regions.items():
            s3_backends.bucket_accounts.update(dict.fromkeys(backend.buckets, (region, account)))


def backends_of(state: MotoState) -> Iterator[Any]:
    """Yield the backends of all services."""
    for accounts in state.values():
        yield from _backends(accounts)


def _backends(accounts: Mapping[str, Mapping[str, Any]]) -> Iterable[Any]:
    return [backend for regions in list(accounts.values()) for backend in list(regions.values())]


def _module(accounts: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the name by which moto finds the backends of a service, such as `awslambda` for `lambda`."""
    backend = next(iter(_backends(accounts)))
    modules = (each.__module__.split(".") for each in type(backend).__mro__)
    return next(parts[1] for parts in modules if parts[0] == "moto")
