"""Reads the text of a template, YAML or JSON, with its functions in the long form."""

import json
import pickle
from functools import lru_cache
from typing import Any

import yaml
from moto.cloudformation.exceptions import ValidationError


class _Loader(yaml.CSafeLoader):
    """Reads YAML as CloudFormation does: functions in the short form, and dates as strings."""

    # The version of a policy is a string, even without quotes.
    yaml_implicit_resolvers = {  # noqa: RUF012 - the name is PyYAML's
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    match node:
        case yaml.SequenceNode():
            argument: Any = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            argument = loader.construct_mapping(node, deep=True)
        case _:
            argument = node.value
    if suffix == "GetAtt" and isinstance(argument, str):
        argument = argument.split(".", 1)
    return {suffix if suffix in {"Condition", "Ref"} else f"Fn::{suffix}": argument}


_Loader.add_multi_constructor("!", _short_form)


def read_template(text: str) -> dict[str, Any]:
    """Return a template as written, with its functions in the long form.

    Raises:
        ValidationError: the text is neither YAML nor JSON, or it is not an object.
    """
    content = pickle.loads(_parsed(text))  # noqa: S301 - pickled below; callers change what they get
    if not isinstance(content, dict):
        raise ValidationError(message="Template format error: unsupported structure.")
    return content


@lru_cache(maxsize=64)
def _parsed(text: str) -> bytes:
    """Return the pickled content of a text: to parse YAML again takes ten times as long as to unpickle it."""
    return pickle.dumps(_parse(text))


def _parse(text: str) -> Any:
    is_json = text.lstrip().startswith("{")
    try:
        # JSON can be indented with tabs, YAML cannot.
        return json.loads(text) if is_json else yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader
    except json.JSONDecodeError as error:
        where = f"(line {error.lineno}, column {error.colno})"
        try:
            return yaml.load(text, Loader=_Loader)  # noqa: S506 - as above; YAML can begin with a bracket
        except yaml.YAMLError:
            text = f"Template format error: JSON not well-formed. {where}"
            raise ValidationError(message=text) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"(line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValidationError(message=f"Template format error: YAML not well-formed. {where}") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ValidationError(message=f"Template format error: YAML not well-formed. {error}") from error
