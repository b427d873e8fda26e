"""Downloads the wheels of a lock file, verifies their hashes, and unpacks them into a folder."""

import re
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from helpers.errors import UserError
from helpers.spark.packages import image
from helpers.spark.packages.requirements import Pin
from helpers.spark.packages.uv import INDEX_HINT, LOCK_HINT, UvError, run_uv

_NOT_OF_WHEELS = (".lock", "bin")
"""What uv adds: its lock, and scripts that begin with the path of a Python on this machine."""
_NAMED = re.compile(r"`?([A-Za-z0-9][\w.-]*)==|/([A-Za-z0-9][\w.-]*)/?(?=\s|$|`|\))")
_OTHER_CONTENT = "Find out why the index has other content than was locked before you lock it"
_OTHER_MACHINE = (
    f"Install Python {image.python_version()}, then run: rm -r .venv/job && make up. "
    "Or run the step on AWS only"
)


def unpack_for_image(pins: Sequence[Pin], folder: Path, own_modules: Collection[str] = ()) -> None:
    """Unpack the wheels for the image into a folder, with identical content on every machine.

    Args:
        pins: the packages.
        folder: the output folder, which is created.
        own_modules: names of the job's own modules.

    Raises:
        UserError: the index does not respond, a wheel has another hash or platform, or a package shadows a
            module of the container or requires another Spark.
    """
    platform = [f"--python-version={image.python_version()}", f"--python-platform={image.PLATFORM}"]
    _unpack(pins, folder, Path(sys.executable), platform, LOCK_HINT)
    if problems := [*_shadowing(pins, folder, own_modules), *_other_sparks(pins, folder)]:
        raise UserError("\n".join(problems), hint="Correct the requirements, then run: make lock-packages")


def unpack_for_python(pins: Sequence[Pin], folder: Path, python: Path) -> None:
    """Unpack the same versions into a folder for a Python on this machine.

    Raises:
        UserError: as for `unpack_for_image`.
    """
    _unpack(pins, folder, python, [], _OTHER_MACHINE)


def _unpack(pins: Sequence[Pin], folder: Path, python: Path, platform: Sequence[str], hint: str) -> None:
    try:
        run_uv(
            "install",
            f"--python={python}",
            f"--target={folder}",
            *platform,
            "--only-binary=:all:",
            "--require-hashes",
            "--no-deps",
            "--requirements=-",
            text="".join(f"{pin.requirement}\n" for pin in pins),
        )
    except UvError as error:
        raise _rejection(pins, error, hint) from None
    for name in _NOT_OF_WHEELS:
        shutil.rmtree(folder / name, ignore_errors=True)
        if (folder / name).is_file():
            (folder / name).unlink()
    for record in folder.glob("*.dist-info/RECORD"):
        _forget_scripts(record)


def _forget_scripts(record: Path) -> None:
    lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
    record.unlink()  # it can be a hard link to uv's cache
    record.write_text(
        "".join(sorted(line for line in lines if not line.startswith("bin/"))), encoding="utf-8"
    )


def _rejection(pins: Sequence[Pin], error: UvError, hint: str) -> UserError:
    named = {canonicalize_name(one or other) for one, other in _NAMED.findall(str(error))}
    pin = next((pin for pin in pins if pin.name in named), pins[0])
    if error.is_of_the_index:
        hint = INDEX_HINT
    elif "Hash mismatch" in str(error):
        hint = _OTHER_CONTENT
    return UserError(f"{pin}: {error}", hint=hint)


def _shadowing(pins: Sequence[Pin], folder: Path, own_modules: Collection[str]) -> Iterator[str]:
    known: Mapping[str, str] = {**image.modules(), **dict.fromkeys(own_modules, "spark_jobs")}
    by_name = {pin.name: pin for pin in pins}
    for distribution in sorted(metadata.distributions(path=[str(folder)]), key=lambda each: each.name):
        for module in sorted(top_level_modules(distribution)):
            if module in known:
                yield (
                    f"{by_name[canonicalize_name(distribution.name)]}: its module {module} would take the "
                    f"place of that of {known[module]}; remove the package, or rename your module"
                )


def _other_sparks(pins: Sequence[Pin], folder: Path) -> Iterator[str]:
    """Yield packages that require another Spark than the image's, which uv cannot check without a wheel."""
    by_name = {pin.name: pin for pin in pins}
    for distribution in metadata.distributions(path=[str(folder)]):
        for needed in map(Requirement, distribution.requires or ()):
            version = image.SPARK_PACKAGES.get(canonicalize_name(needed.name))
            applies = needed.marker is None or needed.marker.evaluate({"extra": ""})
            if version and applies and not needed.specifier.contains(version):
                pin = by_name[canonicalize_name(distribution.name)]
                has = f"the Spark image has {needed.name} {version}"
                yield f"{pin}: it needs {needed}, and {has}; name another version of the package"


def top_level_modules(distribution: metadata.Distribution) -> set[str]:
    """Return the importable names of a distribution, without namespace packages, which shadow nothing."""
    found = set()
    for file in distribution.files or ():
        name = file.parts[0] if len(file.parts) > 1 else file.name
        stem = name.partition(".")[0]
        if len(file.parts) == 1 and file.suffix in {".py", ".so"}:
            found.add(stem)
        elif len(file.parts) == 2 and file.name.partition(".")[0] == "__init__" and name.isidentifier():
            found.add(name)
    return found
