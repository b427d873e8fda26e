"""Lists of resources: filters by name, status and time, sorting, and pagination."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from helpers.local_aws.api.operations import members
from helpers.local_aws.api.response import Request, Response, descending, page, within

_TIMES = ("CreationTime", "LastModifiedTime")


@dataclass(frozen=True)
class Listing:
    """How a list operation filters and sorts the summaries of its resources.

    Attributes:
        member: the response member with the summaries, such as `ModelPackageGroupSummaryList`.
        name: the summary member for `NameContains` and `SortBy: Name`.
        default_order: the order if a request has no `SortOrder`.
        status: the summary member for `StatusEquals`, if the operation supports it.
        equal: other request members, each with the summary member that must equal it.
    """

    member: str
    name: str
    default_order: str = "Ascending"
    status: str | None = None
    equal: Mapping[str, str] = field(default_factory=dict)

    @property
    def members(self) -> frozenset[str]:
        """The request members that are supported."""
        times = _TIMES if self.status else _TIMES[:1]
        return members(
            *("NameContains", "SortBy", "SortOrder", "NextToken", "MaxResults"),
            *(f"{time}{way}" for time in times for way in ("After", "Before")),
            *(["StatusEquals"] if self.status else []),
            *self.equal,
        )

    def page(self, summaries: Iterable[Response], request: Request) -> Response:
        """Return the requested page of a list."""
        found = [each for each in summaries if self._matches(each, request)]
        sort_keys = {"Name": self.name, "Status": self.status}
        key = sort_keys.get(request.get("SortBy") or "") or "CreationTime"
        found.sort(key=lambda summary: str(summary[key]), reverse=descending(request, self.default_order))
        return page(found, request, self.member)

    def _matches(self, summary: Response, request: Request) -> bool:
        equal = {**({"StatusEquals": self.status} if self.status else {}), **self.equal}
        return (
            (request.get("NameContains") or "") in summary[self.name]
            and all(request.get(asked) in {None, summary[own]} for asked, own in equal.items())
            and all(
                within(summary[time], request, f"{time}After", f"{time}Before")
                for time in _TIMES
                if time in summary
            )
        )
