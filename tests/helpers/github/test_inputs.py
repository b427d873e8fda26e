"""The inputs of manually started workflows."""

import json
from pathlib import Path

import pytest

from helpers.environments import names, promoted
from helpers.errors import UserError
from helpers.github.__main__ import main
from helpers.github.inputs import validate_inputs

FIRST = str(promoted()[0])


@pytest.fixture
def vault(monkeypatch, tmp_path: Path) -> None:
    """A project with previews, whose only environment is protected."""
    (tmp_path / "vault.json").write_text('{"Protected": true, "PromotionOrder": 1}')
    (tmp_path / "preview.json").write_text("{}")
    monkeypatch.setattr("helpers.environments.PARAMETERS", tmp_path)


def test_an_environment_has_the_github_environment_of_its_name() -> None:
    found = validate_inputs({"INPUT_ENVIRONMENT": FIRST})

    assert (found["environment"], found["github"]) == (FIRST, FIRST)


@pytest.mark.parametrize("name", ["pr-1", "pr-123456"])
def test_previews_share_a_github_environment(vault, name: str) -> None:
    typed = {"INPUT_ENVIRONMENT": name, "INPUT_CONFIRMATION": name}

    found = validate_inputs(typed)

    assert (found["environment"], found["github"], found["approval"]) == (name, "preview", "false")


@pytest.mark.parametrize("approval", [True, False])
def test_a_reviewer_approves_if_the_environment_requires_it(
    monkeypatch, tmp_path: Path, approval: bool
) -> None:
    (tmp_path / "live.json").write_text(json.dumps({"Approval": approval}))
    monkeypatch.setattr("helpers.environments.PARAMETERS", tmp_path)

    assert validate_inputs({"INPUT_ENVIRONMENT": "live"})["approval"] == str(approval).lower()


def test_an_environment_that_is_not_set_up_on_github_is_rejected(vault) -> None:
    """Otherwise the job that names it would create it on GitHub without protection."""
    typed = {"INPUT_ENVIRONMENT": "vault", "INPUT_TO": ""}

    validate_inputs({**typed, "CONFIGURED": '{"AWS_REGION_VAULT": "eu-west-1"}'})
    with pytest.raises(UserError, match=r"vault is not set up on GitHub.*make github-setup ENV=vault"):
        validate_inputs({**typed, "CONFIGURED": "{}"})
    previews = {"INPUT_ENVIRONMENT": "pr-1", "INPUT_CONFIRMATION": "pr-1"}
    validate_inputs({**previews, "CONFIGURED": '{"AWS_REGION_PREVIEW": "eu-west-1"}'})
    with pytest.raises(UserError, match=r"preview is not set up on GitHub.*make github-setup ENV=preview"):
        validate_inputs({**previews, "CONFIGURED": "{}"})


# begin: model life cycle
@pytest.fixture
def chain(monkeypatch, tmp_path: Path) -> None:
    """A project with two environments."""
    for number, name in enumerate(("first", "next"), 1):
        (tmp_path / f"{name}.json").write_text(json.dumps({"PromotionOrder": number}))
    monkeypatch.setattr("helpers.environments.PARAMETERS", tmp_path)


PROMOTION = {"INPUT_ENVIRONMENT": "next", "INPUT_FROM": "first", "INPUT_VERSION": "3"}


def test_a_promotion_is_of_a_version_from_another_environment(chain) -> None:
    found = validate_inputs({**PROMOTION, "VISIBILITY": "private"})

    assert (found["environment"], found["from"], found["version"]) == ("next", "first", "3")


@pytest.mark.parametrize(
    ("changed", "reported"),
    [
        ({"INPUT_FROM": "next"}, "from and environment are the same"),
        ({"INPUT_FROM": "nowhere"}, "unknown environment 'nowhere'"),
        ({"INPUT_VERSION": "0"}, "version must be a whole number from 1"),
        ({"INPUT_VERSION": "$(touch owned)"}, "version must be a whole number from 1"),
        ({"VISIBILITY": "public"}, "the repository is public"),
        ({"CONFIGURED": '{"AWS_REGION_NEXT": "eu-west-1"}'}, "first is not set up on GitHub"),
    ],
)
def test_a_promotion_that_cannot_be_is_rejected(chain, changed: dict[str, str], reported: str) -> None:
    with pytest.raises(UserError, match=reported):
        validate_inputs({**PROMOTION, **changed})


