"""Settings that GitHub itself enforces, which no local run can show: read from the workflow files."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.infra.stacks.waiting import READING

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
FILES = sorted((GITHUB / "workflows").glob("*.yml"))
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text()) for path in FILES}
ACTION = yaml.safe_load((GITHUB / "actions" / "setup" / "action.yml").read_text())
ASSUMES_A_ROLE = "aws-actions/configure-aws-credentials"
TRIGGERS = {
    "ci": {"pull_request", "push"},
    "plan": {"pull_request"},
    "preview": {"pull_request"},
    "deploy": {"push"},
    "deploy-environment": {"workflow_call"},
    "follow-pipelines": {"workflow_call"},
    "preview-environment": {"workflow_call"},
    "rollback-environment": {"workflow_call"},
    "run-pipelines": {"workflow_call"},
    "sweep-environment": {"workflow_call"},
    "rollback": {"workflow_dispatch"},
    "promote-model": {"workflow_dispatch"},  # part: model life cycle
    "teardown": {"workflow_dispatch"},
    "sweep": {
        "schedule",  # part: schedules
        "workflow_dispatch",
    },
    "preview-teardown": {"pull_request"},
    "preview-sweep": {"schedule", "workflow_dispatch"},
    "drift": {
        "schedule",  # part: schedules
        "workflow_dispatch",
    },
}


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for workflow, content in WORKFLOWS.items():
        for name, job in content["jobs"].items():
            yield workflow, name, job


JOBS = list(jobs())
OWN_JOBS = [each for each in JOBS if "steps" in each[2]]
every_job = pytest.mark.parametrize(("workflow", "name", "job"), JOBS, ids=lambda value: str(value)[:20])
every_own_job = pytest.mark.parametrize(
    ("workflow", "name", "job"), OWN_JOBS, ids=lambda value: str(value)[:20]
)


def calls(job: dict[str, Any]) -> str:
    """Return the name of the workflow that a job calls, or an empty string."""
    return Path(job.get("uses", "")).stem


def reaches(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a job, or the jobs of the workflow that it calls, recursively."""
    if not calls(job):
        return [job]
    return [each for inner in WORKFLOWS[calls(job)]["jobs"].values() for each in reaches(inner)]


def callers(workflow: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [(name, key, job) for name, key, job in JOBS if calls(job) == workflow]


def triggers(workflow: dict[Any, Any]) -> dict[str, Any]:
    """Return the triggers of a workflow; YAML 1.1 reads the key `on` as true."""
    return workflow[True]


def assumes_a_role(job: dict[str, Any]) -> bool:
    return any(step.get("uses", "").startswith(ASSUMES_A_ROLE) for step in job.get("steps", []))


# --- What is trusted ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(GITHUB.rglob("*.yml")), ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit_and_names_its_version(path: Path) -> None:
    for used, rest in re.findall(r"uses: *(\S+)(.*)", path.read_text()):
        if not used.startswith("./"):
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used), used
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", rest), f"{used}{rest}"


def test_one_action_has_one_commit() -> None:
    used = {
        one for path in GITHUB.rglob("*.yml") for one in re.findall(r"uses: *([\w/-]+@\w+)", path.read_text())
    }
    assert len({one.split("@")[0] for one in used}) == len(used)


@pytest.mark.parametrize(
    "path", [*FILES, GITHUB / "actions" / "setup" / "action.yml"], ids=lambda path: path.name
)
def test_nothing_that_somebody_typed_is_pasted_into_a_script(path: Path) -> None:
    content = yaml.safe_load(path.read_text())
    steps = [step for job in content.get("jobs", {}).values() for step in job.get("steps", [])]
    for step in [*steps, *content.get("runs", {}).get("steps", [])]:
        assert "${{" not in step.get("run", ""), step["name"]


def test_no_workflow_runs_with_the_rights_of_the_base_branch() -> None:
    for path in FILES:
        assert "pull_request_target" not in path.read_text()
        assert "workflow_run" not in path.read_text()
        assert "secrets." not in path.read_text(), "no long-lived secret is needed"
        assert not re.search(r"(?<![0-9a-f])\d{12}(?![0-9a-f])", path.read_text()), "no account is named"


# --- Rights -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_workflow_has_no_rights_of_its_own(workflow: str) -> None:
    assert WORKFLOWS[workflow]["permissions"] == {}
    assert triggers(WORKFLOWS[workflow]).keys() == TRIGGERS[workflow]


@every_job
def test_a_job_has_the_rights_it_needs_and_no_others(workflow: str, name: str, job: dict[str, Any]) -> None:
    text = json.dumps(reaches(job))
    wanted = {}
    if "actions/checkout" in text:
        wanted["contents"] = "read"
    if any(map(assumes_a_role, reaches(job))):
        wanted["id-token"] = "write"
    if "make comment" in text:
        wanted["pull-requests"] = "write"
    if "make drift-issue" in text:
        wanted["issues"] = "write"
    assert job["permissions"] == wanted


