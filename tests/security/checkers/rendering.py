"""Renders templates for an environment, for tools that do not support parameters.

Loops are expanded; parameters, mappings and conditions are evaluated; resources whose condition is false are
removed. References to resources of the template are kept, because tools follow them.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from helpers.infra.stacks import StackConfiguration
from helpers.local_aws.cloudformation.templates import parameters
from helpers.local_aws.cloudformation.templates.functions import Functions, Unknown
from helpers.local_aws.cloudformation.templates.validation import parse_template

INFRA = Path(__file__).parents[3] / "infra"
ACCOUNT = "123456789012"
URL_SUFFIXES = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}
KEPT = {"DeletionPolicy", "DependsOn", "Metadata", "Properties", "UpdateReplacePolicy"}
"""The attributes of a resource in addition to its type and its condition."""
_REFERENCE = re.compile(r"«(\w+)(?:\.([\w.]+))?»")


@dataclass(frozen=True)
class _References:
    """Resolves references to parameters; references to resources become marks in the text."""

    pseudo_parameters: Mapping[str, str]

    def reference(self, name: str) -> str:
        return self.pseudo_parameters.get(name) or Unknown(f"«{name}»")

    def attribute(self, name: str, attribute: str) -> str:
        return Unknown(f"«{name}.{attribute}»")

    def imported(self, name: str) -> str:
        raise KeyError(name)

    def zones(self, region: str) -> list[str]:
        return [f"{region}{letter}" for letter in "abcd"]


def render_all(
    stacks: Sequence[StackConfiguration], outputs: Mapping[str, str], region: str
) -> dict[str, dict[str, Any]]:
    """Return the rendered templates of an environment, including the parent's and the account's.

    The keys are the suffixes of their stacks' names.
    """
    parts = [stack.with_outputs(outputs) for stack in stacks]
    text = (INFRA / "basic_infra.yaml").read_text(encoding="utf-8")
    known = {name: value for part in parts for name, value in part.parameters.items()}
    name = parts[0].name.replace("-keys", "-basic")
    given = {**known, "TemplatesUrl": f"https://templates.s3.{region}.amazonaws.com/infra"}
    parent = replace(parts[0], name=name, template=text, parameters=given)
    prefix = name.removesuffix("basic")
    account = [
        replace(parts[0], name=path.stem.replace("_", "-"), template=path.read_text("utf-8"), parameters={})
        for path in sorted((INFRA / "account").glob("*.yaml"))
    ]
    return {part.name.removeprefix(prefix): render(part, region) for part in (parent, *parts, *account)}


def render(stack: StackConfiguration, region: str, partition: str = "aws") -> dict[str, Any]:
    """Return the rendered template of a stack as CloudFormation JSON."""
    template = parse_template(stack.template, stack.parameters)
    texts = parameters.with_defaults(template, stack.parameters)
    declared = parameters.declared_in(template)
    values = {
        # CloudFormation converts properties to numbers, which checkers compare.
        name: int(value) if declared[name]["Type"] == "Number" else value
        for name, value in parameters.resolved(template, texts, str).items()
    }
    known = {
        "AWS::AccountId": ACCOUNT,
        "AWS::Partition": partition,
        "AWS::Region": region,
        "AWS::StackName": stack.name,
        "AWS::URLSuffix": URL_SUFFIXES[partition],
    }
    functions = Functions(template, values, _References(known))
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            name: {
                **_with_references(functions.value({key: resource[key] for key in KEPT & resource.keys()})),
                "Type": resource["Type"],
            }
            for name, resource in template["Resources"].items()
            if "Condition" not in resource or functions.holds(resource["Condition"])
        },
    }


def _with_references(part: Any) -> Any:
    """Return a part with the marks replaced by functions."""
    match part:
        case dict():
            return {key: _with_references(value) for key, value in part.items()}
        case list():
            return [_with_references(value) for value in part]
        case str():
            pieces = [*_pieces(part)]
            return pieces[0] if len(pieces) == 1 else {"Fn::Join": ["", pieces]}
    return part


def _pieces(text: str) -> Iterator[Any]:
    """Yield the references in a text and the strings between them; an empty text unchanged."""
    end = 0
    for found in _REFERENCE.finditer(text):
        if between := text[end : found.start()]:
            yield between
        name, attribute = found.groups()
        yield {"Fn::GetAtt": [name, attribute]} if attribute else {"Ref": name}
        end = found.end()
    if end < len(text) or not text:
        yield text[end:]
