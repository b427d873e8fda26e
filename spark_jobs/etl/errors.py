"""The error of a failed job, with a message of one line."""


class JobError(Exception):
    """An error that the user of a job can fix. The message is one line."""


def shown(line: str, characters: int = 120) -> str:
    """Return a line in quotes for a message, truncated to a number of characters."""
    return repr(line if len(line) <= characters else f"{line[:characters]}…")
