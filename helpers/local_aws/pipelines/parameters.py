"""The parameters of a pipeline: their definitions, and their values in an execution."""

from collections.abc import Mapping
from dataclasses import dataclass

_PARAMETER_TYPES: Mapping[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}


@dataclass(frozen=True)
class Parameter:
    """A pipeline parameter; if `default` is None, every execution must set a value."""

    name: str
    type: str
    default: object = None
    enum_values: tuple[object, ...] = ()

    def value(self, given: str | None) -> object:
        """Return the parameter's value in an execution, from a given value or the default.

        Raises:
            ValueError: the value is missing, has the wrong type, or is not an allowed one.
        """
        if given is None:
            if self.default is None:
                raise ValueError(f"Parameter '{self.name}' has no default value and must be given")
            return self.default
        try:
            value = _typed(given, self.type)
        except ValueError as error:
            raise ValueError(f"Parameter '{self.name}' must be of type {self.type}, not '{given}'") from error
        if self.enum_values and value not in self.enum_values:
            allowed = ", ".join(map(str, self.enum_values))
            raise ValueError(f"Parameter '{self.name}' must be one of {allowed}, not '{value}'")
        return value


def parse_parameters(entries: object) -> tuple[dict[str, Parameter], list[str]]:
    """Return the parameters of a definition, and the problems of its entries."""
    if not isinstance(entries, list):
        return {}, ["Parameters must be a list"]
    problems = []
    parameters: dict[str, Parameter] = {}
    for index, entry in enumerate(entries):
        where = f"Parameters[{index}]"
        if not isinstance(entry, dict) or not isinstance(entry.get("Name"), str):
            problems.append(f"{where} must be an object with a Name")
            continue
        name, type_name = entry["Name"], str(entry.get("Type", "String"))
        problems += [
            f"{where} ('{name}') has the unknown key '{key}'"
            for key in entry
            if key not in {"Name", "Type", "Description", "DefaultValue", "EnumValues"}
        ]
        if name in parameters:
            problems.append(f"{where}: the parameter '{name}' is there twice")
        if type_name not in _PARAMETER_TYPES:
            problems.append(f"{where} ('{name}') must have a Type of {', '.join(_PARAMETER_TYPES)}")
            continue
        values = [entry["DefaultValue"]] if entry.get("DefaultValue") is not None else []
        values += entry.get("EnumValues") or []
        problems += [
            f"{where} ('{name}'): {value!r} is not of type {type_name}"
            for value in values
            if not isinstance(value, _PARAMETER_TYPES[type_name])
            or (isinstance(value, bool) and type_name != "Boolean")
        ]
        if entry.get("EnumValues") and entry.get("DefaultValue") not in (None, *entry["EnumValues"]):
            allowed = ", ".join(map(str, entry["EnumValues"]))
            problems.append(
                f"{where} ('{name}'): the DefaultValue {entry['DefaultValue']!r} must be one of {allowed}"
            )
        parameters[name] = Parameter(
            name, type_name, entry.get("DefaultValue"), tuple(entry.get("EnumValues") or ())
        )
    return parameters, problems


def _typed(text: str, type_name: str) -> object:
    match type_name:
        case "Integer":
            return int(text)
        case "Float":
            return float(text)
        case "Boolean":
            if text.lower() not in {"true", "false"}:
                raise ValueError(text)
            return text.lower() == "true"
        case _:
            return text
