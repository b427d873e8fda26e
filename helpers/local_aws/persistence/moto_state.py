"""moto's part of the state: the backends of all services, by account and region."""

from collections.abc import Mapping
from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.s3.models import s3_backends

MotoState = Mapping[tuple[str, str, str], Any]
"""Backends by moto's module of the service, account and region."""


def moto_state() -> MotoState:
    """Return the backends that requests have created so far."""
    return {
        (_module(backend), account, region): backend
        for backends in list(BackendDict._instances)
        for account, region, backend in list(backends.iter_backends())
    }


def restore_moto(state: MotoState) -> None:
    """Put backends in the place of those that moto would create."""
    for (module, account, region), backend in state.items():
        get_backend(module)[account][region] = backend
        if module == "s3":
            s3_backends.bucket_accounts.update(dict.fromkeys(backend.buckets, (region, account)))


def _module(backend: Any) -> str:
    """Return what moto finds a backend's service by, as `awslambda` for `lambda`."""
    modules = (each.__module__.split(".") for each in type(backend).__mro__)
    return next(parts[1] for parts in modules if parts[0] == "moto")
