"""Schedules that start pipelines, with the clock of the test and with that of the server."""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto.events.models import events_backends
from moto.iam.models import iam_backends
from moto.scheduler.models import scheduler_backends

from helpers.local_aws.api.response import ACCOUNT
from helpers.local_aws.events.delivery import EventDelivery
from helpers.local_aws.events.scheduler import Scheduler
from tests.helpers.local_aws.cloudformation.stacks import resource, template
from tests.helpers.local_aws.roles import policy_of

PIPELINE = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}:pipeline/score"
MIDNIGHT = datetime(2026, 1, 30, tzinfo=UTC)
OFF = {"Mode": "OFF"}
START = policy_of({"Effect": "Allow", "Action": "sagemaker:StartPipelineExecution", "Resource": "*"})


class Clocked:
    """A scheduler in this process, whose clock the test advances."""

    def __init__(self) -> None:
        self.now = MIDNIGHT
        self.started: list[dict[str, Any]] = []
        delivery = EventDelivery("us-east-1", self.started.append)
        self._scheduler = Scheduler("us-east-1", delivery, self.started.append, lambda: self.now)
        self.rules, self.schedules = (
            events_backends[ACCOUNT]["us-east-1"],
            scheduler_backends[ACCOUNT]["us-east-1"],
        )
        self._scheduler.run_due()

    def starts_after(self, **elapsed: float) -> int:
        """Advance the clock, and return how many executions were started."""
        before = len(self.started)
        self.now += timedelta(**elapsed)
        self._scheduler.run_due()
        return len(self.started) - before

    def role(self, service: str) -> str:
        trust = policy_of({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})
        name = f"starter-{uuid.uuid4().hex[:8]}"
        iam = iam_backends[ACCOUNT]["aws"]
        role = iam.create_role(name, trust, "/", None, "", [], "3600")
        allowed = policy_of(
            {"Effect": "Allow", "Action": "sagemaker:StartPipelineExecution", "Resource": "*"}
        )
        iam.put_role_policy(name, "start", allowed)
        return str(role.arn)

    def put_schedule(self, expression: str, service: str = "scheduler.amazonaws.com", **members: Any) -> str:
        name = f"schedule-{uuid.uuid4().hex[:8]}"
        parameters = {"PipelineParameterList": [{"Name": "Day", "Value": "today"}]}
        target = {
            "Arn": PIPELINE,
            "RoleArn": self.role(service),
            "SageMakerPipelineParameters": parameters,
        }
        given = {
            **dict.fromkeys(("description", "end_date", "group_name", "kms_key_arn", "start_date")),
            "action_after_completion": None,
            "flexible_time_window": OFF,
            "schedule_expression_timezone": "UTC",
            "state": "ENABLED",
            "target": target,
            **members,
        }
        self.schedules.create_schedule(name=name, schedule_expression=expression, **given)
        self._scheduler.run_due()
        return name

    def put_rule(self, expression: str, state: str = "ENABLED") -> None:
        name = f"rule-{uuid.uuid4().hex[:8]}"
        self.rules.put_rule(name, event_bus_arn="default", scheduled_expression=expression, state=state)
        parameters = {"PipelineParameterList": [{"Name": "Day", "Value": "$.time"}]}
        role = self.role("events.amazonaws.com")
        self.rules.put_targets(
            name,
            "default",
            [{"Id": "t", "Arn": PIPELINE, "RoleArn": role, "SageMakerPipelineParameters": parameters}],
        )
        self._scheduler.run_due()


@pytest.fixture
def clocked() -> Iterator[Clocked]:
    found = Clocked()
    rules, schedules = (
        dict(found.rules.event_buses["default"].rules),
        found.schedules.schedule_groups["default"],
    )
    yield found
    found.rules.event_buses["default"].rules = rules
    schedules.schedules.clear()


def test_a_rule_starts_at_its_rate(clocked: Clocked) -> None:
    clocked.put_rule("rate(5 minutes)")
    clocked.put_rule("rate(5 minutes)", "DISABLED")
    assert clocked.starts_after(minutes=4, seconds=59) == 0
    assert clocked.starts_after(seconds=1) == 1
    assert clocked.starts_after(minutes=4) == 0
    assert clocked.starts_after(hours=1) == 1  # a late run starts once
    first = clocked.started[0]
    assert first["PipelineName"] == PIPELINE
    assert first["PipelineParameters"] == [{"Name": "Day", "Value": "2026-01-30T00:05:00Z"}]
    assert first["ClientRequestToken"] != clocked.started[1]["ClientRequestToken"]


