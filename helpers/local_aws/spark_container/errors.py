"""The errors of the image: an exception, and the message in /opt/ml/output/message."""

MAX_MESSAGE = 1024
"""Maximum characters of the message."""


class ContainerError(Exception):
    """The container failed because of its user's input; has the message that the image would write."""

    def __init__(self, caused_by: str, message: str, cause: str, *, exit_code: int = 1, hint: str = ""):
        """Compose the image's message.

        Args:
            caused_by: the class of the image's exception.
            message: what failed.
            cause: the text of the image's exception.
            exit_code: exit code of the container.
            hint: how to fix it, for the log only; the image does not write hints.
        """
        line = f"Algorithm Error: (caused by {caused_by}): {message}: {cause}"
        super().__init__(line[:MAX_MESSAGE].strip())
        self.exit_code = exit_code
        self.hint = hint


def input_error(cause: str) -> ContainerError:
    """Return the image's error for input files that prevent a submission."""
    return ContainerError("ValueError", "error preparing for spark submit", cause)


def job_error(caused_by: str, cause: str, hint: str = "") -> ContainerError:
    """Return the image's error for any failure before spark-submit runs."""
    return ContainerError(caused_by, "error running Spark job", cause, hint=hint)
