"""Credentials, without importing an AWS library."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Credentials:
    """An access key; that of a job is temporary and has a session token."""

    access_key: str
    secret_key: str
    session_token: str | None = None
