"""Tags of AWS resources, validated against the limits of AWS.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Tag.html


https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Tag.html
"""

import unicodedata
from collections.abc import Mapping

from helpers.errors import UserError, one_per_line

MAX_TAGS = 50
MAX_KEY_LENGTH = 128
MAX_VALUE_LENGTH = 256
RESERVED_PREFIX = "aws:"
_PUNCTUATION = frozenset("_.:/=+-@")
_ALLOWED = "letters, digits, spaces and _ . : / = + - @"


def get_tags_input(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Return tags as the API expects them, sorted by key so that equal tags result in equal requests.

    Args:
        tags: values by key.

    Raises:
        UserError: AWS would reject them; the message names every problem.
    """
    problems = [
        f"tag {key!r} = {tags[key]!r}: {problem}" if key else problem for key, problem in tag_problems(tags)
    ]
    if problems:
        raise UserError(
            f"The tags are not valid:{one_per_line(problems)}",
            hint="Correct the tags, then run the command again",
        )
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)]


def tag_problems(tags: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what AWS would reject, as pairs of the key (empty: all tags together) and the problem."""
    problems = []
    if len(tags) > MAX_TAGS:
        problems.append(("", f"found {len(tags)} tags, AWS takes at most {MAX_TAGS}; remove some"))
    for key, value in tags.items():
        problems += [(key, problem) for problem in (*_key_problems(key), *_value_problems(value))]
    return problems


def _key_problems(key: str) -> list[str]:
    problems = []
    if not 1 <= len(key) <= MAX_KEY_LENGTH:
        problems.append(f"the key has {len(key)} characters; use 1 to {MAX_KEY_LENGTH}")
    if key.lower().startswith(RESERVED_PREFIX):
        problems.append(f"keys that start with {RESERVED_PREFIX!r} are reserved for AWS; rename it")
    if bad := _not_allowed(key):
        problems.append(f"the key contains {bad!r}; use {_ALLOWED}")
    return problems


def _value_problems(value: object) -> list[str]:
    if not isinstance(value, str):
        return [f"the value is of type {type(value).__name__}; put it in quotes"]
    problems = []
    if len(value) > MAX_VALUE_LENGTH:
        problems.append(f"the value has {len(value)} characters; use at most {MAX_VALUE_LENGTH}")
    if bad := _not_allowed(value):
        problems.append(f"the value contains {bad!r}; use {_ALLOWED}")
    return problems


def _not_allowed(text: str) -> str:
    r"""Return the characters outside the API's `[\p{L}\p{Z}\p{N}_.:/=+\-@]`, each once."""
    bad = (c for c in text if c not in _PUNCTUATION and unicodedata.category(c)[0] not in "LZN")
    return "".join(dict.fromkeys(bad))
