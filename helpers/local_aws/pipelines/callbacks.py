"""Callback steps: a message with a token in a queue, and the response that ends the step.

https://docs.aws.amazon.com/sagemaker/latest/dg/build-and-manage-steps-types.html#step-type-callback
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from helpers.local_aws.access.authorization import authorize_action
from helpers.local_aws.api.response import ACCOUNT, ApiError
from helpers.local_aws.pipelines.expressions import ExpressionError
from helpers.local_aws.service_clients import ServiceClients

_TYPES: Mapping[str, Callable[[str], object]] = {
    "Boolean": lambda text: {"true": True, "false": False}[text.lower()],
    "Float": float,
    "Integer": int,
    "String": str,
}


@dataclass
class Callback:
    """A callback that a step waits for.

    Attributes:
        output_types: types of the step's declared outputs by name, such as `String`.
        outputs: the values of the outputs, after a successful response.
        failure_reason: the reason in a failure response.
        answered: set when a response has arrived.
    """

    token: str
    queue_url: str
    output_types: Mapping[str, str]
    outputs: dict[str, object] = field(default_factory=dict)
    failure_reason: str | None = None
    answered: threading.Event = field(default_factory=threading.Event)

    def succeed(self, outputs: Mapping[str, str]) -> None:
        """Handle `SendPipelineExecutionStepSuccess`.

        Raises:
            ApiError: ValidationException for an output that is not declared or has the wrong type.
        """
        self._check_open()
        values = {}
        for name, text in outputs.items():
            if name not in self.output_types:
                raise ApiError("ValidationException", f"The callback step declares no output '{name}'")
            try:
                values[name] = _TYPES[self.output_types[name]](text)
            except (KeyError, ValueError):
                message = f"The output '{name}' must be of type {self.output_types[name]}, not '{text}'"
                raise ApiError("ValidationException", message) from None
        self.outputs = values
        self.answered.set()

    def fail(self, reason: str) -> None:
        """Handle `SendPipelineExecutionStepFailure`."""
        self._check_open()
        self.failure_reason = reason
        self.answered.set()

    def metadata(self) -> dict[str, Any]:
        """Return the step's Metadata."""
        outputs = [{"Name": name, "Value": str(value)} for name, value in self.outputs.items()]
        return {"CallbackToken": self.token, "SqsQueueUrl": self.queue_url, "OutputParameters": outputs}

    def _check_open(self) -> None:
        if self.answered.is_set():
            raise ApiError("ConflictException", f"The callback {self.token} was answered already")


def send_message(
    clients: ServiceClients,
    region: str,
    role_arn: str,
    callback: Callback,
    body: Mapping[str, Any],
    status: Literal["Executing", "Stopping"],
) -> None:
    """Send the message of a callback to its queue, with the permissions of the pipeline's role.

    Args:
        clients: clients of the embedded AWS itself.
        region: region of the queue.
        role_arn: ARN of the pipeline's role, which must be allowed to send.
        callback: the token and the queue.
        body: `pipelineExecutionArn` and `arguments`.
        status: status of the step.

    Raises:
        ExpressionError: the role may not send to the queue, or SQS rejects the message.
    """
    name = callback.queue_url.rpartition("/")[2]
    try:
        authorize_action(role_arn, "sqs:SendMessage", f"arn:aws:sqs:{region}:{ACCOUNT}:{name}")
        message = json.dumps({"token": callback.token, **body, "status": status})
        clients.of("sqs", region).send_message(QueueUrl=callback.queue_url, MessageBody=message)
    except ApiError as error:
        raise ExpressionError(str(error)) from error
    except (ClientError, BotoCoreError) as error:
        raise ExpressionError(f"nothing can be sent to the queue {callback.queue_url}: {error}") from error
