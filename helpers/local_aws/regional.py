"""Resources that the API of a service and CloudFormation share: one object for each region."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

Resources = TypeVar("Resources")


class Regional(Generic[Resources]):
    """The resources of one kind by region."""

    def __init__(self, make: Callable[[str], Resources]):
        """Args: make: returns what a region has in the beginning."""
        self._make = make
        self._by_region: dict[str, Resources] = {}

    def of(self, region: str) -> Resources:
        """Return what a region has."""
        if region not in self._by_region:
            self._by_region.setdefault(region, self._make(region))
        return self._by_region[region]

    def state(self) -> Mapping[str, Resources]:
        """Return all there is, for another server to restore."""
        return self._by_region

    def restore(self, state: Mapping[str, Resources]) -> None:
        """Have what a server had that has ended; before anything asks for it."""
        self._by_region.update(state)
