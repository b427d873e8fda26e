"""Tests the measurement's code on little data; does not evaluate figures."""

import json
from pathlib import Path

import pytest

from tests.ml_pipeline.packages.cost import GeneratedBundle


def test_generated_packages_have_the_size_that_they_stand_for(tmp_path: Path) -> None:
    files = GeneratedBundle(2).assemble(tmp_path)

    manifest = json.loads(files["packages.json"].read_text())
    assert sum(manifest["files"].values()) == pytest.approx(2_000_000, rel=0.01)
    assert manifest["files"] == {
        name: path.stat().st_size for name, path in files.items() if name != "packages.json"
    }
