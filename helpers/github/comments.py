"""Creates or updates a comment on a pull request, which is identified by a mark."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from github.Repository import Repository

from helpers.errors import UserError

LONGEST_BODY = 65_536
"""The maximum length of the body of a comment or an issue, in characters."""

_MARK = re.compile(r"[a-z][a-z0-9-]{0,39}")


def pull_request_number(environment: Mapping[str, str]) -> int:
    """Return the number of the pull request of the event that started the workflow.

    Raises:
        UserError: the event has no pull request.
    """
    path = environment.get("GITHUB_EVENT_PATH", "")
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
        return int(event["pull_request"]["number"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"GITHUB_EVENT_PATH is {path!r}, which holds no pull request",
            hint="Run this in a workflow that is started by pull_request",
        ) from error


def put_comment(
    repository: Repository, number: int, mark: str, text: str, more: str = ""
) -> Literal["created", "updated", "unchanged"]:
    """Create or update the comment on a pull request that has a mark.

    Only comments of bots are updated: a person may quote or forge a mark.

    Args:
        repository: the repository of the pull request.
        number: the number of the pull request.
        mark: identifies the comment.
        text: Markdown; it is truncated to the longest body that GitHub accepts.
        more: where to read the rest of a truncated text.

    Raises:
        UserError: the mark is not valid.
        github.GithubException: GitHub rejects a request.
    """
    if not _MARK.fullmatch(mark):
        raise UserError(
            f"invalid mark {mark!r}", hint="Use lower-case letters, digits and hyphens: MARK=plan"
        )
    body = truncated(f"{marker(mark)}\n{text.strip()}\n", more)
    issue = repository.get_issue(number)
    for comment in issue.get_comments():
        if comment.user.type == "Bot" and comment.body.startswith(marker(mark)):
            if comment.body.strip() == body.strip():
                return "unchanged"
            comment.edit(body)
            return "updated"
    issue.create_comment(body)
    return "created"


def marker(mark: str) -> str:
    """Return the HTML comment that identifies a body; GitHub does not display it."""
    return f"<!-- {mark} -->"


def truncated(body: str, more: str = "") -> str:
    """Return a body that GitHub accepts: a longer one is truncated, and ends with a note."""
    if len(body) <= LONGEST_BODY:
        return body
    note = f"\n\n**Truncated: this is too long for GitHub.** {more}\n"
    room = LONGEST_BODY - len(note) - len("\n```\n</details>")
    kept = body[:room].rsplit("\n", 1)[0]
    if kept.count("\n```") % 2:
        kept += "\n```"
    kept += "\n</details>" * (kept.count("<details>") > kept.count("</details>"))
    return kept + note
