"""Resources that the API of a service and CloudFormation share: one object per region."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

Resources = TypeVar("Resources")


class Regional(Generic[Resources]):
    """The resources of one kind by region."""

    def __init__(self, make: Callable[[str], Resources]):
        """Args: make: returns the initial resources of a region."""
        self._make = make
        self._by_region: dict[str, Resources] = {}

    def of(self, region: str) -> Resources:
        """Return the resources of a region."""
        if region not in self._by_region:
            self._by_region.setdefault(region, self._make(region))
        return self._by_region[region]

    def state(self) -> Mapping[str, Resources]:
        """Return all resources, for another server to restore."""
        return self._by_region

    def restore(self, state: Mapping[str, Resources]) -> None:
        """Restore the resources of a stopped server, before they are used."""
        self._by_region.update(state)
