"""Selects the Maven repository for jars: from a variable, the Maven settings, or Maven Central."""

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit
from xml.etree import ElementTree

from helpers.errors import UserError

VARIABLE = "MAVEN_REPOSITORY_URL"
CENTRAL = "https://repo1.maven.org/maven2"
_SCHEMES = ("http", "https", "file")


@dataclass(frozen=True)
class Repository:
    """A Maven repository: its address without credentials, and the source of its configuration."""

    url: str
    source: str
    authorization: str | None = field(default=None, repr=False)


def find(environment: Mapping[str, str], home: Path) -> Repository:
    """Return the repository that Maven would use for `central`.

    Args:
        environment: variables with MAVEN_REPOSITORY_URL.
        home: the user's home, with Maven's settings in `.m2/settings.xml`.

    Raises:
        UserError: the variable or the settings are not valid.
    """
    if address := environment.get(VARIABLE, "").strip():
        return _repository(address, f"the variable {VARIABLE}")
    settings = home / ".m2" / "settings.xml"
    if settings.is_file():
        try:
            root = ElementTree.fromstring(settings.read_bytes())  # noqa: S314 -- the user's own settings
        except ElementTree.ParseError as error:
            raise UserError(
                f"{settings} is not well-formed XML: {error}", hint=f"Correct {settings}, or set {VARIABLE}"
            ) from None
        if mirror := mirror_of_central(root, environment, home):
            name, address, username, password = mirror
            return _repository(address, f"the mirror {name} of {settings}", username, password)
    return Repository(CENTRAL, "Maven Central, as neither a variable nor a mirror is set")


def mirror_of_central(
    settings: ElementTree.Element, environment: Mapping[str, str], home: Path
) -> tuple[str, str, str, str] | None:
    """Return ID, address, username and password of the mirror that Maven would use for `central`.

    A mirror of exactly `central` has priority over patterns; then the first match applies.
    """

    def text(element: ElementTree.Element, name: str) -> str:
        value = (element.findtext(f"{{*}}{name}") or "").strip()
        return _interpolate(value, environment, home)

    mirrors = settings.findall("{*}mirrors/{*}mirror")
    exact = [mirror for mirror in mirrors if text(mirror, "mirrorOf") == "central"]
    matching = [mirror for mirror in mirrors if applies_to_central(text(mirror, "mirrorOf"))]
    for mirror in exact + matching:
        name = text(mirror, "id")
        server = next((s for s in settings.findall("{*}servers/{*}server") if text(s, "id") == name), None)
        username, password = (
            ("", "") if server is None else (text(server, "username"), text(server, "password"))
        )
        return name, text(mirror, "url"), username, password
    return None


def applies_to_central(mirror_of: str) -> bool:
    """Return whether a `mirrorOf` value includes `central`; an exclusion always has priority."""
    patterns = [pattern.strip() for pattern in mirror_of.split(",")]
    return "!central" not in patterns and any(p in {"*", "central", "external:*"} for p in patterns)


def _interpolate(value: str, environment: Mapping[str, str], home: Path) -> str:
    """Replace `${env.NAME}` and `${user.home}`, which Maven supports in its settings."""
    value = value.replace("${user.home}", str(home))
    return re.sub(r"\$\{env\.([^}]+)\}", lambda match: environment.get(match[1], ""), value)


def _repository(address: str, source: str, username: str = "", password: str = "") -> Repository:
    """Split the credentials from an address, so that no message can contain them."""
    try:
        parts = urlsplit(address)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        raise UserError(f"{source} holds no usable address", hint="Check its host and port") from None
    if parts.scheme not in _SCHEMES:
        raise UserError(
            f"{source} holds no address that starts with {', '.join(_SCHEMES)}",
            hint=f"Correct it, or set {VARIABLE}",
        )
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else (parts.hostname or "")
    url = urlunsplit((parts.scheme, host + port, parts.path.rstrip("/"), "", ""))
    username, password = username or unquote(parts.username or ""), password or unquote(parts.password or "")
    if not username:
        return Repository(url, source)
    token = base64.b64encode(f"{username}:{password}".encode()).decode()
    return Repository(url, source, f"Basic {token}")


def this_users() -> Repository:
    """Return the repository of the current user."""
    return find(os.environ, Path.home())
