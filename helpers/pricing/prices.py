"""The data file of prices, typed."""

from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from helpers.errors import UserError, one_per_line

PRICES = Path(__file__).with_name("prices.json")

Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Price(_Model):
    """What one unit of a resource with a fixed price costs."""

    usd: Usd
    per: str
    """The unit, in words."""
    as_of: date
    source: str


class InstanceHours(_Model):
    """On-demand prices of SageMaker Processing that were looked up together."""

    as_of: date
    source: str
    usd: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]]
    """USD an instance and hour, by instance type."""


class Prices(_Model):
    """Prices of one region, before taxes, discounts and free tiers."""

    region: str
    instance_hours: tuple[InstanceHours, ...]
    resources: dict[str, Price]

    def hourly_price(self, instance_type: str) -> float | None:
        """Return what an instance costs in an hour, in USD; None if the file has none.

        The prices are those of processing. AWS lists the same for training and for batch transform.
        """
        return self._hourly.get(instance_type)

    def resource(self, name: str) -> Price:
        """Return the fixed price of a resource, as `kms_key_month`.

        Raises:
            UserError: the file does not have it.
        """
        if name not in self.resources:
            known = ", ".join(sorted(self.resources)) or "none"
            raise UserError(
                f"no price of {name} in {self.region} is known; known are: {known}",
                hint="Add it to helpers/pricing/prices.json",
            )
        return self.resources[name]

    @property
    def as_of(self) -> date:
        """The day of the oldest price of an instance: an estimate is as old as that."""
        return min(group.as_of for group in self.instance_hours)

    @property
    def instance_types(self) -> frozenset[str]:
        """The instance types whose price is known."""
        return frozenset(self._hourly)

    @cached_property
    def _hourly(self) -> dict[str, float]:
        return {name: usd for group in self.instance_hours for name, usd in group.usd.items()}


def load_prices(path: Path = PRICES) -> Prices:
    """Read the prices.

    Raises:
        UserError: the file is not there, or is not what `make prices` writes.
    """
    restore = f"Restore it (git restore {path}), or write it again with: make prices"
    try:
        prices = Prices.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file", hint=restore) from None
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()]
        raise UserError(f"{path}: not a file of prices:{one_per_line(problems)}", hint=restore) from None
    names = [name for group in prices.instance_hours for name in group.usd]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UserError(
            f"{path}: instance_hours: priced twice: {', '.join(twice)}", hint="Keep one price of each"
        )
    if not names:
        raise UserError(f"{path}: instance_hours: no instance has a price", hint=restore)
    return prices
