"""Delivers events to the targets of the matching rules on a region's default event bus."""

import logging
import threading
from collections.abc import Callable, Mapping
from copy import copy
from datetime import UTC, datetime
from typing import Any

from moto.events.models import events_backends

from helpers.local_aws.access.role_trust import RoleError
from helpers.local_aws.api.response import ACCOUNT, ApiError, Request
from helpers.local_aws.events.event import TIME_FORMAT
from helpers.local_aws.events.pipeline_target import is_pipeline, start_request
from helpers.local_aws.pipelines.expressions import ExpressionError

_log = logging.getLogger(__name__)


class EventDelivery:
    """Delivers in the background, as EventBridge does: the sender does not see delivery errors.

    Args:
        region: region of the rules.
        start: starts a pipeline with a StartPipelineExecution request.
    """

    def __init__(self, region: str, start: Callable[[Request], object]):
        self._region = region
        self._start = start

    def publish(self, event: Mapping[str, Any]) -> None:
        """Deliver an event; errors are written to the server's log."""
        threading.Thread(target=self._deliver, args=(event,), name="event", daemon=True).start()

    def _deliver(self, event: Mapping[str, Any]) -> None:
        bus = events_backends[ACCOUNT][self._region].event_buses["default"]
        for rule in list(bus.rules.values()):
            pattern = rule.event_pattern
            if rule.state != "DISABLED" and pattern.get_pattern() and pattern.matches_event(event):
                try:
                    self.deliver_to(rule, event)
                except Exception:  # deliver the event to the other rules too
                    _log.exception("rule %s failed", rule.name)

    def deliver_to(self, rule: Any, event: Mapping[str, Any]) -> None:
        """Deliver an event to the targets of a rule without matching its pattern."""
        targets = list(rule.targets)
        for target in filter(is_pipeline, targets):
            try:
                self._start(start_request(target, event, rule.arn))
            except (ApiError, RoleError, ExpressionError) as error:
                _log.warning("rule %s started nothing: %s", rule.name, error)
        others = copy(rule)
        others.targets = [target for target in targets if not is_pipeline(target)]
        if others.targets:
            moment = datetime.strptime(event["time"], TIME_FORMAT).replace(tzinfo=UTC).timestamp()
            others.send_to_targets({**event, "time": moment, "ingestion-time": event["time"]})
