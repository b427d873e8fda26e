"""Reports drift as issues: each environment has one, which is open while there is drift."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from github.Issue import Issue
from github.Repository import Repository

from helpers.github.comments import marker, truncated

LABEL = "drift"
_SHOWN_LINES = 60


def report_drift(
    repository: Repository, drift: Mapping[str, Any], run: str
) -> Literal["opened", "updated", "unchanged", "closed", "none"]:
    """Open, update or close the issue of an environment, and return what was done.

    Args:
        repository: the repository of the issue.
        drift: the output of `drift --json`.
        run: the URL of the workflow run that compared.

    Raises:
        github.GithubException: GitHub rejects a request.
    """
    environment = drift["environment"]
    issue = _open_issue(repository, environment)
    if not drift["drifted"]:
        if issue is None:
            return "none"
        issue.create_comment(f"The drift is gone. {run}")
        issue.edit(state="closed", state_reason="completed")
        return "closed"
    body = truncated(describe(drift), run)
    if issue is None:
        repository.create_issue(title=f"Drift in {environment}", body=body, labels=[LABEL])
        return "opened"
    if issue.body.strip() == body.strip():
        return "unchanged"
    issue.edit(body=body)
    return "updated"


def describe(drift: Mapping[str, Any]) -> str:
    """Return the body of an issue in Markdown, given the output of `drift --json`."""
    environment = drift["environment"]
    parts = [marker(f"drift-{environment}"), f"There is drift in `{environment}`."]
    for stack in drift["stacks"]:
        changes, resources, unchecked = stack["changes"], stack["resources"], stack["not_compared"]
        if not changes and not resources and not unchecked:
            continue
        parts.append(f"### {_code(stack['name'])}")
        if changes:
            parts += [
                "A deployment would change:",
                _table(("", "Resource", "Type", "What"), _changes(changes)),
            ]
        if resources:
            parts += [
                "Changed by hand:",
                _table(("Resource", "Type", "Property", "Expected", "Actual"), _by_hand(resources)),
            ]
        if unchecked:
            parts += [
                "Not checked, so there may be more drift:",
                _table(("Resource", "Type", "Why"), _not_compared(unchecked)),
            ]
    for pipeline in drift["pipelines"]:
        parts += _pipeline(pipeline)
    for scoring in drift["scoring"]:
        parts += _scoring(scoring)
    parts.append(
        "Fix it in the repository or by hand: a deployment does not undo manual changes. "
        f"`make drift ENV={environment}` shows the same. This issue is closed when the drift is gone."
    )
    return "\n\n".join(parts) + "\n"


def _open_issue(repository: Repository, environment: str) -> Issue | None:
    for issue in repository.get_issues(state="open", labels=[LABEL]):
        if issue.user.type == "Bot" and (issue.body or "").startswith(marker(f"drift-{environment}")):
            return issue
    return None


def _changes(changes: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, ...]]:
    for change in changes:
        yield change["action"], _code(change["logical_id"]), _code(change["type"]), _code(change["what"])


def _by_hand(resources: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, ...]]:
    for resource in resources:
        name, kind = _code(resource["logical_id"]), _code(resource["type"])
        if not resource["differences"]:
            yield name, kind, resource["status"].lower(), "", ""
        for each in resource["differences"]:
            yield name, kind, _code(each["path"]), _code(each["expected"]), _code(each["actual"])


def _not_compared(unchecked: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, ...]]:
    for each in unchecked:
        yield _code(each["logical_id"]), _code(each["type"]), _code(each["reason"])


def _pipeline(pipeline: Mapping[str, Any]) -> Iterable[str]:
    if pipeline["drifted"]:
        yield f"### {_code(pipeline['name'])}" + (f" ({_code(pipeline['note'])})" if pipeline["note"] else "")
    if pipeline["by_hand"]:
        yield "Changed by hand:"
        yield _diff(pipeline["by_hand"])
    if pipeline["not_upserted"]:
        yield "Differs from the repository:"
        yield _diff(pipeline["not_upserted"])


def _scoring(scoring: Mapping[str, Any]) -> Iterable[str]:
    if not scoring["published"]:
        yield f"### {_code(scoring['name'])} publishes nothing"
        yield f"Its newest execution failed: {_code(scoring['execution'])}"
        rows = [
            (_code(step["name"]), _code(reason))
            for step in scoring["failed"]
            for reason in step["reason"].split("; ")
        ]
        yield _table(("Step", "Why"), rows)


def _diff(lines: Sequence[str]) -> str:
    shown = [line.replace("```", "` ` `") for line in lines[:_SHOWN_LINES]]
    rest = [f"… and {len(lines) - _SHOWN_LINES} more lines"] * (len(lines) > _SHOWN_LINES)
    return "\n".join(["```diff", *shown, *rest, "```"])


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _code(value: str) -> str:
    """Return text as code in a table cell, so that it cannot mention users or create links."""
    text = " ".join(str(value).split()).replace("`", "'").replace("|", "\\|")
    return f"`{text}`" if text else ""
