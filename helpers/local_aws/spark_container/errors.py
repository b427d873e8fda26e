"""What a container says when it fails, in the image's form."""

MAX_MESSAGE = 1024
"""Characters of /opt/ml/output/message that reach the job's FailureReason."""


class ContainerError(Exception):
    """An end of the container that its user caused, with the message that the image would leave."""

    def __init__(self, caused_by: str, message: str, cause: str, exit_code: int = 1):
        super().__init__(failure_message(caused_by, message, cause))
        self.exit_code = exit_code


def input_error(cause: str) -> ContainerError:
    """Return the error of the image for files that do not allow to submit anything."""
    return ContainerError("ValueError", "error preparing for spark submit", cause)


def failure_message(caused_by: str, message: str, cause: str) -> str:
    """Return one line: which exception, what failed, and why."""
    line = " ".join(f"Algorithm Error: (caused by {caused_by}): {message}: {cause}".split())
    return line[:MAX_MESSAGE].strip()
