"""The Search operation: filters the resources of a region by properties and tags."""

import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from helpers.local_aws.api.operations import Operation, Operations, members
from helpers.local_aws.api.response import ApiError, Request, Response, descending, page

Records = Callable[[], list[Response]]

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": operator.eq,
    "NotEquals": operator.ne,
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
    "Contains": operator.contains,
    "In": lambda value, wanted: value in [each.strip() for each in wanted.split(",")],
}


class Search:
    """The Search operation."""

    def __init__(self, resources: Mapping[str, Records]):
        """Args: resources: What can be searched, by the API's name of the type, such as `Pipeline`."""
        self._resources = resources

    def operations(self) -> Operations:
        """Return the operation by name."""
        supported = members(
            *("Resource", "SortBy", "SortOrder", "NextToken", "MaxResults"),
            *("SearchExpression.Filters", "SearchExpression.Operator", "SearchExpression.SubExpressions"),
        )
        return {"Search": Operation(self.search, supported)}

    def search(self, request: Request) -> Response:
        """Return the resources of a type that match an expression, newest first by default."""
        resource = request["Resource"]
        if resource not in self._resources:
            raise ApiError(
                "ValidationException",
                f"The embedded AWS does not search {resource}; it searches {' and '.join(self._resources)}",
            )
        expression = request.get("SearchExpression") or {}
        found = [record for record in self._resources[resource]() if _holds(expression, record)]
        sort_key = request.get("SortBy") or "LastModifiedTime"
        found.sort(key=lambda record: str(record.get(sort_key, "")), reverse=descending(request))
        return page([{resource: record} for record in found], request, "Results")


def _holds(expression: Mapping[str, Any], record: Response) -> bool:
    results = [_matches(each, record) for each in expression.get("Filters") or []]
    results += [_holds(each, record) for each in expression.get("SubExpressions") or []]
    if not results:
        return True
    return any(results) if expression.get("Operator") == "Or" else all(results)


def _matches(condition: Mapping[str, Any], record: Response) -> bool:
    kind = condition.get("Operator") or "Equals"
    values = list(_values(record, condition["Name"].split(".")))
    if kind == "Exists":
        return bool(values)
    if kind == "NotExists":
        return not values
    compared = [_COMPARISONS[kind](str(value), condition.get("Value", "")) for value in values]
    return all(compared) if kind == "NotEquals" else any(compared)


def _values(node: Any, path: list[str]) -> Iterator[Any]:
    """Yield the values at a path; a tag's key is a part of the path, as in `Tags.Owner`."""
    if not path:
        yield node
    elif isinstance(node, dict) and path[0] in node:
        yield from _values(node[path[0]], path[1:])
    elif isinstance(node, list):
        yield from (tag["Value"] for tag in node if tag.get("Key") == ".".join(path))
