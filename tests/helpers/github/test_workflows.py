"""The environments in the workflows are generated from infra/parameters and up to date."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from helpers.environments import PARAMETERS, PREVIEW, EnvironmentSettings, has_previews, promoted
from helpers.errors import UserError
from helpers.github.__main__ import main
from helpers.github.workflows import SECTION, WORKFLOWS, generate, unused_workflows

REGION = "eu-central-1"
PLAIN = EnvironmentSettings(REGION)
LAST = EnvironmentSettings(REGION, approval=True, protected=True)
WITH_UAT = {"dev": PLAIN, "staging": PLAIN, "uat": PLAIN, "prod": LAST}
ORDERED = pytest.mark.parametrize(
    "settings", [WITH_UAT, {"blue": PLAIN, "green": LAST}, {"one": PLAIN}], ids="-".join
)


def generated(settings: Mapping[str, EnvironmentSettings]) -> dict[str, Any]:
    """Return the workflows of this checkout for other environments."""
    there = {path: path.read_text() for path in WORKFLOWS.glob("*.yml")}
    return {path.stem: yaml.safe_load(text) for path, text in {**there, **generate(settings)}.items()}


def test_workflows_match_the_files_of_parameters(capsys) -> None:
    assert main(["workflows", "--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: path.stem)
def test_environments_are_named_in_generated_sections_only(path: Path) -> None:
    text = SECTION.sub("", path.read_text())
    named = rf"(environment|ENV|options)\b.*\b({'|'.join(promoted())})\b|_({'|'.join(promoted())})\b"

    assert not re.search(named, text, re.IGNORECASE)


def test_make_help_names_the_environments_that_there_are() -> None:
    output = subprocess.run(
        ["make", "--silent", "--no-print-directory", "help"],
        cwd=WORKFLOWS.parents[1],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    (named,) = re.findall(r"ENV=(\S+)", output.splitlines()[-1])

    assert set(named.split("|")) == {
        "pr-<number>" if path.stem == PREVIEW else path.stem for path in PARAMETERS.glob("*.json")
    }


@ORDERED
def test_an_environment_is_deployed_after_the_one_before_with_its_code(settings) -> None:
    jobs = {name: job for name, job in generated(settings)["deploy"]["jobs"].items() if "uses" in job}

    assert list(jobs) == list(settings)
    first, *others = jobs.values()
    assert "code" not in first["with"]
    for before, job in zip(jobs, others, strict=False):
        assert before in job["needs"]
        assert job["with"]["code"] == f"${{{{ needs.{before}.outputs.code }}}}"
    for name, job in jobs.items():
        assert job["with"]["environment"] == name
        # Without a status function, the job is skipped if the previous one failed.
        assert job["if"] == f"vars.AWS_REGION_{name.upper()} != ''"
        assert job["concurrency"] == {
            "group": f"environment-{name}",
            "cancel-in-progress": False,
            "queue": "max",
        }


@ORDERED
def test_approval_is_a_job_of_its_own_that_holds_no_place_in_the_queue(settings) -> None:
    jobs = generated(settings)["deploy"]["jobs"]
    approvals = {name: job for name, job in jobs.items() if "uses" not in job}

    assert list(approvals) == [f"{name}-approval" for name, each in settings.items() if each.approval]
    for name, job in approvals.items():
        environment = name.removesuffix("-approval")
        assert job["environment"] == name
        assert name in jobs[environment]["needs"]
        assert set(jobs[environment]["needs"]) - {name} == {*([job["needs"]] if "needs" in job else [])}
        assert job["if"] == jobs[environment]["if"]
        assert "github.run_id" in job["concurrency"]["group"], "it waits alone"
        assert job["permissions"] == {}


@ORDERED
@pytest.mark.parametrize("workflow", ["plan", "drift"])
def test_each_environment_is_planned_with_its_own_role_and_region(settings, workflow: str) -> None:
    matrix = generated(settings)[workflow]["jobs"][workflow]["strategy"]["matrix"]

    assert matrix == {
        "include": [
            {
                "environment": name,
                "role": f"${{{{ vars.PLAN_ROLE_ARN_{name.upper()} }}}}",
                "region": f"${{{{ vars.AWS_REGION_{name.upper()} }}}}",
            }
            for name in settings
        ]
    }


def test_executions_of_a_protected_environment_are_not_stopped() -> None:
    jobs = generated(WITH_UAT)["deploy"]["jobs"]

    kept = [name for name, job in jobs.items() if job.get("with", {}).get("stop-executions") is False]
    assert kept == ["prod"]


def test_where_deployments_need_approval_nothing_is_swept_at_night() -> None:
    jobs = generated(WITH_UAT)["sweep"]["jobs"]

    assert [job["with"]["environment"] for job in jobs.values()] == ["dev", "staging", "uat"]
    assert [job["if"] for job in jobs.values()] == [
        f"vars.AWS_REGION_{name} != ''" for name in ("DEV", "STAGING", "UAT")
    ]


def test_each_environment_can_be_rolled_back() -> None:
    (rollback,) = (each for key, each in generated(WITH_UAT)["rollback"].items() if key in {"on", True})

    assert rollback["workflow_dispatch"]["inputs"]["environment"]["options"] == list(WITH_UAT)


# begin: model life cycle
def test_a_model_is_promoted_from_any_environment_to_any_other() -> None:
    (promotion,) = (each for key, each in generated(WITH_UAT)["promote-model"].items() if key in {"on", True})

    inputs = promotion["workflow_dispatch"]["inputs"]
    assert inputs["from"]["options"] == inputs["environment"]["options"] == list(WITH_UAT)


# end: model life cycle
def test_what_was_generated_is_not_generated_again(tmp_path: Path) -> None:
    for path in WORKFLOWS.glob("*.yml"):
        (tmp_path / path.name).write_text(path.read_text())

    others = {"blue": PLAIN, "green": PLAIN}
    changed = generate(others, tmp_path)
    for path, text in changed.items():
        path.write_text(text)

    assert {path.stem for path in changed} == {
        *("deploy", "plan", "drift", "rollback", "sweep"),
        "promote-model",  # part: model life cycle
    }
    assert generate(others, tmp_path) == {}
    back = generate({str(name): name.settings for name in promoted()}, tmp_path)
    assert {path.name: text for path, text in back.items()} == {
        name: (WORKFLOWS / name).read_text() for name in (path.name for path in changed)
    }, "other environments leave no trace"


def test_a_workflow_without_its_section_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "plan.yml").write_text("jobs:\n  plan:\n")

    with pytest.raises(UserError, match=r"plan\.yml has 0 lines that end in '# make workflows'"):
        generate(WITH_UAT, tmp_path)


def test_a_project_must_deploy_somewhere() -> None:
    with pytest.raises(UserError, match="PromotionOrder"):
        generate({})


def test_workflows_that_no_environment_is_left_for_are_to_be_deleted() -> None:
    unused = unused_workflows({"prod": LAST}, previews=False)

    assert {path.stem for path in unused} == {
        "promote-model",  # part: model life cycle
        "sweep",
        "sweep-environment",
        *(p.stem for p in WORKFLOWS.glob("preview*.yml")),
    }
    assert unused_workflows(WITH_UAT, previews=has_previews()) == []


def test_the_command_writes_or_only_reports(monkeypatch, tmp_path: Path, capsys) -> None:
    path = tmp_path / "rollback.yml"
    old = "        options: [gone] # make workflows\n        required: true\n"
    path.write_text(old)
    monkeypatch.setattr("helpers.github.__main__.generate", lambda listed: generate(listed, tmp_path))

    assert main(["workflows", "--check"]) == 1
    assert path.read_text() == old
    assert "rollback.yml: does not match infra/parameters; run: make workflows." in capsys.readouterr().out

    assert main(["workflows"]) == 0
    assert path.read_text() == old.replace("gone", ", ".join(promoted()))
    assert main(["workflows", "--check"]) == 0


def test_a_workflow_without_environments_fails_the_command(monkeypatch, capsys) -> None:
    monkeypatch.setattr("helpers.github.__main__.generate", lambda _: {})
    monkeypatch.setattr("helpers.github.__main__.unused_workflows", lambda *_, **__: [Path("preview.yml")])

    assert main(["workflows"]) == 1
    assert "preview.yml: no environment uses it; delete it." in capsys.readouterr().out


def test_the_environments_of_a_merge_are_listed_in_their_order(capsys) -> None:
    assert main(["environments"]) == 0
    assert tuple(capsys.readouterr().out.split()) == promoted()