@every_own_job
def test_only_steps_that_call_github_get_the_token(workflow: str, name: str, job: dict[str, Any]) -> None:
    assert "github.token" not in json.dumps({**job, "steps": []})
    for step in job["steps"]:
        speaks = bool(re.search(r"make (comment|drift-issue)", step.get("run", "")))
        assert ("github.token" in json.dumps(step)) is speaks, step["name"]
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False


@every_job
def test_a_pull_request_of_a_fork_gets_no_credentials(workflow: str, name: str, job: dict[str, Any]) -> None:
    needs = [job.get("needs", [])] if isinstance(job.get("needs"), str) else job.get("needs", [])
    conditions = " ".join(
        [job.get("if", ""), *(WORKFLOWS[workflow]["jobs"][need].get("if", "") for need in needs)]
    )
    if "pull_request" in TRIGGERS[workflow] and job["permissions"].keys() - {"contents"}:
        assert "github.event.pull_request.head.repo.full_name == github.repository" in conditions


@every_own_job
def test_a_role_is_that_of_the_environment(workflow: str, name: str, job: dict[str, Any]) -> None:
    """The deployment role trusts jobs with a GitHub environment; the plan role trusts pull requests and main.

    Other jobs of an environment need only a role with read access.
    """
    deploys = "${{ vars.DEPLOY_ROLE_ARN }}"
    # begin: model life cycle
    if name == "export":
        deploys = "${{ vars.MODEL_READER_ROLE_ARN }}"
    # end: model life cycle
    for step in job["steps"]:
        if step.get("uses", "").startswith(ASSUMES_A_ROLE):
            role = step["with"]["role-to-assume"]
            region = step["with"]["aws-region"]
            assert (role, region) == (
                (deploys, "${{ vars.AWS_REGION }}")
                if "environment" in job
                else ("${{ matrix.role }}", "${{ matrix.region }}")
            )
    if not assumes_a_role(job) and "environment" in job:
        assert job["environment"].endswith("-approval")
    assert "-approval" not in job.get("environment", "") or job["permissions"] == {}


def test_a_deployment_enters_the_environment_that_it_deploys() -> None:
    deploy = WORKFLOWS["deploy-environment"]["jobs"]["deploy"]
    assert deploy["environment"] == deploy["env"]["ENV"] == "${{ inputs.environment }}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_environment_is_entered_that_a_copy_has_not_set_up(path: Path) -> None:
    """Otherwise GitHub would create it without protection, and new copies would fail on push and at night."""
    for name, job in WORKFLOWS[path.stem]["jobs"].items():
        if "workflow_call" in TRIGGERS[path.stem] or not any("environment" in each for each in reaches(job)):
            continue
        needed = [job.get("needs", [])] if isinstance(job.get("needs"), str) else job.get("needs", [])
        validated = any("CONFIGURED" in json.dumps(WORKFLOWS[path.stem]["jobs"][need]) for need in needed)
        assert "vars.AWS_REGION_" in job.get("if", "") or validated, name


@pytest.mark.parametrize("workflow", ["plan", "drift"])
def test_plans_and_drift_do_nothing_where_there_is_no_role_yet(workflow: str) -> None:
    steps = WORKFLOWS[workflow]["jobs"][workflow]["steps"]
    asking = [
        step for step in steps if "make plan" in step.get("run", "") or "make drift" in step.get("run", "")
    ]

    assert len(asking) == 1
    for step in (*asking, *(step for step in steps if step.get("uses", "").startswith(ASSUMES_A_ROLE))):
        assert step["if"] == "matrix.role != ''"


@every_own_job
def test_what_is_typed_is_validated_before_a_role_is_assumed(
    workflow: str, name: str, job: dict[str, Any]
) -> None:
    """GitHub itself accepts only the options of a choice."""
    dispatched = triggers(WORKFLOWS[workflow]).get("workflow_dispatch") or {}
    typed = {key for key, each in dispatched.get("inputs", {}).items() if each["type"] != "choice"}
    if typed and assumes_a_role(job) and "needs" not in job:
        steps = [step["name"] for step in job["steps"]]
        assert steps.index("Validate inputs") < steps.index("Assume deployment role")
    for variables in (job.get("env", {}), *(step.get("env", {}) for step in job["steps"])):
        for variable, value in variables.items():
            for key in set(re.findall(r"\binputs\.(\w+)", value)) & typed:
                assert variable == f"INPUT_{key.upper()}", "make expands the variables that it knows"


# --- One at a time, and not for ever ------------------------------------------------------------------------


