"""The requests to GitHub, tested with a server that records them."""

import functools
import io
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from github import Github, GithubException

from helpers.environments import EnvironmentSettings, promoted
from helpers.errors import UserError
from helpers.github.__main__ import main
from helpers.github.comments import LONGEST_BODY, put_comment, truncated
from helpers.github.connection import github_errors, open_repository
from helpers.github.drift_issues import describe, report_drift
from helpers.github.settings import environment_settings, protection, send
from helpers.github.trust import trust_parameters, write_trust
from helpers.project_settings import project_settings
from tests.workflows.github_server import REPOSITORY, TOKEN, GitHub, recording_github

FIRST = str(promoted()[0])
SETTINGS = EnvironmentSettings("eu-west-1")
NEEDS_APPROVAL = EnvironmentSettings("eu-west-1", approval=True)
ROLES = {
    "PlanRoleArn": "arn:plan",
    "DeployRoleArn": "arn:deploy",
    "ModelReaderRoleArn": "arn:read",  # part: model life cycle
}
AS_RECORDED = {"name": "Demo-dev", "drifted": False, "by_hand": [], "not_upserted": [], "note": ""}
PUBLISHED = {"name": "Scores-dev", "published": True, "execution": "", "started": "", "failed": []}
CLEAN: dict[str, Any] = {
    "environment": "dev",
    "drifted": False,
    "stacks": [],
    "pipelines": [AS_RECORDED],
    "scoring": [PUBLISHED],
}
WITHHELD = {
    "name": "Scores-dev",
    "published": False,
    "execution": "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/Scores-dev/execution/abc",
    "started": "2026-11-29T02:00:00+00:00",
    "failed": [
        {
            "name": "drifted",
            "reason": "drift: none of 597 rows is published: weight: PSI 1.079 is above 0.250; "
            "weight: Kolmogorov-Smirnov distance 0.438 is above 0.200; check the input",
        }
    ],
}
DRIFT: dict[str, Any] = {
    "environment": "dev",
    "drifted": True,
    "pipelines": [],
    "scoring": [],
    "stacks": [
        {"name": "demo-dev-keys", "changes": [], "resources": [], "not_compared": []},
        {
            "name": "demo-dev-storage",
            "changes": [
                {"action": "change", "logical_id": "DataBucket", "type": "AWS::S3::Bucket", "what": "Tags"}
            ],
            "resources": [
                {
                    "logical_id": "DataBucket",
                    "type": "AWS::S3::Bucket",
                    "status": "MODIFIED",
                    "differences": [{"path": "/Name", "expected": "a", "actual": "@team | `b`\nc"}],
                }
            ],
            "not_compared": [
                {"logical_id": "LogBucket", "type": "AWS::S3::Bucket", "reason": "Access Denied"}
            ],
        },
    ],
}


@pytest.fixture
def github() -> Iterator[GitHub]:
    with recording_github() as server:
        yield server


@pytest.fixture(autouse=True)
def no_pause(monkeypatch) -> None:
    """Skip the second between two writes that GitHub requires."""
    quick = functools.partial(Github, seconds_between_requests=None, seconds_between_writes=None)
    monkeypatch.setattr("helpers.github.connection.Github", quick)


@pytest.fixture
def repository(github: GitHub) -> Any:
    return open_repository(github.environment())


def bodies(github: GitHub, number: int = 12) -> list[str]:
    return [comment["body"] for comment in github.comments.get(number, [])]


# --- Comments -----------------------------------------------------------------------------------------------


def test_a_comment_is_updated_and_not_repeated(github, repository) -> None:
    github.comment(12, "a person speaks", {"login": "alice", "type": "User"})

    assert put_comment(repository, 12, "plan", "first") == "created"
    assert put_comment(repository, 12, "plan", "second") == "updated"
    assert put_comment(repository, 12, "plan", "second") == "unchanged"
    assert put_comment(repository, 12, "preview", "another") == "created"

    assert bodies(github) == ["a person speaks", "<!-- plan -->\nsecond\n", "<!-- preview -->\nanother\n"]
    assert [method for method, _, _ in github.writes] == ["POST", "PATCH", "POST"]


