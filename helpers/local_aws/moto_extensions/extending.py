"""Extension mechanisms for moto: subclasses of its backends and responses, or replaced functions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any


class ExtensionError(Exception):
    """moto does not have what is to be extended: its version differs from the supported one."""


@dataclass(frozen=True)
class Replacement:
    """A replaced function of moto.

    Attributes:
        target: such as `moto.s3.models:FakeBucket.get_permission`.
        function: the replacement.
    """

    target: str
    function: Callable[..., Any]

    def install(self) -> None:
        """Replace the function.

        Raises:
            ExtensionError: moto has no such function.
        """
        module, path = self.target.split(":")
        *owners, name = path.split(".")
        owner: Any = import_module(module)
        try:
            for each in owners:
                owner = getattr(owner, each)
            callable_there = callable(getattr(owner, name))
        except AttributeError:
            callable_there = False
        if not callable_there:
            raise ExtensionError(
                f"moto has no function {self.target}, which {self.function.__name__} replaces"
            )
        setattr(owner, name, self.function)


def replaces(target: str) -> Callable[[Callable[..., Any]], Replacement]:
    """Return a decorator that makes a function the replacement of a function of moto."""
    return lambda function: Replacement(target, function)


def replace_all(replacements: Iterable[Replacement]) -> None:
    """Install replacements."""
    for replacement in replacements:
        replacement.install()


def extend_backend(backends: Any, extension: type) -> None:
    """Make moto create a subclass of a service's backend instead of its own.

    Raises:
        ExtensionError: the class is not a subclass of the backend, or moto has already created backends.
    """
    if backends.backend is extension:
        return
    if not issubclass(extension, backends.backend):
        raise ExtensionError(f"{extension.__name__} does not extend moto's {backends.backend.__name__}")
    if any(backends.values()):
        raise ExtensionError(f"moto has created a {backends.backend.__name__} before it could be extended")
    backends.backend = extension


def extend_responses(urls: ModuleType, extension: Any) -> None:
    """Make moto respond to a service's requests with a subclass of its responses.

    Raises:
        ExtensionError: the class is not a subclass of moto's responses.
    """
    handlers = {path: handler for path, handler in urls.url_paths.items() if handler.__name__ == "dispatch"}
    if not handlers:
        raise ExtensionError(f"{urls.__name__} has no responses for {extension.__name__} to extend")
    for path, handler in handlers.items():
        if not issubclass(extension, handler.__self__):
            raise ExtensionError(f"{extension.__name__} does not extend moto's {handler.__self__.__name__}")
        urls.url_paths[path] = extension.dispatch
