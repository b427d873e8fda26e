"""How the image fails: the exception, and the message that it leaves in /opt/ml/output/message."""

MAX_MESSAGE = 1024
"""Characters of the message."""


class ContainerError(Exception):
    """An end of the container that its user caused, with the message that the image would leave."""

    def __init__(self, caused_by: str, message: str, cause: str, *, exit_code: int = 1, hint: str = ""):
        """Return the image's message.

        Args:
            caused_by: the class of the image's exception.
            message: what failed.
            cause: the text of the image's exception.
            exit_code: of the container.
            hint: what to do about it, for the log only, which the image does not write.
        """
        line = f"Algorithm Error: (caused by {caused_by}): {message}: {cause}"
        super().__init__(line[:MAX_MESSAGE].strip())
        self.exit_code = exit_code
        self.hint = hint


def input_error(cause: str) -> ContainerError:
    """Return the error of the image for files that do not allow to submit anything."""
    return ContainerError("ValueError", "error preparing for spark submit", cause)


def job_error(caused_by: str, cause: str, hint: str = "") -> ContainerError:
    """Return the error of the image for whatever fails before spark-submit runs."""
    return ContainerError(caused_by, "error running Spark job", cause, hint=hint)