def test_a_mark_that_a_person_wrote_is_not_ours(github, repository) -> None:
    github.comment(12, "<!-- plan -->\nforged", {"login": "mallory", "type": "User"})

    assert put_comment(repository, 12, "plan", "ours") == "created"
    assert bodies(github)[0] == "<!-- plan -->\nforged"


def test_what_is_too_long_is_cut_with_a_note(github, repository) -> None:
    text = "<details><summary>s</summary>\n\n```text\n" + "line\n" * 20_000 + "```\n</details>"

    put_comment(repository, 12, "plan", text, "See the run.")

    (body,) = bodies(github)
    assert len(body) <= LONGEST_BODY
    assert body.endswith("```\n</details>\n\n**Truncated: this is too long for GitHub.** See the run.\n")
    assert truncated("short") == "short"


# --- Issues -------------------------------------------------------------------------------------------------


def test_an_issue_lives_as_long_as_the_drift(github, repository) -> None:
    github.issue("a person's", "<!-- drift-dev -->", ["drift"], {"login": "alice", "type": "User"})
    other = {**DRIFT, "stacks": DRIFT["stacks"][:1]}

    done = [report_drift(repository, each, "run 7") for each in (CLEAN, DRIFT, DRIFT, other, CLEAN, CLEAN)]

    assert done == ["none", "opened", "unchanged", "updated", "closed", "none"]
    _, issue = github.issues
    assert (issue["title"], issue["state"]) == ("Drift in dev", "closed")
    assert bodies(github, issue["number"]) == ["The drift is gone. run 7"]


def test_environments_have_an_issue_each(github, repository) -> None:
    report_drift(repository, DRIFT, "run 7")
    report_drift(repository, {**DRIFT, "environment": "prod"}, "run 7")
    report_drift(repository, CLEAN, "run 8")

    assert [(each["title"], each["state"]) for each in github.issues] == [
        ("Drift in dev", "closed"),
        ("Drift in prod", "open"),
    ]


def test_what_was_found_can_neither_mention_nor_break_the_table() -> None:
    text = describe(DRIFT)

    assert "demo-dev-keys" not in text, "only what drifted is shown"
    assert "| change | `DataBucket` | `AWS::S3::Bucket` | `Tags` |" in text
    assert "| `DataBucket` | `AWS::S3::Bucket` | `/Name` | `a` | `@team \\| 'b' c` |" in text
    assert "| `LogBucket` | `AWS::S3::Bucket` | `Access Denied` |" in text


def test_a_pipeline_is_reported_with_its_differences() -> None:
    pipeline = {
        "name": "Demo-dev",
        "drifted": True,
        "by_hand": ["-a", "+```"],
        "not_upserted": [f"+{number}" for number in range(100)],
        "note": "it is a rollback",
    }

    text = describe({**CLEAN, "drifted": True, "pipelines": [AS_RECORDED, pipeline]})

    assert "### `Demo-dev` (`it is a rollback`)" in text
    assert "Changed by hand:\n\n```diff\n-a\n+` ` `\n```" in text
    assert "+59\n… and 40 more lines\n```" in text
    assert "+60" not in text
    assert "### `Demo-dev`" not in describe({**DRIFT, "pipelines": [AS_RECORDED]})


# --- Settings -----------------------------------------------------------------------------------------------


def test_rulesets_are_made_once_and_then_replaced(github, repository, tmp_path: Path) -> None:
    (tmp_path / "main.json").write_text('{"name": "main", "enforcement": "active"}')

    for _ in range(2):
        for call in protection(repository, tmp_path):
            send(repository, call)

    assert [(method, path.split("/", 4)[4]) for method, path, _ in github.writes] == [
        ("POST", "rulesets"),
        ("PUT", "rulesets/7"),
    ]
    assert github.rulesets[0]["enforcement"] == "active"


def test_an_environment_is_set_up_once(github, repository) -> None:
    for _ in range(2):
        for call in environment_settings(repository, "prod", ROLES, NEEDS_APPROVAL, ["alice", "acme/ops"]):
            send(repository, call)

    assert github.branches == {"prod-approval": ["main"], "prod": ["main"]}
    assert github.variables == {
        "environments/prod": {
            "DEPLOY_ROLE_ARN": "arn:deploy",
            "MODEL_READER_ROLE_ARN": "arn:read",  # part: model life cycle
            "AWS_REGION": "eu-west-1",
        },
        "actions": {"PLAN_ROLE_ARN_PROD": "arn:plan", "AWS_REGION_PROD": "eu-west-1"},
    }
    posted = ["POST"] * (1 + sum(map(len, github.variables.values())))
    assert [method for method, _, _ in github.writes] == ["PUT", "POST", "PUT", *posted, "PUT", "PUT"]


