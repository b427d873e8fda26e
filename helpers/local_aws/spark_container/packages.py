"""Python packages of a job, for the Python of this machine.

The wheels of a job are built for the image. If this machine's Python differs, the same versions are installed
for it, once for all jobs, and the job's PYTHONPATH refers to them instead.
"""

import hashlib
import os
import platform
import shutil
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from helpers.local_aws.spark_container.job_python import JobPython
from helpers.spark import maven_jars
from helpers.spark.packages.bundle import Manifest, read_manifest
from helpers.spark.packages.layout import MANIFEST
from helpers.spark.packages.requirements import read_pins
from helpers.spark.packages.wheels import unpack_for_python


def python_path(value: str, python: JobPython, log: Callable[[str], None]) -> str:
    """Return a PYTHONPATH with packages for a Python of this machine.

    Args:
        value: a PYTHONPATH with folders on this machine.
        python: the Python that runs the job.
        log: receives a line about differences from the image.

    Raises:
        UserError: a version has no wheel for this machine.
    """
    return os.pathsep.join(_fitting(entry, python, log) for entry in value.split(os.pathsep))


def _fitting(entry: str, python: JobPython, log: Callable[[str], None]) -> str:
    file = Path(entry).parent / MANIFEST
    if not file.is_file():
        return entry
    manifest = read_manifest(file.read_bytes())
    if fits(manifest, python.version) or not manifest.requirements:
        return entry
    log(
        f"Local run: {len(manifest.requirements)} packages for Python {python.version} on this machine, "
        f"instead of those for Python {manifest.python} on {manifest.platform}."
    )
    return str(installed(manifest.requirements, python))


def fits(manifest: Manifest, version: str) -> bool:
    """Return whether the wheels of a manifest run on this machine with a version of Python."""
    machine, _, libc = manifest.platform.partition("-manylinux_")
    wanted = tuple(map(int, libc.split("_")))
    here = tuple(map(int, platform.libc_ver()[1].split("."))) if platform.libc_ver()[0] == "glibc" else ()
    return (
        version == manifest.python and sysconfig.get_platform() == f"linux-{machine}" and here[:2] >= wanted
    )


def installed(requirements: Sequence[str], python: JobPython) -> Path:
    """Return the folder with pinned versions for a Python, which are installed on first use.

    Raises:
        UserError: a version has no wheel for this machine.
    """
    text = "\n".join(requirements)
    key = f"{text}\n{python.program}\n{python.version}\n{sysconfig.get_platform()}"
    cache = maven_jars.cache_folder("packages")
    folder = cache / hashlib.sha256(key.encode()).hexdigest()[:32]
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=cache))
    try:
        unpack_for_python(read_pins(Path(MANIFEST), text), temporary / "python", python.program)
        try:
            (temporary / "python").rename(folder)
        except OSError:
            if not folder.is_dir():  # another job was faster
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder
