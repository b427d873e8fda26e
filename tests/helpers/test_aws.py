import pytest

from helpers.aws import Environment, file_of, is_preview


@pytest.mark.parametrize("name", ["local", "dev", "staging", "prod", "pr-1", "pr-123456"])
def test_an_environment_is_a_standing_one_or_the_preview_of_a_pull_request(name: str) -> None:
    assert Environment(name) == name
    assert is_preview(name) == (name not in {"local", "dev", "staging", "prod"})


@pytest.mark.parametrize("name", ["", "qa", "preview", "pr-", "pr-0", "pr-01", "pr-1234567", "pr-7\n", "Dev"])
def test_no_other_name_is_one(name: str) -> None:
    with pytest.raises(
        ValueError, match="is no environment; there are local, dev, staging, prod and pr-<number>"
    ):
        Environment(name)


def test_previews_share_their_file_of_parameters() -> None:
    assert [file_of(name) for name in ("pr-7", "pr-8", "prod")] == [
        "preview.json",
        "preview.json",
        "prod.json",
    ]
