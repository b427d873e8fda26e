"""Fault injection: the latency and the failures of AWS, which the embedded AWS leaves out by default.

$LOCAL_AWS_FAULTS sets them when the server starts, a PUT of the same as JSON to FAULTS_PATH while it runs.
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
    """What to inject; by default, nothing."""

    throttling: float = 0.0
    """The share of requests that are throttled, from 0 to below 1."""
    stack_seconds: float = 0.0
    """How long a stack operation, a change set's creation and a drift detection stay in progress."""
    propagation_seconds: float = 0.0
    """How long a new role is unknown to the services that assume it."""
    session_seconds: float = 0.0
    """After how many seconds the credentials of a role session expire; 0 leaves it to the request."""

    @classmethod
    def parse(cls, text: str) -> "Faults":
        """Return the faults that a text names.

        >>> Faults.parse("throttling=0.1 stack_seconds=2").stack_seconds
        2.0

        Raises:
            UserError: a name is unknown, or a value is out of range.
        """
        pairs = [pair.partition("=")[::2] for pair in text.replace(",", " ").split()]
        return cls().updated(dict(pairs))

    def updated(self, values: Mapping[str, Any]) -> "Faults":
        """Return the faults with other values for some.

        Raises:
            UserError: a name is unknown, or a value is out of range.
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
    """The faults of a server, which may be changed while it runs."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.during: Callable[[], AbstractContextManager[None]] = nullcontext
        """What a delayed action is done within."""
        self._random = random.Random(0)  # noqa: S311 - two runs get the same faults
        self._lock = threading.Lock()

    def throttles(self) -> bool:
        """Return whether the next request is throttled."""
        share = self.faults.throttling
        if not share:
            return False
        with self._lock:
            return self._random.random() < share

    def is_propagating(self, created: datetime) -> bool:
        """Return whether a role is too new for other services to know it (moto's times have no zone)."""
        age = datetime.now(UTC) - created.replace(tzinfo=UTC)
        return age.total_seconds() < self.faults.propagation_seconds

    def is_expired(self, issued: datetime) -> bool:
        """Return whether the credentials of a role session have expired before their time."""
        seconds = self.faults.session_seconds
        return bool(seconds) and (datetime.now(UTC) - issued).total_seconds() > seconds

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Do something after some seconds, in another thread; after none at once.

        What follows from it is not delayed again: a nested stack has its time within that of its parent.
        """
        if not seconds or isinstance(threading.current_thread(), threading.Timer):
            action()
            return

        def delayed() -> None:
            with self.during():
                action()

        timer = threading.Timer(seconds, delayed)
        timer.daemon = True  # a server that ends does not wait for what is in progress
        timer.start()


INJECTION = FaultInjection()
"""Of this process, which is one server: moto creates its backends itself, and hands them nothing."""


def inject(endpoint: str, secret_key: str, **faults: float) -> None:
    """Change the faults of a running server; those that are not named stay as they are."""
    request = urllib.request.Request(  # noqa: S310 - loopback
        f"{endpoint}{FAULTS_PATH}",
        json.dumps(faults).encode(),
        {"Authorization": f"Bearer {secret_key}"},
        method="PUT",
    )
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10).close()
