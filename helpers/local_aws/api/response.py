"""Common parts of responses: errors, and lists that are paginated."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

ACCOUNT = "123456789012"
PAGE = 100
"""Items per page if the request does not set a number."""

Request = Mapping[str, Any]
Response = dict[str, Any]


class ApiError(Exception):
    """An error that an operation returns instead of a response."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def with_values(members: Response) -> Response:
    """Return a response without the members whose value is None."""
    return {name: value for name, value in members.items() if value is not None}


def descending(request: Request, default: str = "Descending") -> bool:
    """Return whether a request asks for descending order; by default, `default` applies."""
    return bool((request.get("SortOrder") or default) == "Descending")


def within(moment: datetime, request: Request, after: str, before: str) -> bool:
    """Return whether a time lies between two members of a request (seconds since 1970)."""
    low, high = request.get(after), request.get(before)
    return (low is None or moment.timestamp() >= low) and (high is None or moment.timestamp() <= high)


def page(items: Sequence[Response], request: Request, member: str) -> Response:
    """Return one page of a list as `member`; the token is the position of the next page."""
    token = request.get("NextToken") or "0"
    if not token.isdecimal():
        raise ApiError("ValidationException", "Invalid NextToken")
    start, size = int(token), request.get("MaxResults") or PAGE
    response: Response = {member: list(items[start : start + size])}
    if start + size < len(items):
        response["NextToken"] = str(start + size)
    return response
