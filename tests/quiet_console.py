"""A console that shows nothing."""

from typing import Any

from rich.console import Console


class QuietConsole(Console):
    """A console that does not even render: rich renders text and tables before `quiet` discards them."""

    def print(self, *_: Any, **__: Any) -> None:
        """Do nothing."""
