"""Evaluates the functions of templates, with the error messages of CloudFormation."""

import base64
import ipaddress
import itertools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from moto.cloudformation.exceptions import ValidationError

NO_VALUE = object()
"""The value of `Ref: AWS::NoValue`: the property or list item is removed."""


class Unknown(str):
    """A placeholder for a string or list that is known only when a resource exists."""

    __slots__ = ()


_VARIABLE_OR_LITERAL = re.compile(r"\$\{(!?)([^}]+)\}")


class TemplateContext(Protocol):
    """What the functions of a template need to know about the stack."""

    def reference(self, name: str) -> Any:
        """Return the value of Ref for a resource or a pseudo parameter; raise KeyError if there is none."""

    def attribute(self, name: str, attribute: str) -> Any:
        """Return an attribute of a resource; raise KeyError if the resource does not exist."""

    def imported(self, name: str) -> str:
        """Return the value of an export; raise KeyError if it does not exist."""

    def zones(self, region: str) -> list[str]:
        """Return the availability zones of a region."""


def error(message: str) -> ValidationError:
    """Return a template error."""
    return ValidationError(message=f"Template error: {message}")


def found_in_map(mappings: Mapping[str, Any], name: str, first: str, second: str, *default: Any) -> Any:
    """Return a value of a mapping, or the `DefaultValue` in the last argument."""
    try:
        return mappings[name][first][second]
    except (KeyError, TypeError):
        if default and isinstance(default[0], dict) and "DefaultValue" in default[0]:
            return default[0]["DefaultValue"]
        raise error(f"Unable to get mapping for {name}::{first}::{second}") from None


def cidr_blocks(block: str, count: Any, bits: Any = None) -> list[str]:
    """Return the first `count` CIDR blocks within a block, each with `bits` host bits."""
    try:
        network = ipaddress.ip_network(block)
        host_bits = int(bits) if bits is not None else (8 if network.version == 4 else 64)
        subnets = network.subnets(new_prefix=network.max_prefixlen - host_bits)
        blocks = [str(subnet) for subnet in itertools.islice(subnets, int(count))]
    except (TypeError, ValueError) as problem:
        raise error(f"Fn::Cidr cannot divide {block!r}: {problem}") from problem
    if len(blocks) < int(count):
        raise error(f"Fn::Cidr cannot divide {block} into {count} blocks of {host_bits} host bits")
    return blocks


def text_of(value: Any, function: str) -> str:
    """Return a scalar as CloudFormation's string for it."""
    match value:
        case bool():
            return str(value).lower()
        case str() | int() | float():
            return str(value)
    raise error(f"{function} takes texts, not {json.dumps(value, default=str)}")


