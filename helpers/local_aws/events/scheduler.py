"""Starts the targets of schedules: rules with a ScheduleExpression, and EventBridge Scheduler."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from moto.events.models import events_backends
from moto.scheduler.models import scheduler_backends

from helpers.local_aws.access.role_trust import RoleError
from helpers.local_aws.api.response import ACCOUNT, ApiError, Request
from helpers.local_aws.events.delivery import EventDelivery
from helpers.local_aws.events.event import new_event
from helpers.local_aws.events.pipeline_target import is_pipeline, start_request
from helpers.local_aws.events.schedule_expression import Next, ScheduleError, parse
from helpers.local_aws.pipelines.expressions import ExpressionError

SERVICE = "scheduler.amazonaws.com"
_POLL_SECONDS = 1.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Schedule:
    """A rule or a schedule with a schedule expression.

    Attributes:
        arn: ARN of the rule or the schedule.
        expression: the expression, in the time zone `zone`.
        is_rule: whether it is a rule, which does not support `at`.
        start: starts its targets, with an event.
        begin: the time before which it is not due; `end`, the time after which it is not.
    """

    arn: str
    expression: str
    zone: str
    is_rule: bool
    start: Callable[[Mapping[str, Any]], None]
    begin: datetime | None = None
    end: datetime | None = None


class Scheduler:
    """Checks the schedules of a region once per second after it is started.

    A rate counts from when it is first seen. A run that is late, for example after sleep mode, starts once.

    Args:
        region: region of the schedules.
        delivery: delivers the events of rules to their targets.
        start: starts a pipeline with a StartPipelineExecution request.
        now: returns the current time.
    """

    def __init__(
        self,
        region: str,
        delivery: EventDelivery,
        start: Callable[[Request], object],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ):
        self._region = region
        self._delivery = delivery
        self._start_pipeline = start
        self._now = now
        self._due: dict[tuple[str, str, str], tuple[Next, datetime | None]] = {}
        """By ARN, expression and time zone: the function that returns the next time, and that time."""
        self._closed = threading.Event()

    def start(self) -> None:
        """Check the schedules in the background until `close`."""
        threading.Thread(target=self._watch, name=f"schedules-{self._region}", daemon=True).start()

    def close(self) -> None:
        """Stop checking."""
        self._closed.set()

    def run_due(self) -> None:
        """Start what became due since the last call; errors are written to the server's log."""
        now = self._now()
        found = {(each.arn, each.expression, each.zone): each for each in self._schedules()}
        self._due = {key: due for key, due in self._due.items() if key in found}
        for key, schedule in found.items():
            try:
                if key not in self._due:
                    following = parse(schedule.expression, schedule.zone, now, once=not schedule.is_rule)
                    self._due[key] = following, following(now)
                following, due = self._due[key]
                if due is None or due > now:
                    continue
                self._due[key] = following, following(now)
                if _is_between(schedule.begin, due, schedule.end):
                    schedule.start(
                        new_event("aws.events", "Scheduled Event", [schedule.arn], {}, self._region, due)
                    )
            except (ScheduleError, ApiError, RoleError, ExpressionError) as error:
                _log.warning("schedule %s started nothing: %s", schedule.arn, error)
            except Exception:  # start the other schedules too
                _log.exception("schedule %s failed", schedule.arn)

    def _watch(self) -> None:
        while not self._closed.wait(_POLL_SECONDS):
            self.run_due()

    def _schedules(self) -> Iterator[_Schedule]:
        for rule in list(events_backends[ACCOUNT][self._region].event_buses["default"].rules.values()):
            if rule.scheduled_expression and rule.state != "DISABLED":
                yield _Schedule(
                    rule.arn, rule.scheduled_expression, "UTC", is_rule=True, start=self._of_rule(rule)
                )
        for group in list(scheduler_backends[ACCOUNT][self._region].schedule_groups.values()):
            for each in list(group.schedules.values()):
                if each.state == "ENABLED":
                    yield _Schedule(
                        each.arn,
                        each.schedule_expression,
                        each.schedule_expression_timezone,
                        is_rule=False,
                        start=self._of_schedule(each, group.arn),
                        begin=_moment(each.start_date),
                        end=_moment(each.end_date),
                    )

    def _of_rule(self, rule: Any) -> Callable[[Mapping[str, Any]], None]:
        return lambda event: self._delivery.deliver_to(rule, event)

    def _of_schedule(self, schedule: Any, group_arn: str) -> Callable[[Mapping[str, Any]], None]:
        def start(event: Mapping[str, Any]) -> None:
            target = {**schedule.target, "Id": schedule.name}
            if not is_pipeline(target):
                _log.warning("schedule %s: the embedded AWS starts pipelines only", schedule.arn)
                return
            self._start_pipeline(start_request(target, event, group_arn, SERVICE))

        return start


def _is_between(begin: datetime | None, moment: datetime, end: datetime | None) -> bool:
    return (begin is None or begin <= moment) and (end is None or moment <= end)


def _moment(seconds: Any) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(float(seconds), UTC)
