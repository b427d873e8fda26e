import pytest

from helpers.environments import Environment
from helpers.errors import UserError
from ml_pipeline.registry.group import GROUP_OUTPUT, group_name, open_group


def test_a_missing_stack_is_reported_with_the_command_that_deploys_it() -> None:
    local = Environment("local")

    with pytest.raises(
        UserError, match=r"local has no model registry\nHint: Add models to Stacks .*local\.json"
    ):
        group_name({"DataBucketName": "b"}, local)

    assert group_name({GROUP_OUTPUT: "rings"}, local) == "rings"


def test_the_small_project_has_none(stack: object) -> None:
    with pytest.raises(UserError, match="local has no model registry"):
        open_group(Environment("local"))
