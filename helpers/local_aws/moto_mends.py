"""Where moto answers otherwise than AWS outside of CloudFormation; imported once moto is configured."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from moto import backends
from moto.budgets.responses import BudgetsResponse
from moto.kms import models as kms
from moto.logs.responses import LogsResponse
from moto.sagemaker import models as sagemaker
from moto.sagemaker.exceptions import ResourceNotFound


def mend_services() -> None:
    """Put the mends in place; once is enough."""
    backends.list_of_moto_modules = _list_of_moto_modules
    kms.generate_private_key = _generate_private_key
    sagemaker.get_pipeline_from_name = _get_pipeline_from_name
    if LogsResponse.filter_log_events is not _filter_log_events:
        LogsResponse.filter_log_events = _filter_log_events
    BudgetsResponse.describe_subscribers_for_notification = _describe_subscribers


_modules = backends.list_of_moto_modules
_private_key = kms.generate_private_key


@cache
def _list_of_moto_modules() -> frozenset[str]:
    """Look into moto's folder once; moto looks 200 times at each request."""
    return frozenset(_modules())


def _generate_private_key(key_spec: str) -> object:
    """Make no pair of keys for a symmetric key; moto does, which takes a tenth of a second."""
    return None if key_spec == "SYMMETRIC_DEFAULT" else _private_key(key_spec)


def _get_pipeline_from_name(pipelines: Mapping[str, object], name: str) -> object:
    """Say ResourceNotFound of a pipeline that is not there; moto says ValidationException."""
    plain = name.rsplit("/", 1)[-1]  # the API takes an ARN as well
    if plain not in pipelines:
        raise ResourceNotFound(message=f"Pipeline '{plain}' does not exist.")
    return pipelines[plain]


_filter_all_events = LogsResponse.filter_log_events


def _filter_log_events(self: Any) -> Any:
    """Honour `logStreamNamePrefix`, which moto overlooks, and interleave the streams, as AWS always does."""
    get, prefix = self._get_param, self._get_param("logStreamNamePrefix")
    group = self.logs_backend.groups.get(get("logGroupName"))
    parameters: dict[str, object] = {"interleaved": True}
    if prefix and group:
        parameters["logStreamNames"] = [name for name in group.streams if name.startswith(prefix)]
        if not parameters["logStreamNames"]:
            return json.dumps({"events": [], "searchedLogStreams": []})
    self._get_param = lambda key, default=None: parameters.get(key) or get(key, default)
    return _filter_all_events(self)


def _describe_subscribers(self: Any) -> str:
    """Tell who is told; moto keeps it and has no operation for it."""
    get = self._get_param
    budget = self.backend.budgets[get("AccountId")][get("BudgetName")]
    told = next(each for each in budget.notifications if each.details == get("Notification"))
    return json.dumps({"Subscribers": told.subscribers})
