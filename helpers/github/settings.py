"""The GitHub settings that the workflows need, as API requests."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from github import GithubException
from github.Repository import Repository

from helpers.environments import PREVIEW, EnvironmentSettings
from helpers.errors import UserError
from helpers.github.workflows import approval_of, region_variable

RULESETS = Path(__file__).parents[2] / ".github" / "rulesets"
MAIN = "main"
"""The only branch whose jobs may use an environment; the environment of previews accepts all branches."""
_ON_MAIN = {"protected_branches": False, "custom_branch_policies": True}


@dataclass(frozen=True)
class Call:
    """A request that changes a setting; its path is relative to the URL of the repository."""

    method: str
    path: str
    body: Mapping[str, Any]

    def __str__(self) -> str:
        """Return the request as one line."""
        return f"{self.method} {self.path} {json.dumps(self.body)}"


def protection(repository: Repository, folder: Path = RULESETS) -> list[Call]:
    """Return the calls that apply the rulesets of a folder: create new ones, replace those of the same name.

    Raises:
        UserError: a file is not a ruleset.
        github.GithubException: GitHub rejects a request.
    """
    ids = {each["name"]: each["id"] for each in _get(repository, "/rulesets", [])}
    calls = []
    for path in sorted(folder.glob("*.json")):
        ruleset = _ruleset(path)
        known = ids.get(ruleset["name"])
        calls.append(
            Call("PUT", f"/rulesets/{known}", ruleset) if known else Call("POST", "/rulesets", ruleset)
        )
    return calls


def environment_settings(
    repository: Repository,
    name: str,
    outputs: Mapping[str, str],
    settings: EnvironmentSettings,
    reviewers: Sequence[str],
) -> list[Call]:
    """Return the calls that create a GitHub environment, and variables with the roles and the region.

    Args:
        repository: the repository of the environment.
        name: the name of the environment, or `preview`.
        outputs: the outputs of the environment's stacks, including those of `github_oidc`.
        settings: the settings of the environment.
        reviewers: users, and teams as owner/team.

    Raises:
        UserError: a role is missing, or deployments need approval and no reviewer is named.
        github.GithubException: GitHub rejects a request, for example for an unknown reviewer.
    """
    roles = {"DeployRoleArn"}
    if name != PREVIEW:
        roles |= {
            "ModelReaderRoleArn",  # part: model life cycle
            "PlanRoleArn",
        }
    missing = roles - outputs.keys()
    if missing:
        raise UserError(
            f"The stacks of {name} have no output {' and '.join(sorted(missing))}",
            hint=f"As an administrator, deploy github_oidc with: make github-trust deploy ENV={name}",
        )
    if settings.approval and not reviewers:
        raise UserError(
            f'infra/parameters/{name}.json has "Approval": true, and no reviewers are named',
            hint=f"Name them with: make github-setup ENV={name} REVIEWERS='a-user owner/a-team'",
        )
    path = f"/environments/{name}"
    deploys = {"DEPLOY_ROLE_ARN": outputs["DeployRoleArn"], "AWS_REGION": settings.region}
    set_up = {region_variable(name): settings.region}
    if name == PREVIEW:
        reviewed = _protection(repository, reviewers, None)
        return [
            Call("PUT", path, reviewed),
            *_variables(repository, path, deploys),
            *_variables(repository, "/actions", set_up),
        ]
    deploys["MODEL_READER_ROLE_ARN"] = outputs["ModelReaderRoleArn"]  # part: model life cycle
    plans = {f"PLAN_ROLE_ARN_{name.upper()}": outputs["PlanRoleArn"], **set_up}
    return [
        *(_approval(repository, name, reviewers) if settings.approval else []),
        Call("PUT", path, _protection(repository, [] if settings.approval else reviewers, _ON_MAIN)),
        *_branches(repository, f"{path}/deployment-branch-policies"),
        *_variables(repository, path, deploys),
        *_variables(repository, "/actions", plans),
    ]


def _approval(repository: Repository, name: str, reviewers: Sequence[str]) -> list[Call]:
    """Return the calls that create the approval environment, whose reviewers administrators cannot bypass."""
    path = f"/environments/{approval_of(name)}"
    reviewed = {**_protection(repository, reviewers, _ON_MAIN), "can_admins_bypass": False}
    return [Call("PUT", path, reviewed), *_branches(repository, f"{path}/deployment-branch-policies")]


def _protection(
    repository: Repository, reviewers: Sequence[str], branches: Mapping[str, bool] | None
) -> dict[str, Any]:
    return {
        "prevent_self_review": bool(reviewers),
        "reviewers": [_reviewer(repository, each) for each in reviewers],
        "deployment_branch_policy": branches,
    }


def send(repository: Repository, call: Call) -> None:
    """Send a call.

    Raises:
        UserError: the GitHub plan of a private repository has no required reviewers.
        github.GithubException: GitHub rejects it.
    """
    try:
        repository.requester.requestJsonAndCheck(call.method, repository.url + call.path, input=call.body)
    except GithubException as error:
        rejected = error.status == HTTPStatus.UNPROCESSABLE_ENTITY and call.body.get("reviewers")
        if rejected and repository.private:
            raise _without_reviewers(call, error) from error
        raise


def _without_reviewers(call: Call, error: GithubException) -> UserError:
    return UserError(
        f"GitHub rejects the reviewers of {call.path.rpartition('/')[2]}: {error}. In a private repository, "
        "reviewers need GitHub Enterprise",
        hint='Make the repository public, or remove "Approval": true from the file of the environment: '
        "everyone who can merge can then deploy",
    )


def _branches(repository: Repository, path: str) -> list[Call]:
    there = _get(repository, path, {}).get("branch_policies", [])
    return [] if MAIN in {each["name"] for each in there} else [Call("POST", path, {"name": MAIN})]


def _variables(repository: Repository, path: str, wanted: Mapping[str, str]) -> list[Call]:
    there = {
        each["name"]: each["value"] for each in _get(repository, f"{path}/variables", {}).get("variables", [])
    }
    return [
        Call("PATCH", f"{path}/variables/{name}", {"name": name, "value": value})
        if name in there
        else Call("POST", f"{path}/variables", {"name": name, "value": value})
        for name, value in wanted.items()
        if there.get(name) != value
    ]


def _reviewer(repository: Repository, name: str) -> dict[str, Any]:
    owner, slash, team = name.partition("/")
    root = repository.url.split("/repos/")[0]
    address = f"{root}/orgs/{owner}/teams/{team}" if slash else f"{root}/users/{owner}"
    _, found = repository.requester.requestJsonAndCheck("GET", address)
    return {"type": "Team" if slash else "User", "id": found["id"]}


def _get(repository: Repository, path: str, default: Any) -> Any:
    try:
        _, found = repository.requester.requestJsonAndCheck(
            "GET", repository.url + path, parameters={"per_page": 100}
        )
    except GithubException as error:
        if error.status == 404:  # the environment does not exist yet
            return default
        raise
    return found


def _ruleset(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise UserError(
            f"{path} cannot be read: {error}", hint=f"Correct {path}, then run: make protect ARGS=--dry-run"
        ) from error
    if not isinstance(content, dict) or not isinstance(content.get("name"), str):
        raise UserError(
            f"{path} is not a ruleset: it is not an object with a name",
            hint=f"Restore it (git restore {path}), or write an object with a name",
        )
    return content
