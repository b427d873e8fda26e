"""Estimates the fixed cost of an environment from its templates and parameters."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helpers.infra.stacks.configuration import parse_template

if TYPE_CHECKING:
    from helpers.infra.stacks.configuration import StackConfiguration
    from helpers.pricing import Prices

HOURS_PER_MONTH = 730
_LOOP = "Fn::ForEach::"
_BY_THE_MONTH = {
    "AWS::KMS::Key": ("KMS key", "kms_key_month"),
    "AWS::CloudWatch::Dashboard": ("dashboard", "dashboard_month"),
    "AWS::CloudWatch::Alarm": ("alarm", "alarm_month"),
}


@dataclass(frozen=True)
class CostLine:
    """The fixed cost of one kind of resource."""

    what: str
    usd_per_month: float


def fixed_costs(stacks: Sequence["StackConfiguration"], prices: "Prices") -> list[CostLine]:
    """Return the fixed monthly cost of the resources of an environment.

    Costs that depend on usage are not included: storage, requests, traffic, logs and Studio applications. The
    free tiers of AWS are not subtracted.

    Args:
        stacks: the stacks of the environment.
        prices: the prices of a region.

    Raises:
        UserError: a price is missing.
    """
    counts: Counter[str] = Counter()
    lines = []
    for stack in stacks:
        counts.update(_types(parse_template(stack.template)["Resources"]))
        endpoints, zones = _endpoints(stack)
        if endpoints:
            hour = prices.resource("interface_endpoint_hour").usd
            lines.append(
                CostLine(
                    f"{endpoints} interface endpoint{'s' * (endpoints != 1)} in {zones} zones",
                    endpoints * zones * hour * HOURS_PER_MONTH,
                )
            )
    for resource_type, (what, price) in _BY_THE_MONTH.items():
        if count := counts[resource_type]:
            lines.append(CostLine(f"{count} {what}{'s' * (count != 1)}", count * prices.resource(price).usd))
    return lines


def _types(resources: Mapping[str, Any]) -> Iterator[str]:
    for name, resource in resources.items():
        if not name.startswith(_LOOP):
            yield resource["Type"]
        elif isinstance(resource[1], list):  # only the loop over endpoints has a parameter
            for _ in resource[1]:
                yield from _types(resource[2])


def _endpoints(stack: "StackConfiguration") -> tuple[int, int]:
    """Return the number of interface endpoints of a stack, and the number of availability zones of each."""
    if stack.value("MakesInterfaceEndpoints") != "true":
        return 0, 0
    services = stack.value("InterfaceEndpoints").split(",")
    subnets = stack.value("ExistingSubnetIds")
    return len(services), len(subnets.split(",")) if subnets else int(stack.value("ZoneCount"))
