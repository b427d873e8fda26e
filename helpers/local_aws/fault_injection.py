"""Fault injection: the latency and the failures of AWS, which the embedded AWS does not have by default.

Set $LOCAL_AWS_FAULTS before the server starts, or send the same faults as JSON with a PUT to FAULTS_PATH.
"""

import json
import random
import threading
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

from helpers.errors import UserError

VARIABLE = "LOCAL_AWS_FAULTS"
FAULTS_PATH = "/_local_aws/faults"


@dataclass(frozen=True)
class Faults:
    """The faults to inject; by default, none."""

    throttling: float = 0.0
    """The fraction of requests that are throttled, from 0 to below 1."""
    stack_seconds: float = 0.0
    """Seconds that stack operations, change set creations and drift detections stay in progress."""
    propagation_seconds: float = 0.0
    """Seconds until services that assume a new role can see it."""
    session_seconds: float = 0.0
    """Seconds after which the credentials of a role session expire; 0 uses the duration of the request."""

    @classmethod
    def parse(cls, text: str) -> "Faults":
        """Return the faults in a text.

        >>> Faults.parse("throttling=0.1 stack_seconds=2").stack_seconds
        2.0

        Raises:
            UserError: A name is unknown, or a value is out of range.
        """
        pairs = [pair.partition("=")[::2] for pair in text.replace(",", " ").split()]
        return cls().updated(dict(pairs))

    def updated(self, values: Mapping[str, Any]) -> "Faults":
        """Return the faults with some values replaced.

        Raises:
            UserError: A name is unknown, or a value is out of range.
        """
        known = [field.name for field in fields(self)]
        problems, numbers = [], {}
        for name, value in values.items():
            if name not in known:
                problems.append(f"{name} is unknown; expected one of {', '.join(known)}")
                continue
            highest = 0.99 if name == "throttling" else 3600.0
            try:
                number = float(value)
            except (TypeError, ValueError):
                number = -1.0
            if 0 <= number <= highest:
                numbers[name] = number
            else:
                problems.append(f"{name}={value}: expected a number from 0 to {highest:g}")
        if problems:
            raise UserError(
                f"{VARIABLE}: {'; '.join(problems)}", hint=f"Set it as in: {VARIABLE}='throttling=0.03 …'"
            )
        return replace(self, **numbers)


class FaultInjection:
    """The faults of a server, which can be changed while it runs."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.during: Callable[[], AbstractContextManager[None]] = nullcontext
        """Held while a delayed action runs."""
        self._random = random.Random(0)  # noqa: S311 - reproducible
        self._lock = threading.Lock()

    def throttles(self) -> bool:
        """Return whether to throttle the next request."""
        share = self.faults.throttling
        if not share:
            return False
        with self._lock:
            return self._random.random() < share

    def is_propagating(self, created: datetime) -> bool:
        """Return whether a role is too new for other services to see it. moto's times have no time zone."""
        age = datetime.now(UTC) - created.replace(tzinfo=UTC)
        return age.total_seconds() < self.faults.propagation_seconds

    def is_expired(self, issued: datetime) -> bool:
        """Return whether the credentials of a role session have expired early."""
        seconds = self.faults.session_seconds
        return bool(seconds) and (datetime.now(UTC) - issued).total_seconds() > seconds

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Run an action after some seconds in another thread, or immediately for 0.

        Actions that it starts are not delayed again: the time of a nested stack is part of its parent's.
        """
        if not seconds or isinstance(threading.current_thread(), threading.Timer):
            action()
            return

        def delayed() -> None:
            with self.during():
                action()

        timer = threading.Timer(seconds, delayed)
        timer.daemon = True  # an ending server does not wait for operations in progress
        timer.start()


INJECTION = FaultInjection()
"""The faults of this server process; moto creates its backends itself, without arguments."""


def inject(endpoint: str, secret_key: str, **faults: float) -> None:
    """Change the faults of a running server; those that are not named stay unchanged."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{endpoint}{FAULTS_PATH}",
        json.dumps(faults).encode(),
        {"Authorization": f"Bearer {secret_key}"},
        method="PUT",
    )
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).close()