LONGEST_JOB_MINUTES = 360
"""Limit of GitHub's runners."""


@every_own_job
def test_a_job_ends_before_its_credentials_do(workflow: str, name: str, job: dict[str, Any]) -> None:
    renews = job.get("env", {}).get("ROLE_TO_ASSUME_AGAIN") == "${{ vars.DEPLOY_ROLE_ARN }}"
    most = LONGEST_JOB_MINUTES if renews else 60  # a role's session lasts for an hour

    assert 0 < job["timeout-minutes"] <= most
    if assumes_a_role(job):
        assert job["timeout-minutes"] * 60 > READING.limit, "a command ends before that, with its limit"


def groups(workflow: str, job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the concurrency groups of a job: its own, its workflow's, and those of calling jobs."""
    own = job.get("concurrency") or WORKFLOWS[workflow].get("concurrency")
    if own:
        return [own]
    return [group for name, _, caller in callers(workflow) for group in groups(name, caller)]


@every_own_job
def test_a_job_has_one_concurrency_group_with_cancel_in_progress(
    workflow: str, name: str, job: dict[str, Any]
) -> None:
    found = groups(workflow, job)

    assert found
    for group in found:
        assert group["group"]
        assert isinstance(group["cancel-in-progress"], (bool, str))


ONE_AT_A_TIME = [
    ("rollback", "rollback", "environment-${{ inputs.environment }}"),
    ("promote-model", "promote", "environment-${{ inputs.environment }}"),  # part: model life cycle
    ("teardown", "teardown", "environment-${{ needs.validate.outputs.environment }}"),
    *(
        ("deploy", name, f"environment-{job['with']['environment']}")
        for name, job in WORKFLOWS["deploy"]["jobs"].items()
        if "uses" in job
    ),
]


@pytest.mark.parametrize(("workflow", "name", "group"), ONE_AT_A_TIME)
def test_what_changes_an_environment_waits_in_its_queue(workflow: str, name: str, group: str) -> None:
    """Including merges during a deployment, waiting rollbacks, and all that follow.

    https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/control-workflow-concurrency
    """
    if "SANDBOX" in os.environ:
        pytest.skip("act knows no queues: the workflows of its sandbox have none")
    expected = {"group": group, "cancel-in-progress": False, "queue": "max"}

    assert WORKFLOWS[workflow]["jobs"][name]["concurrency"] == expected


PREVIEWS = [
    (workflow, name)
    for workflow, name in (("preview", "preview"), ("preview-teardown", "teardown"))
    if workflow in WORKFLOWS
]


@pytest.mark.parametrize(("workflow", "name"), PREVIEWS)
def test_a_preview_cancels_the_one_before_it(workflow: str, name: str) -> None:
    """A queue with several entries cannot be canceled: GitHub rejects a workflow that requests both."""
    group = {"group": "environment-pr-${{ github.event.number }}", "cancel-in-progress": True}

    assert WORKFLOWS[workflow]["jobs"][name]["concurrency"] == group


def test_nothing_else_is_in_the_queue_of_an_environment() -> None:
    """A nightly sweep would replace a waiting merge, and a pending approval would block the queue."""
    listed = [
        (workflow, name)
        for workflow, name, job in JOBS
        if job.get("concurrency", {}).get("group", "").startswith("environment-")
    ]

    assert sorted(listed) == sorted([*((each[0], each[1]) for each in ONE_AT_A_TIME), *PREVIEWS])
    for workflow, name, job in JOBS:
        if job.get("environment", "").endswith("-approval"):
            assert "github.run_id" in job["concurrency"]["group"], f"{workflow}: {name} waits alone"


def test_an_outdated_commit_is_rejected_before_anything_is_deployed() -> None:
    steps = WORKFLOWS["deploy-environment"]["jobs"]["deploy"]["steps"]
    names = [step["name"] for step in steps]

    assert steps[names.index("Check out")]["with"]["fetch-depth"] == 0
    assert names.index("Reject an outdated commit") < names.index("Deploy stacks")
    assert "check-commit" not in json.dumps(WORKFLOWS["rollback-environment"])


def test_what_is_uploaded_holds_no_values_of_the_data() -> None:
    """All readers of the repository can read its artifacts, even without a role that reads the data."""
    written = [
        command
        for _, _, job in OWN_JOBS
        for step in job["steps"]
        for command in re.findall(r"make report\b.*", step.get("run", ""))
    ]
    uploaded = [
        step["with"]["path"]
        for _, _, job in OWN_JOBS
        for step in job["steps"]
        if step.get("uses", "").startswith("actions/upload-artifact@")
    ]

    assert written == ["make report ARGS=--without-data"]
    assert sorted(uploaded) == [
        ".cache/reports/*.html",
        "exported-model/*",  # part: model life cycle
        "plan-${{ matrix.environment }}.md",
    ]


# begin: model life cycle
def test_a_model_is_handed_over_for_a_day_and_never_in_a_public_repository() -> None:
    jobs = WORKFLOWS["promote-model"]["jobs"]
    (upload,) = (step for step in jobs["export"]["steps"] if "upload-artifact" in step.get("uses", ""))
    (validate,) = (step for step in jobs["validate"]["steps"] if step["name"] == "Validate inputs")

    assert upload["with"]["retention-days"] == 1
    assert validate["env"]["VISIBILITY"] == "${{ github.event.repository.visibility }}"
    assert jobs["export"]["needs"] == "validate"


# end: model life cycle
# --- What is tested -----------------------------------------------------------------------------------------


def test_no_change_goes_untested() -> None:
    for name in ("ci", "plan", "deploy"):
        for event in triggers(WORKFLOWS[name]).values():
            assert not (event or {}).keys() & {"paths", "paths-ignore", "branches-ignore"}
    assert triggers(WORKFLOWS["ci"])["pull_request"] is None


def test_workflows_call_targets_that_there_are() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    called = {
        target
        for _, _, job in OWN_JOBS
        for step in job["steps"]
        for target in re.findall(r"\bmake ([a-z-]+)", step.get("run", ""))
    }
    assert called <= targets
    expected = {"lint", "coverage", "plan", "deploy", "upsert", "start", "verify", "rollback", "teardown"}
    assert expected <= called


@every_own_job
def test_steps_are_distinguished_by_their_names(workflow: str, name: str, job: dict[str, Any]) -> None:
    names = [step["name"] for step in job["steps"]]
    assert len(set(names)) == len(names)


def test_the_branch_is_protected_by_every_job_of_ci() -> None:
    ruleset = json.loads((GITHUB / "rulesets" / "main.json").read_text())
    rules = {rule["type"]: rule.get("parameters", {}) for rule in ruleset["rules"]}
    checks = rules["required_status_checks"]

    assert ruleset["enforcement"] == "active"
    assert ruleset["bypass_actors"] == []
    assert ruleset["conditions"]["ref_name"]["include"] == ["~DEFAULT_BRANCH"]
    assert {"deletion", "non_fast_forward", "pull_request"} <= rules.keys()
    assert rules["pull_request"]["require_code_owner_review"] is True
    assert rules["pull_request"]["required_approving_review_count"] >= 1
    assert checks["strict_required_status_checks_policy"] is True
    assert [each["context"] for each in checks["required_status_checks"]] == [
        job["name"] for job in WORKFLOWS["ci"]["jobs"].values()
    ]


def test_owners_approve_what_decides_over_access() -> None:
    lines = [line.split("#")[0].split() for line in (GITHUB / "CODEOWNERS").read_text().splitlines()]
    owners = {words[0]: words[1:] for words in lines if words}
    assert {"*", "/infra/", "/.github/"} <= owners.keys()
    for path, names in owners.items():
        assert names
        assert all(re.fullmatch(r"@[\w-]+/[\w-]+", name) for name in names), path
        assert path == "*" or (ROOT / path.strip("/")).exists(), path


def test_releases_are_taken_up_after_a_while() -> None:
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    assert {each["package-ecosystem"] for each in updates} == {"github-actions", "maven", "npm", "pip"}
    assert all(each["cooldown"]["default-days"] >= 7 for each in updates)
    directories = [
        each for update in updates for each in update.get("directories", [update.get("directory")])
    ]
    assert all((ROOT / each.strip("/")).is_dir() for each in directories)


def test_every_file_of_packages_is_looked_at() -> None:
    """Dependabot must check each folder with a lock file."""
    names = {"npm": "package.json", "pip": "requirements*.txt", "github-actions": "action.yml"}
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True
    ).stdout.split("\0")
    updates = yaml.safe_load((GITHUB / "dependabot.yml").read_text())["updates"]
    for ecosystem, pattern in names.items():
        folders = {Path(path).parent for path in listed if Path(path).match(pattern)}
        seen = {
            Path(each.strip("/") or ".")
            for update in updates
            if update["package-ecosystem"] == ecosystem
            for each in update.get("directories", [update.get("directory")])
        }
        assert {each for each in folders - seen if "stand_ins" not in each.parts} == set(), ecosystem


@pytest.mark.parametrize(
    "path", sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.name
)
def test_issue_templates_are_forms(path: Path) -> None:
    form = yaml.safe_load(path.read_text())
    if path.name == "config.yml":
        assert form["blank_issues_enabled"] is False
        return
    assert {"name", "description", "body"} <= form.keys()
    assert all(each["attributes"]["label"] for each in form["body"])
