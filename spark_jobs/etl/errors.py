"""The error that ends a job: one line that the user can act on."""


class JobError(Exception):
    """An error that the user who started the job can fix, described in one line."""


def shown(line: str, characters: int = 120) -> str:
    """Return a line for a message, cut where it is long."""
    return repr(line if len(line) <= characters else f"{line[:characters]}…")