def test_a_schedule_starts_by_its_cron(clocked: Clocked) -> None:
    clocked.put_schedule("cron(0 8 * * ? *)", schedule_expression_timezone="Europe/Berlin")
    assert clocked.starts_after(hours=6, minutes=59) == 0
    assert clocked.starts_after(minutes=1) == 1
    assert clocked.started[0]["PipelineParameters"] == [{"Name": "Day", "Value": "today"}]
    assert clocked.starts_after(hours=23) == 0
    assert clocked.starts_after(hours=1) == 1


def test_a_schedule_starts_once_at_a_moment(clocked: Clocked) -> None:
    clocked.put_schedule("at(2026-01-30T01:00:00)")
    clocked.put_schedule("at(2026-01-29T01:00:00)")
    assert clocked.starts_after(hours=1) == 1
    assert clocked.starts_after(days=1) == 0


def test_a_schedule_is_due_between_its_dates_alone(clocked: Clocked) -> None:
    begin, end = (MIDNIGHT + timedelta(hours=hour) for hour in (2, 3))
    clocked.put_schedule("rate(1 hour)", start_date=begin.timestamp(), end_date=end.timestamp())
    assert [clocked.starts_after(hours=1) for _ in range(4)] == [0, 1, 1, 0]


def test_a_role_that_the_scheduler_cannot_assume_starts_nothing(
    clocked: Clocked, caplog: pytest.LogCaptureFixture
) -> None:
    clocked.put_schedule("rate(1 hour)", "events.amazonaws.com")
    clocked.put_schedule("rate(1 hour)", target={"Arn": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"})
    clocked.put_schedule("rate(1 hour)", state="DISABLED")
    assert clocked.starts_after(hours=1) == 0
    assert "scheduler.amazonaws.com cannot assume the role" in caplog.text
    assert "the embedded AWS starts pipelines only" in caplog.text


@pytest.fixture
def stacks(aws: boto3.Session) -> Any:
    return aws.client("cloudformation")


def schedule_of(pipeline_arn: str, role: str, expression: str) -> dict[str, Any]:
    target = {"Arn": pipeline_arn, "RoleArn": role}
    return template(
        Schedule=resource(
            "AWS::Scheduler::Schedule",
            FlexibleTimeWindow=OFF,
            ScheduleExpression=expression,
            Target=target,
        )
    )


def test_a_stack_has_a_schedule_that_starts_an_execution(
    aws: boto3.Session, stacks: Any, pipelines: Any
) -> None:
    trust = {"Service": "scheduler.amazonaws.com"}
    role_name, name = f"starter-{uuid.uuid4().hex[:8]}", f"stack-{uuid.uuid4().hex[:8]}"
    iam = aws.client("iam")
    document = policy_of({"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"})
    role = iam.create_role(RoleName=role_name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName=role_name, PolicyName="p", PolicyDocument=START)
    step = {"Name": "end", "Type": "Fail", "Arguments": {"ErrorMessage": "scheduled"}}
    pipeline = pipelines.create(step)
    arn = pipelines.sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineArn"]
    soon = (datetime.now(UTC) + timedelta(seconds=4)).strftime("%Y-%m-%dT%H:%M:%S")

    stacks.create_stack(StackName=name, TemplateBody=json.dumps(schedule_of(arn, role, f"at({soon})")))

    while not (
        started := pipelines.sagemaker.list_pipeline_executions(PipelineName=pipeline)[
            "PipelineExecutionSummaries"
        ]
    ):
        time.sleep(0.1)
    assert datetime.now(UTC) >= datetime.fromisoformat(f"{soon}+00:00")
    assert pipelines.wait(started[0]["PipelineExecutionArn"])["FailureReason"].endswith("scheduled")
    stacks.delete_stack(StackName=name)
    assert aws.client("scheduler").list_schedules(NamePrefix=name)["Schedules"] == []


@pytest.mark.parametrize(
    ("arn", "expression", "message"),
    [
        (PIPELINE, "rate(1 minutes)", "the unit is singular for 1"),
        (f"arn:aws:sqs:us-east-1:{ACCOUNT}:q", "rate(1 minute)", "The embedded AWS schedules pipelines only"),
    ],
)
def test_a_schedule_that_cannot_be_fails_its_stack(
    stacks: Any, role: str, arn: str, expression: str, message: str
) -> None:
    name = f"stack-{uuid.uuid4().hex[:8]}"
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(schedule_of(arn, role, expression)))
    events = stacks.describe_stack_events(StackName=name)["StackEvents"]
    assert any(message in each.get("ResourceStatusReason", "") for each in events)
