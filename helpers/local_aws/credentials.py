"""Credentials, for which no AWS library need be imported."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Credentials:
    """An access key, for a job temporary and with a session token."""

    access_key: str
    secret_key: str
    session_token: str | None = None