def test_a_reviewer_approves_once_and_cannot_be_bypassed(github, repository) -> None:
    """Otherwise each job of a protected environment would wait for reviewers and block the queue."""
    for call in environment_settings(repository, "prod", ROLES, NEEDS_APPROVAL, ["alice", "acme/ops"]):
        send(repository, call)

    approval = github.environments["prod-approval"]
    assert approval["reviewers"] == [
        {"type": "User", "id": sum(b"alice")},
        {"type": "Team", "id": sum(b"ops")},
    ]
    assert (approval["can_admins_bypass"], approval["prevent_self_review"]) == (False, True)
    assert github.environments["prod"]["reviewers"] == []
    for name in ("prod", "prod-approval"):
        assert github.environments[name]["deployment_branch_policy"] == {
            "protected_branches": False,
            "custom_branch_policies": True,
        }


def test_without_approval_reviewers_are_those_of_the_environment(github, repository) -> None:
    for call in environment_settings(repository, "dev", ROLES, SETTINGS, ["alice"]):
        send(repository, call)

    assert github.environments.keys() == {"dev"}
    assert github.environments["dev"]["reviewers"] == [{"type": "User", "id": sum(b"alice")}]


@pytest.mark.parametrize("private", [True, False])
def test_reviewers_that_the_plan_does_not_have_are_explained(github, repository, private: bool) -> None:
    github.rejects_reviewers, github.private = True, private
    call = environment_settings(repository, "prod", ROLES, NEEDS_APPROVAL, ["alice"])[0]

    with pytest.raises(UserError if private else GithubException) as raised:
        send(repository, call)

    output = "GitHub rejects the reviewers of prod-approval: .*private repository, reviewers need GitHub E"
    assert bool(re.search(output, str(raised.value))) is private


def test_a_preview_may_come_from_any_branch(github, repository) -> None:
    role = {"DeployRoleArn": "arn:deploy"}
    for call in environment_settings(repository, "preview", role, SETTINGS, []):
        send(repository, call)

    assert github.environments["preview"]["deployment_branch_policy"] is None
    assert github.variables == {
        "environments/preview": {"DEPLOY_ROLE_ARN": "arn:deploy", "AWS_REGION": "eu-west-1"},
        "actions": {"AWS_REGION_PREVIEW": "eu-west-1"},
    }


@pytest.mark.parametrize(
    ("settings", "outputs", "message"),
    [
        (
            NEEDS_APPROVAL,
            ROLES,
            r"""prod.json has "Approval": true, and no reviewers are named\nHint: .*REVIEWERS=""",
        ),
        (SETTINGS, {"PlanRoleArn": "arn:plan"}, "no output DeployRoleArn.*\nHint: .*deploy github_oidc"),
    ],
)
def test_what_cannot_be_set_up_is_reported_before_anything_is_sent(
    github, repository, settings: EnvironmentSettings, outputs: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        environment_settings(repository, "prod", outputs, settings, [])
    assert github.writes == []


# --- Trust --------------------------------------------------------------------------------------------------

NAME = "Octo-Org/octo-repo"
BY_NAME = {"GitHubRepository": NAME}
BY_NUMBER = {**BY_NAME, "GitHubOwnerId": "12", "GitHubRepositoryId": "345"}


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        (f"repo:{NAME}", BY_NAME),
        ("repo:Octo-Org@12/octo-repo@345", BY_NUMBER),
        (None, {**BY_NUMBER, "GitHubRepository": REPOSITORY}),
    ],
)
def test_a_repository_is_trusted_by_the_subject_that_github_reports(
    github, repository, prefix: str | None, expected: dict[str, str]
) -> None:
    github.subject = {"use_default": True, "use_immutable_subject": False, "sub_claim_prefix": prefix}

    assert trust_parameters(repository) == expected


