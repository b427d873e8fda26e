"""Finds secrets in a definition. Everyone with permission to describe the pipeline could read them."""

import re
from collections.abc import Iterator
from typing import Any

from ml_pipeline.controls.rules import Violation, is_expression, references

_MAPS = ("Environment", "HyperParameters", "StaticHyperParameters")
"""Parts of a request with user-defined keys."""

_SECRET_NAME = re.compile(
    r"(?i)(^|[_.-])(pass(word|wd|phrase|code)?|pwd|secret|token|credentials?|connection_?string|"
    r"(api|access|private|secret|account|signing|encryption)_?key(_id)?)($|[_.-])"
)
_POINTER_NAME = re.compile(r"(?i)[_.-](arn|name|id|uri|url|path|file|version)$")
_SECRET_VALUE = re.compile(
    r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"  # access keys of AWS
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|://[^/\s:@]+:[^/\s:@]+@"  # a URL with user and password
    r"|\b(gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{60,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,})"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"  # a JSON web token
)
_REMEDIATION = "keep it in Secrets Manager, and let the job read it there with its role"


def secret_violations(value: Any, path: str) -> Iterator[Violation]:
    """Yield the secrets in a JSON value. Messages do not contain the secret."""
    if isinstance(value, dict):
        for key, item in value.items():
            place = f"{path}.{key}"
            named = [*_named_secrets(item, place)] if key in _MAPS and isinstance(item, dict) else []
            yield from named
            seen = {violation.path for violation in named}
            yield from (
                violation for violation in secret_violations(item, place) if violation.path not in seen
            )
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from secret_violations(item, f"{path}[{index}]")
    elif isinstance(value, str) and _SECRET_VALUE.search(value):
        yield Violation(path, "it looks like a secret in plain text", _REMEDIATION)


def _named_secrets(variables: dict[str, Any], path: str) -> Iterator[Violation]:
    for name, value in variables.items():
        chosen = [found for found in references(value) if found.startswith("Parameters.")]
        if chosen and any(map(_names_secret, [name, *chosen])):
            yield Violation(
                f"{path}.{name}",
                f"{name} is a secret given as {' and '.join(chosen)}, which every execution shows",
                _REMEDIATION,
            )
        elif _names_secret(name) and _is_plain(value):
            yield Violation(f"{path}.{name}", f"{name} is a secret in plain text", _REMEDIATION)


def _names_secret(name: str) -> bool:
    if re.search(r"(?i)access_?key_?id$", name):
        return True
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)  # DbPassword becomes Db_Password
    return bool(_SECRET_NAME.search(words)) and not _POINTER_NAME.search(words)


def _is_plain(value: Any) -> bool:
    """Return whether a value could be a secret: a text that is not an ARN, a number or a Boolean."""
    return (
        not is_expression(value)
        and isinstance(value, str)
        and not re.fullmatch(r"(?i)|arn:\S+|true|false|none|null|[\d.]+", value)
    )
