"""One comment per pull request and mark, which is updated and never repeated."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from github.Repository import Repository

from helpers.errors import UserError

LONGEST_BODY = 65_536
"""Characters that GitHub takes as the body of a comment or of an issue."""

_MARK = re.compile(r"[a-z][a-z0-9-]{0,39}")


def pull_request_number(environment: Mapping[str, str]) -> int:
    """Return the number of the pull request that the workflow's event is about.

    Raises:
        UserError: the event is about none.
    """
    path = environment.get("GITHUB_EVENT_PATH", "")
    try:
        event = json.loads(Path(path).read_text(encoding="utf-8"))
        return int(event["pull_request"]["number"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"GITHUB_EVENT_PATH is {path!r}, which tells of no pull request: comments are for workflows "
            "that run on pull_request"
        ) from error


def put_comment(
    repository: Repository, number: int, mark: str, text: str, more: str = ""
) -> Literal["created", "updated", "unchanged"]:
    """Say something on a pull request, in place of what was said under the same mark before.

    Only comments of bots are taken for ours: a person may quote or forge a mark.

    Args:
        repository: the repository of the pull request.
        number: of the pull request.
        mark: tells the comments of one pull request apart.
        text: Markdown; what does not fit is cut.
        more: where the rest can be read, for a text that was cut.

    Raises:
        UserError: the mark cannot be used.
        github.GithubException: GitHub refuses.
    """
    if not _MARK.fullmatch(mark):
        raise UserError(f"{mark!r} is no mark: use lower-case letters, digits and hyphens")
    body = fitted(f"{marker(mark)}\n{text.strip()}\n", more)
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
    """Return the comment in Markdown, which nobody sees, that a body is known by."""
    return f"<!-- {mark} -->"


def fitted(body: str, more: str = "") -> str:
    """Return a body that GitHub takes; one that is too long ends with a note."""
    if len(body) <= LONGEST_BODY:
        return body
    note = f"\n\n**Cut here: this is too long for GitHub.** {more}\n"
    room = LONGEST_BODY - len(note) - len("\n```\n</details>")
    kept = body[:room].rsplit("\n", 1)[0]
    if kept.count("\n```") % 2:
        kept += "\n```"
    kept += "\n</details>" * (kept.count("<details>") > kept.count("</details>"))
    return kept + note
