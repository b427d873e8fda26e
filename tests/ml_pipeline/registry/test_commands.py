"""The commands of the model registry, as a person types them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from helpers.environments import Environment
from ml_pipeline.__main__ import main
from ml_pipeline.commands import approve, compare, models, promote, reject
from ml_pipeline.executions.target import Target
from ml_pipeline.params.execution_parameters import NOT_GIVEN
from ml_pipeline.params.package_properties import COMPARED_WITH
from ml_pipeline.registry.group import ModelGroup
from tests.ml_pipeline.registry.conftest import Register

RunCommand = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run_command(
    group: ModelGroup, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RunCommand:
    """Runs a command on the group; returns its exit code and its output."""
    for module in (approve, compare, models, reject):
        monkeypatch.setattr(module, "open_group", lambda environment: group)

    def run(*words: str) -> tuple[int, str, str]:
        try:
            code = main(words)
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("│").split("│")]


def rows(table: str) -> list[list[str]]:
    return [cells(line) for line in table.splitlines() if line.startswith("│")]


def test_the_card_of_a_version_is_shown(run_command: RunCommand, register: Register) -> None:
    content = '{"intended_uses": {"intended_uses": "Estimates of age.", "risk_rating": "Low"}}'
    register(ModelCard={"ModelCardContent": content, "ModelCardStatus": "PendingReview"})
    register()

    code, out, _ = run_command("models", "--card", "1")

    assert code == 0
    assert rows(out) == [["Intended uses", "Estimates of age."], ["Risk rating", "Low"]]
    code, _, error = run_command("models", "--card", "2")
    assert code == 1
    assert "Version 2 of" in error
    assert "has no model card" in error
    assert "make run ENV=local PIPELINE=train" in error


def test_models_are_shown_with_their_approval_and_metrics(
    run_command: RunCommand, group: ModelGroup, register: Register
) -> None:
    assert run_command("models")[1] == (
        f"{group.name} has no versions. Train one: make run ENV=local PIPELINE=train\n"
    )
    register(rmse=2.25)
    register(ModelMetrics=None, CustomerMetadataProperties={COMPARED_WITH: NOT_GIVEN})
    assert run_command("approve", "--model", "1")[0] == 0

    code, out, _ = run_command("models")

    assert code == 0
    second, first = rows(out)
    assert (second[0], second[1], second[2], second[5]) == (
        "2",
        "PendingManualApproval, not compared",
        "none",
        "",
    )
    assert (first[0], first[1], first[2], first[5]) == ("1", "Approved", "rmse 2.25, r2 0.5", "yes")
    assert first[4] == group.find(1).approved_by.rsplit(":", 1)[-1] != ""


def test_the_active_version_is_shown_however_old_it_is(
    run_command: RunCommand, register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "SHOWN_VERSIONS", 1)
    for _ in range(3):
        register()
    run_command("approve", "--model", "1")

    assert [row[0] for row in rows(run_command("models")[1])] == ["3", "1"]
    assert [row[0] for row in rows(run_command("models", "--all")[1])] == ["3", "2", "1"]


def test_versions_are_compared_side_by_side(run_command: RunCommand, register: Register) -> None:
    register(rmse=2.5)
    register(rmse=2.0)

    code, out, _ = run_command("compare", "--model", "1", "--with", "2")

    assert code == 0
    assert "Version 1" in out
    assert rows(out)[:3] == [
        ["all", "10", "rmse", "2.5", "2", "-0.5"],
        ["all", "10", "r2", "0.5", "0.5", "+0"],
        ["sex = F", "5", "rmse", "2.5", "2", "-0.5"],
    ]


def test_the_active_version_is_rejected_and_restored(run_command: RunCommand, register: Register) -> None:
    register()
    register()
    run_command("approve", "--model", "1")
    run_command("approve", "--model", "2")

    code, out, _ = run_command("reject", "--model", "2")

    assert code == 0
    assert out.startswith("Version 2 is rejected, and version 1 is active again.")


@pytest.fixture
def two_environments(
    group: ModelGroup, aws: boto3.Session, small_project: None, monkeypatch: pytest.MonkeyPatch
) -> dict[str, ModelGroup]:
    """The group as that of trial, and an empty group of live."""
    name = group.name.replace("group", "live")
    aws.client("sagemaker").create_model_package_group(ModelPackageGroupName=name)
    trial, live = Environment("trial"), Environment("live")
    groups = {"trial": replace(group, environment=trial), "live": replace(group, environment=live, name=name)}
    monkeypatch.setattr(promote, "open_group", lambda environment: groups[environment])
    return groups


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The results of executions of score-sample, next first; tests/workflows runs real ones."""
    codes: list[int] = []
    execution = "arn:aws:sagemaker:eu-north-1:123456789012:pipeline/score-sample-live/execution/abcdefghijkl"
    monkeypatch.setattr(promote, "startable_pipelines", lambda name, environment: [name])
    monkeypatch.setattr(promote, "target_of", lambda environment, pipeline: Target(environment, "", ""))
    monkeypatch.setattr(promote, "begin", lambda *_, **__: execution)
    monkeypatch.setattr(promote, "follow", lambda *_: codes.pop(0))
    return codes


def test_a_version_is_promoted_from_one_environment_to_another(
    run_command: RunCommand,
    register: Register,
    two_environments: dict[str, ModelGroup],
    tmp_path: Path,
    scored: list[int],
) -> None:
    register()
    run_command("approve", "--model", "1")
    words = ("promote", "--env", "live", "--from", "trial", "--model", "1")

    half, out, _ = run_command(*words, "--export", str(tmp_path / "version"))
    assert (half, out) == (0, f"Wrote version 1 of trial to {tmp_path / 'version'}.\n")
    scored[:] = [1, 0]
    failed, out, err = run_command(*words, "--import", str(tmp_path / "version"))

    assert (failed, err) == (1, "")
    assert out == (
        "Version 1 of trial is version 1 of live: PendingManualApproval.\n\n"
        "Version 1 of live cannot be approved before its sample is scored. Score it again with: "
        "make promote ENV=live FROM=trial MODEL=1\n"
    )
    again, out, _ = run_command(*words)
    assert again == 0
    assert out.splitlines()[1:] == [
        "The predictions for its sample are those that were recorded.",
        "Approve it: make approve ENV=live MODEL=1",
    ]
    assert run_command(*words)[1].splitlines()[1:] == ["Approve it: make approve ENV=live MODEL=1"], (
        "scored once"
    )
    assert "is not empty" in run_command(*words, "--export", str(tmp_path))[2]
    assert two_environments["live"].find(1).status == "PendingManualApproval"
    assert "is approved and active" in run_command(*words, "--approve")[1]
    assert run_command(*words) == (0, "Version 1 of trial is version 1 of live: Approved.\n", "")


@pytest.mark.usefixtures("two_environments")
def test_a_version_is_promoted_to_another_environment_than_its_own(run_command: RunCommand) -> None:
    code, _, err = run_command("promote", "--env", "live", "--from", "live", "--model", "1")

    assert code == 1
    assert err == (
        "Error: ENV and FROM are both live\n"
        "Hint: Name two environments, for example: make promote ENV=staging FROM=dev MODEL=3\n"
    )
    assert "unknown environment 'x'" in run_command("promote", "--from", "x", "--model", "1")[2]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("approve", "--model", "9"), "has no version 9; it has none yet"),
        (("approve", "--model", "x"), "'x' is not a whole number from 1"),
        (("approve",), "the following arguments are required: --model"),
        (("compare", "--model", "1"), "the following arguments are required: --with"),
    ],
)
def test_an_invalid_version_is_reported_in_one_message(
    run_command: RunCommand, words: tuple[str, ...], message: str
) -> None:
    code, _, err = run_command(*words)

    assert code != 0
    assert message in err
    assert "Traceback" not in err
