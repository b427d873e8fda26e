"""Tags of resources: their validation, and the tag operations for all kinds of resources."""

from collections.abc import Callable, Sequence

from helpers.local_aws.api.operations import Operation, Operations, members
from helpers.local_aws.api.response import ApiError, Request, Response, page

MAX_TAGS = 50
Tags = list[dict[str, str]]

FindTags = Callable[[str], Tags | None]
"""Returns the tags of the resource with an ARN, as the list that the resource holds, or None."""


def tag_problems(tags: Sequence[object]) -> list[str]:
    """Return why AWS rejects tags of valid shape; functions of a pipeline definition are skipped."""
    keys = [str(tag["Key"]) for tag in tags if isinstance(tag, dict) and isinstance(tag.get("Key"), str)]
    problems = [
        f"Tag key '{key}': aws: prefixed tag key names are not allowed for external use"
        for key in keys
        if key.lower().startswith("aws:")
    ]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        problems.append(f"Duplicate tag keys found: {', '.join(twice)}")
    return problems


def checked_tags(request: Request) -> Tags:
    """Return the tags of a create request.

    Raises:
        ApiError: ValidationException for a reserved or a duplicate key.
    """
    tags = [dict(tag) for tag in request.get("Tags") or []]
    problems = tag_problems(tags)
    if problems:
        raise ApiError("ValidationException", "; ".join(problems))
    return tags


class TagOperations:
    """AddTags, ListTags and DeleteTags."""

    def __init__(self, *finders: FindTags):
        """Args: finders: One for each kind of resource that has tags."""
        self._finders = finders

    def operations(self) -> Operations:
        """Return the operations by name."""
        return {
            "AddTags": Operation(self.add_tags, members("ResourceArn", "Tags")),
            "DeleteTags": Operation(self.delete_tags, members("ResourceArn", "TagKeys")),
            "ListTags": Operation(self.list_tags, members("ResourceArn", "NextToken", "MaxResults")),
        }

    def add_tags(self, request: Request) -> Response:
        """Add tags to a resource, or change the values of existing tags."""
        kept, given = self._tags(request), checked_tags(request)
        result = {tag["Key"]: tag for tag in (*kept, *given)}
        if len(result) > MAX_TAGS:
            raise ApiError("ValidationException", f"A resource can have at most {MAX_TAGS} tags")
        kept[:] = result.values()
        return {"Tags": given}

    def delete_tags(self, request: Request) -> Response:
        """Remove tags from a resource."""
        kept = self._tags(request)
        kept[:] = [tag for tag in kept if tag["Key"] not in request["TagKeys"]]
        return {}

    def list_tags(self, request: Request) -> Response:
        """Return the tags of a resource."""
        return page(self._tags(request), request, "Tags")

    def _tags(self, request: Request) -> Tags:
        arn = request["ResourceArn"]
        for find in self._finders:
            tags = find(arn)
            if tags is not None:
                return tags
        raise ApiError("ResourceNotFound", f"The embedded AWS holds no resource {arn} that has tags")
