from datetime import date

import pytest

from helpers.errors import UserError
from helpers.infra.stacks.configuration import StackConfiguration
from helpers.infra.stacks.fixed_costs import fixed_costs
from helpers.pricing import InstanceHours, Price, Prices
from tests.infra_folder import every_stack

DAY = date(2026, 11, 24)
PRICES = Prices(
    region="us-east-1",
    instance_hours=(InstanceHours(as_of=DAY, source="", usd={"ml.m5.large": 1.0}),),
    resources={
        name: Price(usd=usd, per="", as_of=DAY, source="")
        for name, usd in {
            "interface_endpoint_hour": 0.01,
            "kms_key_month": 1.0,
            "dashboard_month": 3.0,
            "alarm_month": 0.1,
        }.items()
    },
)


def test_endpoints_keys_and_dashboards_of_the_repositorys_templates() -> None:
    stacks = every_stack("costs", ZoneCount="3", InterfaceEndpoints="kms,logs,sts")
    keys = 4
    keys += 1  # part: Studio

    assert {line.what: line.usd_per_month for line in fixed_costs(stacks, PRICES)} == {
        "3 interface endpoints in 3 zones": pytest.approx(3 * 3 * 730 * 0.01),
        f"{keys} KMS keys": float(keys),
        "1 dashboard": 3.0,
    }


def stack(template: str, **parameters: str) -> StackConfiguration:
    return StackConfiguration("dev", "a-dev-b", template, parameters, {})  # type: ignore[arg-type]


NETWORK = """
Parameters:
  MakesInterfaceEndpoints: {Type: String, Default: "true"}
  InterfaceEndpoints: {Type: CommaDelimitedList, Default: "a,b"}
  ExistingSubnetIds: {Type: String, Default: ""}
  ZoneCount: {Type: String, Default: "4"}
Resources: {}
"""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, ["2 interface endpoints in 4 zones"]),
        ({"InterfaceEndpoints": "a", "ZoneCount": "2"}, ["1 interface endpoint in 2 zones"]),
        ({"ExistingSubnetIds": "subnet-1,subnet-2,subnet-3"}, ["2 interface endpoints in 3 zones"]),
        ({"MakesInterfaceEndpoints": "false"}, []),
    ],
)
def test_endpoints_are_those_of_the_parameters(given: dict[str, str], message: list[str]) -> None:
    assert [line.what for line in fixed_costs([stack(NETWORK, **given)], PRICES)] == message


def test_what_a_loop_makes_is_counted_each_time() -> None:
    template = (
        "Resources: {Fn::ForEach::Keys: [Use, [A, B, C], {'${Use}Key': {Type: AWS::KMS::Key}}], "
        "Alarm: {Type: AWS::CloudWatch::Alarm}}"
    )

    lines = fixed_costs([stack(template)], PRICES)

    assert [(line.what, line.usd_per_month) for line in lines] == [("3 KMS keys", 3.0), ("1 alarm", 0.1)]


def test_an_unknown_price_is_reported_instead_of_guessed() -> None:
    with pytest.raises(UserError, match="no price of interface_endpoint_hour"):
        fixed_costs([stack(NETWORK)], PRICES.model_copy(update={"resources": {}}))