@dataclass
class Functions:
    """Evaluates the functions of one template.

    Attributes:
        template: the processed template.
        parameters: the values of its parameters, strings or lists of strings.
        context: resolves all other references.
        block: the section that is evaluated, for error messages.
    """

    template: Mapping[str, Any]
    parameters: Mapping[str, Any]
    context: TemplateContext
    block: str = "Resources"
    _conditions: dict[str, bool] = field(default_factory=dict)

    def value(self, part: Any) -> Any:
        """Return a part of the template with its functions evaluated.

        Raises:
            ValidationError: A function is unknown or cannot be evaluated.
        """
        found = self._evaluated(part)
        return None if found is NO_VALUE else found

    def holds(self, condition: str) -> bool:
        """Return whether a named condition of the template is met."""
        if condition not in self._conditions:
            try:
                declared = self.template["Conditions"][condition]
            except KeyError:
                text = f"Template format error: Unresolved condition dependency {condition}"
                raise ValidationError(message=text) from None
            self._conditions[condition] = self.test(declared)
        return self._conditions[condition]

    def test(self, condition: Any) -> bool:
        """Return whether a condition expression is true."""
        match condition:
            case bool():
                return condition
            case str() if condition.lower() in {"true", "false"}:
                return condition.lower() == "true"
            case {"Condition": str(name)}:
                return self.holds(name)
            case {"Fn::Equals": [one, other]}:
                return bool(self._comparable(one) == self._comparable(other))
            case {"Fn::Not": [inner]}:
                return not self.test(inner)
            case {"Fn::And": [*parts]}:
                return all(self.test(part) for part in parts)
            case {"Fn::Or": [*parts]}:
                return any(self.test(part) for part in parts)
        return self._test_members(condition)

    def _test_members(self, condition: Any) -> bool:
        match condition:
            case {"Fn::Contains": [items, item]}:
                return self._comparable(item) in [self._comparable(each) for each in self._list(items)]
            case {"Fn::EachMemberEquals": [items, item]}:
                return all(self._comparable(each) == self._comparable(item) for each in self._list(items))
            case {"Fn::EachMemberIn": [items, others]}:
                known = [self._comparable(each) for each in self._list(others)]
                return all(self._comparable(each) in known for each in self._list(items))
        raise error(f"{json.dumps(condition, default=str)} is not a condition")

    def _comparable(self, part: Any) -> Any:
        value = self.value(part)
        if isinstance(value, list):
            return [text_of(each, "Fn::Equals") for each in value]
        return value if isinstance(value, dict) or value is None else text_of(value, "Fn::Equals")

    def _list(self, part: Any) -> list[Any]:
        value = self.value(part)
        if not isinstance(value, list):
            raise error(f"{json.dumps(part, default=str)} is not a list")
        return value

    def _evaluated(self, part: Any) -> Any:
        match part:
            case dict() if len(part) == 1:
                ((key, argument),) = part.items()
                if key in _FUNCTIONS:
                    return _FUNCTIONS[key](self, argument)
                if isinstance(key, str) and key.startswith("Fn::"):
                    raise error(f"the function {key} is not known here")
        match part:
            case dict():
                evaluated = {key: self._evaluated(value) for key, value in part.items()}
                return {key: value for key, value in evaluated.items() if value is not NO_VALUE}
            case list():
                return [each for value in part if (each := self._evaluated(value)) is not NO_VALUE]
            case _:
                return part

    def _ref(self, name: Any) -> Any:
        name = self.value(name)
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self.parameters:
            return self.parameters[name]
        try:
            return self.context.reference(name)
        except KeyError:
            raise self._unresolved(name) from None

    def _get_attribute(self, argument: Any) -> Any:
        match argument.split(".", 1) if isinstance(argument, str) else argument:
            case [str(name), *attributes] if attributes:
                path = ".".join(text_of(self.value(each), "Fn::GetAtt") for each in attributes)
                try:
                    return self.context.attribute(name, path)
                except KeyError:
                    raise self._unresolved(name) from None
        raise error(
            "Fn::GetAtt object requires two non-empty parameters, the resource name and the "
            "resource attribute"
        )

    def _unresolved(self, name: str) -> ValidationError:
        text = f"Unresolved resource dependencies [{name}] in the {self.block} block of the template"
        return ValidationError(message=text)

    def _sub(self, argument: Any) -> str:
        given: Mapping[str, Any] = {}
        match argument:
            case str(text):
                pass
            case [str(text), dict(given)]:
                pass
            case _:
                raise error(
                    "One or more Fn::Sub intrinsic functions don't specify expected arguments. "
                    "Specify a string as first argument, and an optional second argument to specify a "
                    "mapping of values to replace in the string"
                )

        unknown: list[str] = []

        def substitute(name: str) -> str:
            if name in given:
                value = self.value(given[name])
            elif "." in name and name not in self.parameters:
                value = self._get_attribute(name)
            else:
                value = self._ref(name)
            if isinstance(value, (list, dict)) or value is NO_VALUE:
                raise error(f"variable {name} in Fn::Sub expression does not resolve to a string")
            if isinstance(value, Unknown):
                unknown.append(name)
            return text_of(value, "Fn::Sub")

        filled = _VARIABLE_OR_LITERAL.sub(
            lambda found: f"${{{found[2]}}}" if found[1] else substitute(found[2].strip()), text
        )
        return Unknown(filled) if unknown else filled

    def _join(self, argument: Any) -> str:
        match argument:
            case [str(delimiter), parts]:
                values = self.value(parts)
                if isinstance(values, Unknown):
                    return values
                if isinstance(values, list):
                    joined = delimiter.join(text_of(value, "Fn::Join") for value in values)
                    return Unknown(joined) if any(isinstance(each, Unknown) for each in values) else joined
        raise error(
            "every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings "
            "to be joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
        )

    def _split(self, argument: Any) -> Any:
        match argument:
            case [str(delimiter), part] if delimiter:
                text = self.value(part)
                return text if isinstance(text, Unknown) else text_of(text, "Fn::Split").split(delimiter)
        raise error(
            "every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be "
            "split or a function that returns a string to be split."
        )

    def _select(self, argument: Any) -> Any:
        match argument:
            case [index, items]:
                number, values = self.value(index), self.value(items)
                if isinstance(values, Unknown):
                    return Unknown(f"{values}[{number}]")
                if str(number).isdecimal() and isinstance(values, list):
                    if int(number) < len(values):
                        return values[int(number)]
                    raise error(f"Fn::Select cannot select nonexistent value at index {number}")
        raise error("Fn::Select requires a list argument with two elements: an integer index and a list")

    def _if(self, argument: Any) -> Any:
        match argument:
            case [str(condition), yes, no]:
                return self._evaluated(yes if self.holds(condition) else no)
        raise error("Fn::If requires a list argument with the first element being a condition")

    def _find_in_map(self, argument: Any) -> Any:
        match argument:
            case [name, first, second, *default]:
                keys = [text_of(self.value(each), "Fn::FindInMap") for each in (name, first, second)]
                return self.value(found_in_map(self.template.get("Mappings", {}), *keys, *default))
        raise error(
            "every Fn::FindInMap object requires three parameters, the map name, map key and the attribute"
        )

    def _base64(self, argument: Any) -> str:
        return base64.b64encode(text_of(self.value(argument), "Fn::Base64").encode()).decode()

    def _cidr(self, argument: Any) -> Any:
        match argument:
            case [part, count, *bits]:
                block = self.value(part)
                if isinstance(block, Unknown):
                    return block
                return cidr_blocks(block, self.value(count), *map(self.value, bits))
        raise error("every Fn::Cidr object requires two parameters, the block and the count of blocks")

    def _zones(self, argument: Any) -> list[str]:
        region = text_of(self.value(argument), "Fn::GetAZs")
        return self.context.zones(region or self.context.reference("AWS::Region"))

    def _import(self, argument: Any) -> str:
        name = text_of(self.value(argument), "Fn::ImportValue")
        try:
            return self.context.imported(name)
        except KeyError:
            raise ValidationError(message=f"No export named {name} found.") from None

    def _json(self, argument: Any) -> str:
        return json.dumps(self.value(argument), separators=(",", ":"))

    def _length(self, argument: Any) -> int:
        return len(self._list(argument))


_FUNCTIONS: Mapping[str, Callable[[Functions, Any], Any]] = {
    "Ref": Functions._ref,
    "Fn::Base64": Functions._base64,
    "Fn::Cidr": Functions._cidr,
    "Fn::FindInMap": Functions._find_in_map,
    "Fn::GetAZs": Functions._zones,
    "Fn::GetAtt": Functions._get_attribute,
    "Fn::If": Functions._if,
    "Fn::ImportValue": Functions._import,
    "Fn::Join": Functions._join,
    "Fn::Length": Functions._length,
    "Fn::Select": Functions._select,
    "Fn::Split": Functions._split,
    "Fn::Sub": Functions._sub,
    "Fn::ToJsonString": Functions._json,
}
