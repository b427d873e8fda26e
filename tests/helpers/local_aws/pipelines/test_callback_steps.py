"""Callback steps, through a queue of the embedded AWS."""

import json
import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError


class Queue:
    """A queue and its messages."""

    def __init__(self, aws: boto3.Session):
        self._sqs = aws.client("sqs")
        self.url = self._sqs.create_queue(QueueName=f"queue-{uuid.uuid4().hex[:8]}")["QueueUrl"]

    def receive(self) -> dict[str, Any]:
        while True:
            found = self._sqs.receive_message(QueueUrl=self.url, WaitTimeSeconds=1).get("Messages", [])
            for message in found:
                self._sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                return dict(json.loads(message["Body"]))


@pytest.fixture
def queue(aws: boto3.Session) -> Queue:
    return Queue(aws)


def callback_step(url: str, **members: Any) -> dict[str, Any]:
    outputs = [
        {"OutputName": "rows", "OutputType": "Integer"},
        {"OutputName": "where", "OutputType": "String"},
    ]
    return {
        "Name": "ask",
        "Type": "Callback",
        "SqsQueueUrl": url,
        "Arguments": {"pipeline": {"Get": "Execution.PipelineName"}},
        "OutputParameters": outputs,
        **members,
    }


def fail_step(message: Any) -> dict[str, Any]:
    return {"Name": "end", "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def test_the_answer_ends_the_step_and_gives_its_outputs(pipelines, queue: Queue) -> None:
    used = {"Std:Join": {"On": " ", "Values": [{"Get": "Steps.ask.OutputParameters['rows']"}, "rows"]}}
    name = pipelines.create(callback_step(queue.url), fail_step(used))
    execution = pipelines.start(name)

    message = queue.receive()
    token = message["token"]
    assert message == {
        "token": token,
        "pipelineExecutionArn": execution,
        "arguments": {"pipeline": name},
        "status": "Executing",
    }
    assert pipelines.steps(execution)["ask"]["StepStatus"] == "Executing"
    send = pipelines.sagemaker.send_pipeline_execution_step_success
    for outputs, problem in (
        ([{"Name": "other", "Value": "1"}], "declares no output 'other'"),
        ([{"Name": "rows", "Value": "many"}], "'rows' must be of type Integer, not 'many'"),
    ):
        with pytest.raises(ClientError, match=problem):
            send(CallbackToken=token, OutputParameters=outputs)
    send(CallbackToken=token, OutputParameters=[{"Name": "rows", "Value": "7"}])

    assert pipelines.wait(execution)["PipelineExecutionStatus"] == "Failed"
    steps = pipelines.steps(execution)
    assert steps["ask"]["StepStatus"] == "Succeeded"
    assert steps["ask"]["Metadata"]["Callback"] == {
        "CallbackToken": token,
        "SqsQueueUrl": queue.url,
        "OutputParameters": [{"Name": "rows", "Value": "7"}],
    }
    assert steps["end"]["FailureReason"] == "7 rows"
    with pytest.raises(ClientError, match="was answered already"):
        send(CallbackToken=token)


def test_a_failure_is_the_reason_of_the_step(pipelines, queue: Queue) -> None:
    execution = pipelines.start(pipelines.create(callback_step(queue.url)))
    token = queue.receive()["token"]

    pipelines.sagemaker.send_pipeline_execution_step_failure(FailureReason="no time", CallbackToken=token)

    assert pipelines.wait(execution)["FailureReason"] == "Step failure: ask: no time"


def test_an_execution_stops_once_the_callback_is_answered(pipelines, queue: Queue) -> None:
    execution = pipelines.start(pipelines.create(callback_step(queue.url)))
    token = queue.receive()["token"]

    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)

    stopping = queue.receive()
    assert (stopping["token"], stopping["status"]) == (token, "Stopping")
    described = pipelines.sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
    assert described["PipelineExecutionStatus"] == "Stopping"
    pipelines.sagemaker.send_pipeline_execution_step_failure(CallbackToken=token)
    assert pipelines.wait(execution)["PipelineExecutionStatus"] == "Stopped"


def test_a_queue_that_is_not_there_fails_the_step(pipelines, queue: Queue) -> None:
    execution = pipelines.run(pipelines.create(callback_step(f"{queue.url}-gone")))
    assert f"nothing can be sent to the queue {queue.url}-gone" in execution["FailureReason"]


def test_a_callback_step_needs_a_queue_and_a_token_that_is_known(pipelines) -> None:
    with pytest.raises(ClientError, match="step 'ask' must have a SqsQueueUrl"):
        pipelines.create(callback_step(""))
    with pytest.raises(ClientError, match="no callback step with the token 1234567890"):
        pipelines.sagemaker.send_pipeline_execution_step_success(CallbackToken="1234567890")
