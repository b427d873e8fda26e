"""Writers and readers of the configuration file formats of Spark and Hadoop."""

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def render_properties(properties: Mapping[str, str]) -> str:
    """Return a Java properties file: the format of spark-defaults.conf, and of Log4j and metrics settings."""
    return "".join(f"{_escape(name)}={_escape(value)}\n" for name, value in properties.items())


def parse_properties(text: str) -> dict[str, str]:
    r"""Return the properties of a Java properties file.

    Raises:
        ValueError: a `\u` escape is malformed, which Java rejects too.
    """
    properties = {}
    for line in _logical_lines(text):
        match = re.match(r"((?:[^\\\s=:]|\\.)*)\s*[=:]?\s*(.*)", line, re.DOTALL)
        if match:
            properties[_unescape(match[1])] = _unescape(match[2])
    return properties


def parse_defaults(text: str) -> dict[str, str]:
    """Return the properties of spark-defaults.conf. Spark trims values, but keeps line breaks.

    Raises:
        ValueError: as for `parse_properties`.
    """
    trimmed = "".join(chr(code) for code in range(33) if chr(code) not in "\r\n")
    return {name: value.strip(trimmed) for name, value in parse_properties(text).items()}


def _logical_lines(text: str) -> Iterator[str]:
    """Yield the lines that hold a property; a line that ends in a single backslash continues on the next."""
    lines = re.split(r"\r\n|\r|\n", text)
    if not lines[-1]:
        lines.pop()
    pending: str | None = None
    for raw in lines:
        line = (pending or "") + raw.lstrip(" \t\f")
        if not line or (not pending and line[0] in "#!"):
            pending = None
        elif (len(line) - len(line.rstrip("\\"))) % 2:
            pending = line[:-1]
        else:
            pending = None
            yield line
    if pending is not None:
        yield pending


def _escape(text: str) -> str:
    """Escape characters that have a meaning in the format, and other control characters by number."""
    escaped = re.sub(r"[\\=:#! ]", lambda match: "\\" + match[0], text)
    return re.sub(r"[^ -~]", _by_number, escaped)


def _by_number(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def _unescape(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        escaped = match[1]
        if escaped[0] == "u":
            if len(escaped) != 5:
                raise ValueError(rf"\{escaped} is no \uXXXX escape")
            return chr(int(escaped[1:], 16))
        return _ESCAPES.get(escaped, escaped)

    characters = re.sub(r"\\(u[0-9a-fA-F]{4}|.)", one, text, flags=re.DOTALL)
    return characters.encode("utf-16-be", "surrogatepass").decode("utf-16-be", "surrogatepass")


def render_site(properties: Mapping[str, str]) -> str:
    """Return a Hadoop site file, such as core-site.xml."""
    root = ElementTree.Element("configuration")
    for name, value in properties.items():
        entry = ElementTree.SubElement(root, "property")
        ElementTree.SubElement(entry, "name").text = name
        ElementTree.SubElement(entry, "value").text = value
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


def parse_site(text: str) -> dict[str, str]:
    """Return the properties of a Hadoop site file, as Hadoop reads them.

    Properties without a name or a value are ignored, and a final property keeps its value.

    Raises:
        ValueError: the text is not well-formed XML.
    """
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 -- written by the user or by this package
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from None
    properties: dict[str, str] = {}
    final = set()
    for entry in root.iter("property"):
        texts = {element.tag: "".join(element.itertext()) for element in entry}
        name = texts.get("name", "").strip()
        if texts.get("name") and texts.get("value") and name not in final:
            properties[name] = texts["value"]
        if texts.get("final") == "true":
            final.add(name)
    return properties


def render_exports(variables: Mapping[str, str]) -> str:
    """Return the lines of a shell file; values are unchanged, because users quote them for the shell."""
    return "".join(f"export {name}={value}\n" for name, value in variables.items())
