"""Configures the log of a job, and measures the duration of its phases."""

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class Unbuffered:
    """A text stream that flushes after every write, so that the log of a running job is complete."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def write(self, data: str) -> int:
        """Write the text and flush."""
        written: int = self.stream.write(data)
        self.stream.flush()
        return written

    def writelines(self, data: Iterable[str]) -> None:
        """Write the lines and flush."""
        self.stream.writelines(data)
        self.stream.flush()

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.stream, attribute)


def stdout_logger(name: str) -> logging.Logger:
    """Return a logger that writes to `sys.stdout` without buffering. Spark's own log is on stderr."""
    handler = logging.StreamHandler(Unbuffered(sys.stdout))
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger(name)
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


@contextmanager
def timed(seconds: dict[str, float], phase: str) -> Iterator[None]:
    """Store the duration of a block in `seconds`, by the name of the phase."""
    start = time.monotonic()
    yield
    seconds[phase] = round(time.monotonic() - start, 3)
