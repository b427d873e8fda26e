"""The error that a job ends with: one line, which the user who started it can act on."""


class JobError(Exception):
    """An error that the user who started the job can fix, described in one line."""
