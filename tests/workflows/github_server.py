"""The part of GitHub's REST API that this project uses, on loopback; records the requests."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "octo-org/octo-repo"
BOT = {"login": "github-actions[bot]", "type": "Bot", "id": 1}
TOKEN = "ghs_recorded"


@dataclass
class GitHub:
    """The state of a repository, and the requests that changed it."""

    url: str = ""
    writes: list[tuple[str, str, Any]] = field(default_factory=list)
    comments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    issues: list[dict[str, Any]] = field(default_factory=list)
    rulesets: list[dict[str, Any]] = field(default_factory=list)
    environments: dict[str, dict[str, Any]] = field(default_factory=dict)
    branches: dict[str, list[str]] = field(default_factory=dict)
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    subject: dict[str, Any] = field(default_factory=lambda: {"use_default": True})
    reject: tuple[int, str] | None = None
    private: bool = False
    rejects_reviewers: bool = False
    """Whether it rejects protection rules, like plans without them do for private repositories."""

    def environment(self, repository: str = REPOSITORY) -> dict[str, str]:
        """Return the variables with which a workflow step connects to it."""
        return {
            "GITHUB_API_URL": self.url,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_REPOSITORY": repository,
            "NO_PROXY": "127.0.0.1",
        }

    def comment(self, number: int, body: str, user: dict[str, Any] = BOT) -> dict[str, Any]:
        listed = self.comments.setdefault(number, [])
        known = sum(map(len, self.comments.values()))
        url = f"{self.url}/repos/{REPOSITORY}/issues/comments/{known + 1}"
        listed.append({"id": known + 1, "url": url, "body": body, "user": user})
        return listed[-1]

    def issue(self, title: str, body: str, labels: list[str], user: dict[str, Any] = BOT) -> dict[str, Any]:
        number = len(self.issues) + 101
        url = f"{self.url}/repos/{REPOSITORY}/issues/{number}"
        self.issues.append(
            {
                "id": number,
                "number": number,
                "url": url,
                "title": title,
                "body": body,
                "state": "open",
                "labels": [{"name": label} for label in labels],
                "user": user,
            }
        )
        return self.issues[-1]

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:  # noqa: C901 - one line a request
        """Respond to a request below the repository, or with 404."""
        match method, path.strip("/").split("/"):
            case "GET", [""]:
                owner, name = REPOSITORY.split("/")
                return 200, {
                    "name": name,
                    "id": 345,
                    "owner": {"login": owner, "id": 12},
                    "private": self.private,
                }
            case "GET", ["actions", "oidc", "customization", "sub"]:
                return 200, self.subject
            case "GET", ["issues"]:
                labels = set(filter(None, query.get("labels", [""])[0].split(",")))
                return 200, [
                    each
                    for each in self.issues
                    if each["state"] in query["state"] and labels <= {one["name"] for one in each["labels"]}
                ]
            case "POST", ["issues"]:
                return 201, self.issue(body["title"], body["body"], body["labels"])
            case "PATCH", ["issues", "comments", number]:
                (comment,) = (
                    each for listed in self.comments.values() for each in listed if each["id"] == int(number)
                )
                return 200, self._merged(comment, body)
            case "GET", ["issues", number]:
                return 200, {"number": int(number), "url": f"{self.url}{path}"}
            case "PATCH", ["issues", number]:
                return 200, self._merged(self.issues[int(number) - 101], body)
            case "GET", ["issues", number, "comments"]:
                return 200, self.comments.get(int(number), [])
            case "POST", ["issues", number, "comments"]:
                return 201, self.comment(int(number), body["body"])
            case "GET", ["rulesets"]:
                return 200, self.rulesets
            case "POST", ["rulesets"]:
                self.rulesets.append({**body, "id": len(self.rulesets) + 7})
                return 201, self.rulesets[-1]
            case "PUT", ["rulesets", number]:
                return 200, self._merged(next(e for e in self.rulesets if e["id"] == int(number)), body)
            case "PUT", ["environments", _] if self.rejects_reviewers and body["reviewers"]:
                return 422, {"message": "Failed to create the environment protection rule"}
            case "PUT", ["environments", name]:
                self.environments[name] = body
                return 200, {"name": name}
            case "GET", ["environments", name, _] if name not in self.environments:
                return 404, {"message": "Not Found"}
            case "GET", ["environments", name, "deployment-branch-policies"]:
                return 200, {"branch_policies": [{"name": each} for each in self.branches.get(name, [])]}
            case "POST", ["environments", name, "deployment-branch-policies"]:
                self.branches.setdefault(name, []).append(body["name"])
                return 200, body
            case "GET", [*scope, "variables"]:
                known = self.variables.get("/".join(scope), {})
                return 200, {"variables": [{"name": name, "value": value} for name, value in known.items()]}
            case ("POST", [*scope, "variables"]) | ("PATCH", [*scope, "variables", _]):
                self.variables.setdefault("/".join(scope), {})[body["name"]] = body["value"]
                return 201, body
        return 404, {"message": f"{method} {path} is not recorded here"}

    @staticmethod
    def _merged(there: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
        there.update(body)
        return there


@contextmanager
def recording_github() -> Iterator[GitHub]:
    """Serve on loopback within the block."""
    github = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            address = urlsplit(self.path)
            status, answer = 401, {"message": "Bad credentials"}
            if self.headers.get("Authorization") in {f"token {TOKEN}", f"Bearer {TOKEN}"}:
                status, answer = self._answer(address.path, parse_qs(address.query), body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _answer(self, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
            if self.command != "GET":
                github.writes.append((self.command, path, body))
            if github.reject:
                return github.reject[0], {"message": github.reject[1]}
            if who := re.fullmatch(r"/(?:users|orgs/[^/]+/teams)/([^/]+)", path):
                return 200, {"id": sum(who[1].encode())}
            below = re.fullmatch(r"/repos/[^/]+/[^/]+(|/.*)", path)
            return github.answer(self.command, below[1], query, body) if below else (404, {"message": "?"})

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
