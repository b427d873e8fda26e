"""A package index with tiny wheels for uv on this machine."""

import hashlib
import zipfile
from pathlib import Path

import pytest

IMAGE_TAG = "cp312-cp312-manylinux_2_28_x86_64"


def add_wheel(
    index: Path,
    name: str,
    tag: str = "py3-none-any",
    module: str = "",
    requires: str = "",
    version: str = "1.0",
) -> str:
    """Write a wheel with one module and optionally one requirement; return its hash."""
    folder = index / name.replace("_", "-")
    folder.mkdir(exist_ok=True)
    module = module or f"{name}/__init__.py"
    info = f"{name}-{version}.dist-info"
    contents = {
        module: f"NAME = {name!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + (f"Requires-Dist: {requires}\n" if requires else ""),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for each, text in {**contents, f"{info}/RECORD": record}.items():
            wheel.writestr(zipfile.ZipInfo(each), text)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    with (folder / "index.html").open("a") as page:
        page.write(f'<a href="{path.name}#sha256={digest}">{path.name}</a>\n')
    return f"sha256:{digest}"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index in a folder, which is the only one."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("UV_DEFAULT_INDEX", folder.as_uri())
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    return folder


@pytest.fixture
def no_index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package index that does not respond."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