# end: model life cycle
@pytest.mark.parametrize("to", ["", "12", "0123456789abcdef" * 4])
@pytest.mark.parametrize("pipeline", ["", "all", "Fares-2"])
def test_a_rollback_is_to_a_version_of_a_pipeline(to: str, pipeline: str) -> None:
    found = validate_inputs({"INPUT_ENVIRONMENT": FIRST, "INPUT_TO": to, "INPUT_PIPELINE": pipeline})

    assert (found["to"], found["pipeline"]) == (to, pipeline)


@pytest.mark.parametrize(
    ("typed", "reported"),
    [
        ({}, "unknown environment ''"),
        ({"ENVIRONMENT": "nowhere"}, "unknown environment 'nowhere'"),
        ({"ENVIRONMENT": "$(shell id)"}, "unknown environment"),
        ({"ENVIRONMENT": "local"}, "local is the embedded AWS"),
        ({"ENVIRONMENT": "pr-0"}, "unknown environment"),
        ({"ENVIRONMENT": FIRST, "CONFIRMATION": FIRST[:-1]}, "type the name twice"),
        ({"ENVIRONMENT": FIRST, "CONFIRMATION": ""}, "type the name twice"),
        ({"ENVIRONMENT": FIRST, "TO": "$(touch owned)"}, "to must be a version"),
        ({"ENVIRONMENT": FIRST, "TO": "12\n; touch owned"}, "to must be a version"),
        ({"ENVIRONMENT": FIRST, "TO": "a" * 65}, "to must be a version"),
        ({"ENVIRONMENT": FIRST, "PIPELINE": "a b"}, "pipeline must be a name"),
        ({"ENVIRONMENT": FIRST, "PIPELINE": "--help"}, "pipeline must be a name"),
    ],
)
def test_anything_else_is_rejected(typed: dict[str, str], reported: str) -> None:
    with pytest.raises(UserError, match=reported.replace("$", r"\$").replace("(", r"\(")):
        validate_inputs({f"INPUT_{name}": value for name, value in typed.items()})


def test_what_needs_approval_is_not_torn_down_without(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "live.json").write_text('{"Approval": true}')
    monkeypatch.setattr("helpers.environments.PARAMETERS", tmp_path)

    with pytest.raises(UserError, match=r"live needs approval.*make teardown ENV=live"):
        validate_inputs({"INPUT_ENVIRONMENT": "live", "INPUT_CONFIRMATION": "live"})


def test_all_problems_are_reported_at_once() -> None:
    with pytest.raises(UserError) as error:
        validate_inputs({"INPUT_ENVIRONMENT": "nowhere", "INPUT_TO": "x", "INPUT_CONFIRMATION": "there"})

    assert str(error.value).count("\n  - ") == 3


def test_a_protected_environment_is_rolled_back_but_not_torn_down(vault) -> None:
    validate_inputs({"INPUT_ENVIRONMENT": "vault", "INPUT_TO": ""})

    with pytest.raises(UserError, match=r"vault is protected.*make teardown ENV=vault"):
        validate_inputs({"INPUT_ENVIRONMENT": "vault", "INPUT_CONFIRMATION": "vault"})


@pytest.mark.parametrize("name", names())
def test_the_command_prints_outputs_of_a_step(monkeypatch, capsys, name: str) -> None:
    monkeypatch.setenv("INPUT_ENVIRONMENT", name)

    code = main(["check-inputs"])

    output = capsys.readouterr()
    listed = f"environment={name}\ngithub={name}\napproval=" if name in promoted() else ""
    assert code == (0 if listed else 1)
    assert output.out.startswith(listed)
