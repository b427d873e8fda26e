"""LOCAL_AWS_STATE: whether the state is kept."""

import os

from helpers.errors import UserError

VARIABLE = "LOCAL_AWS_STATE"
KEEP = "keep"
FOLDER = "state"
"""Name within the folder of the server."""


def is_kept() -> bool:
    """Return whether $LOCAL_AWS_STATE requests a kept state; by default, the state ends with the process.

    Raises:
        UserError: the variable has another value.
    """
    value = os.environ.get(VARIABLE, "")
    if value not in {"", KEEP}:
        raise UserError(f"{VARIABLE} is {value!r}", hint=f"Set it to {KEEP}, or unset it")
    return value == KEEP
