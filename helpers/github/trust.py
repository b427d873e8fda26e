"""The OIDC subject of a repository's workflows, as parameters of the stack of GitHub's roles."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from github.Repository import Repository

from helpers.environments import PREVIEW
from helpers.errors import UserError
from helpers.files import write_atomically
from helpers.project_settings import project_settings

TEMPLATE = "github_oidc"
_SUBJECT = re.compile(
    r"repo:(?P<owner>[^@/]+)(@(?P<owner_id>\d+))?/(?P<name>[^@/]+)(?(owner_id)@(?P<repository_id>\d+))"
)
_OFF = {"Protected": "false", "ProtectsBoundaries": "false"}
"""Parameters of the role of previews, whose data is never retained."""
_NAMES = ("GitHubRepository", "GitHubOwnerId", "GitHubRepositoryId")


def trust_parameters(repository: Repository) -> dict[str, str]:
    """Return the parameters of infra/github_oidc.yaml that make its roles trust a repository.

    Parameters without a value are omitted.

    Raises:
        UserError: the OIDC subject of the repository is customized, and the roles would not trust it.
        github.GithubException: GitHub rejects a request.
    """
    _, answer = repository.requester.requestJsonAndCheck(
        "GET", f"{repository.url}/actions/oidc/customization/sub"
    )
    # Tokens have this prefix. `use_immutable_subject` in the same response can contradict it.
    prefix = answer.get("sub_claim_prefix") or _default_prefix(repository)
    found = _SUBJECT.fullmatch(prefix)
    if not answer["use_default"] or not found:
        raise UserError(
            f"The OIDC subject of this repository is customized ({prefix}), and the roles trust only "
            "GitHub's default",
            hint="Reset it in the settings of the repository (Actions, OIDC)",
        )
    values = (f"{found['owner']}/{found['name']}", found["owner_id"], found["repository_id"])
    return {key: value for key, value in zip(_NAMES, values, strict=True) if value}


def preview_role_command(parameters: Mapping[str, str], region: str) -> list[str]:
    """Return the AWS CLI command with which an administrator deploys the role of all previews.

    Args:
        parameters: the result of `trust_parameters`.
        region: the region of previews.
    """
    project = project_settings().project_name
    overrides = {"ProjectName": project, "Environment": "pr-*", **_OFF, **parameters}
    return [
        *("aws", "cloudformation", "deploy", "--region", region),
        *("--stack-name", f"{project}-{PREVIEW}-{TEMPLATE.replace('_', '-')}"),
        *("--template-file", f"infra/{TEMPLATE}.yaml", "--capabilities", "CAPABILITY_NAMED_IAM"),
        *("--parameter-overrides", *(f"{key}={value}" for key, value in overrides.items())),
    ]


def write_trust(path: Path, parameters: Mapping[str, str]) -> bool:
    """Write the parameters and the name of their stack to a parameter file; return whether it changed.

    Raises:
        UserError: the file is not a parameter file, or cannot be read or written.
    """
    try:
        text = path.read_text(encoding="utf-8")
        content = json.loads(text)
        others = {key: value for key, value in content["Parameters"].items() if key not in _NAMES}
        stacks = [*content["Stacks"], *([] if TEMPLATE in content["Stacks"] else [TEMPLATE])]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is not a parameter file: {error}",
            hint=f"Correct {path}, or name another environment with: make github-trust ENV=dev",
        ) from error
    content = {**content, "Stacks": stacks, "Parameters": {**others, **parameters}}
    marked = json.dumps({**content, "Stacks": "stacks"}, indent=2, ensure_ascii=False)
    # Keep the list on one line, as people write it.
    wanted = marked.replace('"Stacks": "stacks"', f'"Stacks": {json.dumps(stacks)}', 1) + "\n"
    if wanted == text:
        return False
    write_atomically(path, wanted)
    return True


def _default_prefix(repository: Repository) -> str:
    """Return the prefix of new repositories on github.com, for an API that does not return it."""
    _, it = repository.requester.requestJsonAndCheck("GET", repository.url)
    return f"repo:{it['owner']['login']}@{it['owner']['id']}/{it['name']}@{it['id']}"
