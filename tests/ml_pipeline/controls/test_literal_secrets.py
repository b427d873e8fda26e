from typing import Any

import pytest

from ml_pipeline.controls.literal_secrets import secret_violations


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PASSWORD", "x"),
        ("DB_PASSWORD", "hunter2"),
        ("DbPassword", "hunter2"),
        ("api.token", "abc"),
        ("SECRET_KEY", "abc"),
        ("AWS_ACCESS_KEY_ID", "abc"),
        ("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "abc"),
        ("CONNECTION_STRING", "abc"),
        ("ANY", "ASIAIOSFODNN7EXAMPLE"),
        ("ANY", "postgresql://me:hunter2@db:5432/x"),
        ("ANY_URL", "https://me:hunter2@example.org/"),
        ("ANY", "-----BEGIN RSA PRIVATE KEY-----\nMIIE"),
        ("ANY", "ghp_" + 36 * "a"),
        ("ANY", {"Std:Join": {"On": "", "Values": ["AKIAIOSFODNN7", "EXAMPLE", "AKIAIOSFODNN7EXAMPLE"]}}),
        ("DB_PASSWORD", {"Get": "Parameters.Chosen"}),
        ("ANY", {"Get": "Parameters.DbPassword"}),
    ],
)
def test_a_secret_in_the_environment_is_reported_but_not_shown(name: str, value: Any) -> None:
    (fault,) = secret_violations({"Environment": {name: value, "MODE": "fast"}}, "$")

    assert fault.path.startswith(f"$.Environment.{name}")
    assert "hunter2" not in str(fault)
    assert "7EXAMPLE" not in str(fault)
    assert "Secrets Manager" in fault.fix


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db"),
        ("DB_SECRET", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db"),
        ("SECRET_NAME", "db"),
        ("TOKENIZERS_PARALLELISM", "false"),
        ("USE_TOKEN", "true"),
        ("PASSWORD", ""),
        ("PASSWORD", {"Get": "Steps.other.Name"}),
        ("MODE", {"Get": "Parameters.Chosen"}),
        ("URL", "https://example.org/a@b"),
    ],
)
def test_the_name_of_a_secret_is_not_a_secret(name: str, value: Any) -> None:
    assert list(secret_violations({"Environment": {name: value}}, "$")) == []
