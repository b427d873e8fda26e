"""Parses prices from the AWS Price List API. `refreshed` is pure; only `ask` sends requests."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from helpers.errors import UserError
from helpers.pricing.prices import InstanceHours, Prices

if TYPE_CHECKING:
    from types_boto3_pricing import PricingClient

_USAGE = re.compile(r"(?:[A-Z0-9]+-)?Processing:(?P<type>ml\.[a-z0-9-]+\.[a-z0-9-]+)")
"""A usage type such as USE1-Processing:ml.m5.xlarge; us-east-1 may have no prefix."""


def ask(client: "PricingClient", region: str) -> Iterator[str]:
    """Yield the products of SageMaker Processing in a region, each a JSON text as the API sends it."""
    pages = client.get_paginator("get_products").paginate(
        ServiceCode="AmazonSageMaker",
        Filters=[
            {"Type": "TERM_MATCH", "Field": "regionCode", "Value": region},
            {"Type": "TERM_MATCH", "Field": "component", "Value": "Processing"},
        ],
    )
    for page in pages:
        yield from page["PriceList"]


def refreshed(prices: Prices, products: Iterable[str], region: str, today: date) -> Prices:
    """Return prices with the instance hours that the API answered.

    Standing resources keep their prices and dates; those of another region are dropped, not carried over.

    Args:
        prices: what was known before.
        products: elements of PriceList, each a JSON text.
        region: whose prices the answer has.
        today: the date of the answer.

    Raises:
        UserError: the answer names no price, or two different ones for an instance type.
    """
    usd: dict[str, float] = {}
    for product in map(json.loads, products):
        usage = _USAGE.fullmatch(product["product"]["attributes"].get("usagetype", ""))
        hour = _on_demand_hour(product)
        if usage is None or hour is None:
            continue
        name = usage["type"]
        if usd.setdefault(name, hour) != hour:
            raise UserError(
                f"AWS's price list has two prices of {name} in {region}: {usd[name]} and {hour} USD an "
                "hour; nothing was changed",
                hint="Look up which one is meant, and write it into helpers/pricing/prices.json",
            )
    if not usd:
        raise UserError(
            f"AWS's price list has no price of SageMaker Processing in {region!r}; nothing was changed",
            hint="Name a region, as in: make prices ARGS='--region us-east-1'",
        )
    hours = InstanceHours(
        as_of=today,
        source="AWS Price List API, GetProducts of AmazonSageMaker, component Processing, on demand",
        usd=dict(sorted(usd.items())),
    )
    resources = prices.resources if region == prices.region else {}
    return Prices(region=region, instance_hours=(hours,), resources=resources)


def _on_demand_hour(product: Mapping[str, Any]) -> float | None:
    """Return the on-demand price of an hour in USD, if the product is sold by the hour in USD."""
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term["priceDimensions"].values():
            usd = dimension["pricePerUnit"].get("USD")
            if usd and dimension["unit"].lower() in {"hrs", "hours", "hour"} and float(usd) > 0:
                return float(usd)
    return None
