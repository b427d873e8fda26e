"""Environment variables of the test process."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def restored_environment() -> Iterator[None]:
    """Restore the variables at the end, except those that the SageMaker SDK needs.

    They are set once, when the SDK is imported, which may happen meanwhile.
    """
    before = dict(os.environ)
    try:
        yield
    finally:
        kept = {name: value for name, value in os.environ.items() if name.startswith("SAGEMAKER_")}
        os.environ.clear()
        os.environ.update(before | kept)
