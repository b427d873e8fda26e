"""The packages of a step in one folder: `python/` for PYTHONPATH, `jars/`, and a manifest."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from helpers.errors import UserError
from helpers.spark.packages import image, jar_lock, wheels
from helpers.spark.packages.jar_lock import LockedJar, read_jars
from helpers.spark.packages.layout import JARS, MANIFEST, PYTHON
from helpers.spark.packages.pom import POM, check_pom
from helpers.spark.packages.requirements import Pin, check_lock, lock_file, read_pins, read_requirements
from helpers.spark.packages.uv import LOCK_HINT


@dataclass(frozen=True)
class Bundle:
    """The pinned packages and jars of a step."""

    pins: tuple[Pin, ...] = ()
    jars: tuple[LockedJar, ...] = ()

    @property
    def contents(self) -> Mapping[str, Any]:
        """The content, and the platform of its wheels."""
        return {
            "python": image.python_version(),
            "platform": image.PLATFORM,
            "requirements": sorted(pin.requirement for pin in self.pins),
            "jars": {each.jar.coordinate: each.jar.sha256 for each in self.jars},
        }

    @property
    def digest(self) -> str:
        """The hexadecimal SHA-256 of the content: equal locks result in equal folders."""
        return sha256(json.dumps(self.contents, sort_keys=True).encode()).hexdigest()

    def assemble(self, folder: Path, own_modules: Collection[str] = ()) -> Mapping[str, Path]:
        """Download, verify and unpack everything; return the files by their path in the bundle.

        The manifest is written last: if it exists, the folder is complete.

        Args:
            folder: an empty folder.
            own_modules: names of the job's own modules, which no package may shadow.

        Raises:
            UserError: a file cannot be downloaded, differs from the lock, or shadows a module.
        """
        files = {}
        if self.pins:
            wheels.unpack_for_image(self.pins, folder / PYTHON, own_modules)
            unpacked = sorted(path for path in (folder / PYTHON).rglob("*") if path.is_file())
            files = {path.relative_to(folder).as_posix(): path for path in unpacked}
        for path in jar_lock.download(self.jars):
            files[f"{JARS}/{path.name}"] = path
        manifest = folder / MANIFEST
        sizes = {name: path.stat().st_size for name, path in files.items()}
        manifest.write_text(json.dumps({**self.contents, "files": sizes}), encoding="utf-8")
        return {**files, MANIFEST: manifest}


def read_bundle(folder: Path, requirements: str | None, coordinates: Sequence[str]) -> Bundle:
    """Return the bundle that lock files pin.

    Args:
        folder: folder of the files.
        requirements: name of the requirements file, whose lock file is next to it.
        coordinates: maven coordinates of jars.

    Raises:
        UserError: a file is missing, or a lock file does not match its source.
    """
    pins: list[Pin] = []
    if requirements:
        source = folder / requirements
        lock = lock_file(source)
        wanted = read_requirements(source, _text(source, "create it, or name another"))
        pins = read_pins(lock, _text(lock, LOCK_HINT))
        check_lock(wanted, pins, lock)
    if not coordinates:
        return Bundle(tuple(pins))
    lock = folder / jar_lock.LOCK
    jars = read_jars(lock, _text(lock, LOCK_HINT), coordinates)
    check_pom(_text(folder / POM, LOCK_HINT), coordinates)
    return Bundle(tuple(pins), tuple(jars))


def _text(path: Path, hint: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"there is no file {path}", hint=hint) from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8 at byte {error.start}", hint="Save it as UTF-8") from None


@dataclass(frozen=True)
class Manifest:
    """The manifest of a bundle in S3 and in containers."""

    python: str
    platform: str
    requirements: tuple[str, ...]
    files: Mapping[str, int]
    """Size in bytes of each file, by path in the bundle."""

    @property
    def pins(self) -> list[Pin]:
        """The Python packages."""
        return read_pins(Path(MANIFEST), "\n".join(self.requirements))


def read_manifest(content: bytes | str) -> Manifest:
    """Return a manifest from the content of its file."""
    values = json.loads(content)
    return Manifest(values["python"], values["platform"], tuple(values["requirements"]), values["files"])
