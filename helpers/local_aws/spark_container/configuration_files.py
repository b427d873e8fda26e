"""The formats of the configuration files of Spark and Hadoop: each with its writer and its reader."""

import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree

_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def render_properties(properties: Mapping[str, str]) -> str:
    """Return a Java properties file, the format of spark-defaults.conf and of Log4j's and metrics' files."""
    return "".join(f"{_escape(name)}={_escape(value)}\n" for name, value in properties.items())


def parse_properties(text: str) -> dict[str, str]:
    r"""Return the properties of a Java properties file; values trimmed, as Spark does it.

    Raises:
        ValueError: a malformed `\u` escape, which Java refuses too.
    """
    properties = {}
    for line in _logical_lines(text):
        match = re.match(r"((?:[^\\\s=:]|\\.)*)\s*[=:]?\s*(.*)", line, re.DOTALL)
        if match:
            properties[_unescape(match[1])] = _trimmed(match[2])
    return properties


def _trimmed(raw: str) -> str:
    # Java's trim() takes every control character and the blank, and no others.
    return _unescape(raw).strip("".join(map(chr, range(33))))


def _logical_lines(text: str) -> Iterator[str]:
    """Yield the lines that hold a property; one that ends in a lone backslash goes on in the next."""
    pending = ""
    for raw in re.split(r"\r\n|\r|\n", text):
        line = pending + raw.lstrip(" \t\f")
        if not pending and line[:1] in {"", "#", "!"}:
            continue
        if (len(line) - len(line.rstrip("\\"))) % 2:
            pending = line[:-1]
            continue
        pending = ""
        yield line
    if pending:
        yield pending


def _escape(text: str) -> str:
    """Escape what has a meaning in the format; the rest of the control characters by number."""
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
    """Return the properties of a Hadoop site file.

    Raises:
        ValueError: it is no well-formed XML.
    """
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 -- a file of the user's own or of ours
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from None
    return {
        (entry.findtext("name") or "").strip(): entry.findtext("value") or ""
        for entry in root.iter("property")
    }


def render_exports(variables: Mapping[str, str]) -> str:
    """Return the lines of a shell file; values as they are, since users quote them for the shell."""
    return "".join(f"export {name}={value}\n" for name, value in variables.items())
