"""The reference of commands: targets and variables of the Makefile, and the options in ARGS."""

import argparse
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from helpers.command_line import common_options
from ml_pipeline.commands import COMMANDS, load_command
from tests.docs.reference.markdown import ROOT, code, table

INTRODUCTION = """# Commands

Generated from the [Makefile](../../Makefile) and the command line by `make reference`.

Run a command as `make TARGET VARIABLE=value`. `V=1` also prints the commands that it runs.
"""
TARGET = re.compile(r"^([a-z][a-z-]*):(?!=).*?##\s*(.*)$")
OF_MAKE = {"CURDIR", "MAKE", "MAKEFILE_LIST"}
ELSEWHERE = {"LOCAL_AWS_HOME"}
"""Variables of the embedded AWS, which docs/embedded-aws.md lists."""
CHECKS = {"WITHOUT_STEP"}
"""Variables that only reject others."""


class Target(NamedTuple):
    """A target with its help text."""

    name: str
    text: str
    group: str
    recipe: str


class Makefile:
    """The targets and variables of the Makefile."""

    def __init__(self, text: str):
        lines = text.splitlines()
        self.descriptions = dict(re.findall(r"^#: ([A-Z_]+) +(.*)$", text, re.MULTILINE))
        self.defaults = dict(re.findall(r"^([A-Z_]+) \?= ?(.*)$", text, re.MULTILINE))
        self._internal = dict(re.findall(r"^([A-Z_]+) :?= ?((?:.*\\\n)*.*)$", text, re.MULTILINE))
        self.targets = list(_targets(lines))

    def variables(self, target: Target) -> list[str]:
        """Return the variables of a target that a user can set, in the order of their descriptions."""
        used = self._used(target.recipe)
        return [
            name for name in (*self.descriptions, *sorted(used - self.descriptions.keys())) if name in used
        ]

    def _used(self, text: str) -> set[str]:
        names = set(re.findall(r"\$\(([A-Z_]+)\)", text)) - OF_MAKE - ELSEWHERE - CHECKS
        inner = (self._used(self._internal[name]) for name in names & self._internal.keys())
        return (names - self._internal.keys()).union(*inner)


def _targets(lines: list[str]) -> Iterator[Target]:
    group = ""
    for number, line in enumerate(lines):
        group = line.removeprefix("##@").strip() if line.startswith("##@") else group
        if found := TARGET.match(line):
            recipe = [line.partition("##")[2]]
            for after in lines[number + 1 :]:
                if not after.startswith("\t"):
                    break
                recipe.append(after)
            yield Target(found[1], found[2].replace("$$", "$"), group, "\n".join(recipe))


def commands_page() -> str:
    makefile = Makefile((ROOT / "Makefile").read_text(encoding="utf-8"))
    parts = [INTRODUCTION]
    for group in dict.fromkeys(target.group for target in makefile.targets):
        rows = [
            (
                code(f"make {target.name}"),
                escaped(target.text),
                ", ".join(map(code, makefile.variables(target))),
            )
            for target in makefile.targets
            if target.group == group
        ]
        parts += [f"## {group}\n", table(("command", "what it does", "variables"), rows), ""]
    variables = [
        (code(name), text, code(re.sub(r"^\$\(.*", "", makefile.defaults.get(name, ""))))
        for name, text in makefile.descriptions.items()
    ]
    parts += ["## Variables\n", table(("variable", "meaning", "default"), variables), ""]
    parts += [
        "## Options in ARGS\n",
        "Use them as `make TARGET ARGS='--option value'`. "
        "Each command also takes `--verbose`, which shows the traceback of an error.\n",
    ]
    parts += [table(("command", "option", "meaning"), list(_options(makefile))), ""]
    return "\n".join(parts)


def escaped(text: str) -> str:
    """Return a help text as Markdown: text that looks like HTML or a variable becomes code."""
    return re.sub(r"([A-Z_]+=('[^']*'|\S*[^\s;,.]|))", lambda found: code(found[0]), text)


def _options(makefile: Makefile) -> Iterator[tuple[str, str, str]]:
    """Yield the options of commands whose target passes ARGS, except those that variables set."""
    for target in makefile.targets:
        found = re.search(r"(?:\(PIPELINES\)|-m ml_pipeline) ([a-z-]+)", target.recipe)
        if not found or found[1] not in COMMANDS or "$(ARGS)" not in target.recipe:
            continue
        recipe = target.recipe.partition("\n")[2]
        set_already = set(re.findall(r"--([a-z-]+)", recipe)) | {"env", "pipeline", "step", "verbose"}
        for action in _actions(found[1]):
            name = action.option_strings[-1] if action.option_strings else ""
            if not name or name.removeprefix("--") in set_already or action.help == argparse.SUPPRESS:
                continue
            value = action.metavar or (action.nargs != 0 and name.strip("-").upper()) or ""
            text = (action.help or "") % {"default": action.default, "prog": "", "const": action.const}
            yield code(target.name), code(f"{name} {value}".strip()), text


def _actions(command: str) -> list[argparse.Action]:
    parser = argparse.ArgumentParser(parents=[common_options()])
    load_command(command).add_arguments(parser)
    return [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]


def undescribed(makefile: Makefile) -> Mapping[str, list[str]]:
    """Return the targets by variable, for variables without a description."""
    found: dict[str, list[str]] = {}
    for target in makefile.targets:
        for name in makefile.variables(target):
            if name not in makefile.descriptions:
                found.setdefault(name, []).append(target.name)
    return found