@pytest.mark.parametrize(
    "message",
    [
        {"use_default": False, "sub_claim_prefix": "repo:a/b"},
        {"use_default": True, "sub_claim_prefix": "repository_owner:a"},
        {"use_default": True, "sub_claim_prefix": "repo:a@12/b"},
        {"use_default": True, "sub_claim_prefix": "repo:a/b@345"},
    ],
)
def test_a_subject_that_no_role_trusts_is_rejected(github, repository, message: dict[str, Any]) -> None:
    github.subject = message

    with pytest.raises(UserError, match="OIDC subject of this repository is customized"):
        trust_parameters(repository)


def test_the_parameters_are_written_as_people_write_them(tmp_path: Path) -> None:
    path = tmp_path / "dev.json"
    path.write_text('{\n  "Stacks": ["keys", "identity"],\n  "Parameters": {\n    "Owner": "é"\n  }\n}\n')

    assert write_trust(path, BY_NUMBER)

    assert path.read_text() == (
        '{\n  "Stacks": ["keys", "identity", "github_oidc"],\n  "Parameters": {\n    "Owner": "é",\n'
        '    "GitHubRepository": "Octo-Org/octo-repo",\n'
        '    "GitHubOwnerId": "12",\n    "GitHubRepositoryId": "345"\n  }\n}\n'
    )
    assert not write_trust(path, BY_NUMBER)
    assert write_trust(path, BY_NAME), "one that is known by name again has no numbers left"
    assert "Id" not in path.read_text()


def test_other_files_than_parameters_are_not_changed(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text("[]")

    for name in ("dev.json", "nowhere.json"):
        with pytest.raises(UserError, match="not a parameter file"):
            write_trust(tmp_path / name, BY_NAME)


# --- The command line ---------------------------------------------------------------------------------------


@pytest.fixture
def event(github, monkeypatch, tmp_path: Path) -> Path:
    path = tmp_path / "event.json"
    path.write_text(json.dumps({"pull_request": {"number": 12}}))
    for name, value in github.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(path))
    monkeypatch.delenv("GITHUB_RUN_ID", raising=False)
    return path


def comment(path: Path) -> int:
    return main(["comment", "--file", str(path), "--mark", "plan"])


def test_the_comment_goes_to_the_pull_request_of_the_event(github, event, tmp_path, capsys) -> None:
    (tmp_path / "plan.md").write_text("the plan")

    assert comment(tmp_path / "plan.md") == 0

    assert bodies(github) == ["<!-- plan -->\nthe plan\n"]
    assert capsys.readouterr().out == "Comment plan on pull request 12: created.\n"


def test_a_dry_run_shows_each_call_and_makes_none(github, event, capsys) -> None:
    assert main(["protect", "--dry-run"]) == 0

    assert 'Would send POST /rulesets {"name": "main"' in capsys.readouterr().out
    assert github.writes == []


def test_the_roles_come_by_pipe(github, event, monkeypatch, capsys) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(ROLES)))

    assert main(["setup", "--environment", FIRST, "--reviewer", "alice"]) == 0

    assert f"Sending PUT /environments/{FIRST}" in capsys.readouterr().out
    assert github.variables["actions"][f"PLAN_ROLE_ARN_{FIRST.upper()}"] == "arn:plan"
    assert github.variables["actions"][f"AWS_REGION_{FIRST.upper()}"] == promoted()[0].settings.region


@pytest.mark.parametrize("arguments", [[FIRST, "--dry-run"], [FIRST]])
def test_trust_is_printed_and_written_to_the_parameters(
    github, event, monkeypatch, tmp_path, capsys, arguments: list[str]
) -> None:
    monkeypatch.setattr("helpers.github.__main__.PARAMETERS", tmp_path)
    path, before = tmp_path / f"{FIRST}.json", '{"Stacks": [], "Parameters": {}}'
    path.write_text(before)

    assert main(["trust", "--environment", *arguments]) == 0

    output = capsys.readouterr().out
    expected = f"GitHubRepository={REPOSITORY} GitHubOwnerId=12 GitHubRepositoryId=345\n"
    assert output == expected + (f"{FIRST}.json: written.\n" if arguments == [FIRST] else "")
    assert (path.read_text() != before) == (arguments == [FIRST])
    assert github.writes == []


