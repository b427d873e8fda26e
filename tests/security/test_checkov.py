"""checkov does not unroll Fn::ForEach, so what the loops make is held against its rules as well."""

import json
import subprocess
from pathlib import Path

import pytest

from helpers.local_aws.cloudformation.change_sets import parse_template

INFRA = Path(__file__).parents[2] / "infra"
LOOPS = [path for path in sorted(INFRA.glob("*.yaml")) if "Fn::ForEach" in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", LOOPS, ids=lambda path: path.stem)
def test_what_loops_make_passes_as_well(path: Path, tmp_path: Path) -> None:
    template = parse_template(path.read_text(encoding="utf-8"))
    del template["Transform"]
    (tmp_path / f"{path.stem}.json").write_text(json.dumps(template, default=str), encoding="utf-8")

    result = subprocess.run(
        [
            *("checkov", "--quiet", "--compact", "--skip-download", "--output", "json"),
            *("--framework", "cloudformation", "--directory", str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    found = json.loads(result.stdout)
    failed = [(each["check_id"], each["resource"]) for each in found["results"]["failed_checks"]]
    assert not failed
    assert found["summary"]["passed"] > 0