def test_the_role_of_previews_is_deployed_by_the_command_that_is_printed(
    github, event, monkeypatch, tmp_path, capsys
) -> None:
    preview = tmp_path / "preview.json"
    preview.write_text('{"Region": "eu-north-1"}')
    for module in ("helpers.environments", "helpers.github.__main__"):
        monkeypatch.setattr(f"{module}.PARAMETERS", tmp_path)

    assert main(["trust", "--environment", "preview"]) == 0

    words = shlex.split(capsys.readouterr().out)
    assert words[: words.index("--region")] == ["aws", "cloudformation", "deploy"]
    assert words[words.index("--region") + 1] == "eu-north-1"
    assert words[words.index("--stack-name") + 1] == f"{project_settings().project_name}-preview-github-oidc"
    assert words[words.index("--parameter-overrides") + 1 :] == [
        f"ProjectName={project_settings().project_name}",
        "Environment=pr-*",
        "Protected=false",
        "ProtectsBoundaries=false",
        *(f"{key}={value}" for key, value in {**BY_NUMBER, "GitHubRepository": REPOSITORY}.items()),
    ]
    assert preview.read_text() == '{"Region": "eu-north-1"}'


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("GITHUB_TOKEN", "", "GITHUB_TOKEN is not set"),
        ("GITHUB_TOKEN", "ghs_other", "GitHub rejects the request (401): Bad credentials"),
        ("GITHUB_REPOSITORY", "nonsense", "Set it to owner/name"),
        ("GITHUB_API_URL", "http://api.example.com", "https only"),
        ("GITHUB_EVENT_PATH", "/nowhere", "holds no pull request"),
    ],
)
def test_a_bad_environment_is_reported_without_the_token(
    event, monkeypatch, tmp_path, capsys, name: str, value: str, message: str
) -> None:
    (tmp_path / "plan.md").write_text("the plan")
    monkeypatch.setenv(name, value)

    assert comment(tmp_path / "plan.md") == 1

    shown = "".join(capsys.readouterr())
    assert message in shown
    assert "Traceback" not in shown
    assert TOKEN not in shown
    assert "ghs_other" not in shown


@pytest.mark.parametrize("name", ["nowhere", "pr-7"])
def test_an_environment_without_a_file_is_not_set_up(event, github, capsys, name: str) -> None:
    with pytest.raises(SystemExit):
        main(["setup", "--environment", name])

    assert "environment" in capsys.readouterr().err
    assert github.writes == []


def test_outside_of_workflows_the_repository_is_that_of_the_project(github) -> None:
    environment = {**github.environment(), "GITHUB_REPOSITORY": ""}

    assert open_repository(environment).url.endswith(f"/repos/{project_settings().repository}")


def test_what_github_rejects_is_reported_with_what_to_do(github, repository) -> None:
    github.reject = (403, "Resource not accessible by integration")

    with (
        pytest.raises(UserError, match=r"not accessible by integration\nHint: .*see the job's permissions"),
        github_errors(),
    ):
        put_comment(repository, 12, "plan", "text")


def test_scoring_that_published_nothing_is_drift_until_it_publishes(github, repository) -> None:
    drift = {**CLEAN, "drifted": True, "scoring": [WITHHELD]}

    done = [report_drift(repository, each, "run 7") for each in (drift, drift, CLEAN)]

    assert done == ["opened", "unchanged", "closed"]
    text = describe(drift)
    assert "### `Scores-dev` publishes nothing" in text
    assert WITHHELD["execution"] in text
    assert "PSI 1.079 is above 0.250` |\n| `drifted` | `weight: Kolmogorov-Smirnov distance 0.438 is" in text
    assert "publishes nothing" not in describe(DRIFT)


def test_an_empty_file_is_not_posted(event, github, tmp_path, capsys) -> None:
    (tmp_path / "plan.md").write_text("\n")

    assert comment(tmp_path / "plan.md") == 1
    assert "is empty" in capsys.readouterr().err
    assert github.writes == []


def test_an_error_instead_of_drift_closes_no_issue(event, github, monkeypatch, capsys) -> None:
    github.issue("Drift in dev", "<!-- drift-dev -->", ["drift"])
    monkeypatch.setattr("sys.stdin", io.StringIO(""))

    assert main(["drift-issue"]) == 1
    assert github.issues[0]["state"] == "open"
