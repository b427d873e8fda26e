"""The bill of materials is a valid CycloneDX document, and lists all installed packages."""

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
PIN = re.compile(r"^([\w.-]+)==([^ ;\\]+)", re.MULTILINE)


def test_the_bill_of_materials_is_valid_and_lists_every_pin(tmp_path: Path) -> None:
    written = tmp_path / "sbom.cdx.json"

    made = subprocess.run(
        ["make", "-s", "sbom", f"SBOM={written}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert made.returncode == 0, made.stderr  # the tool validates with the CycloneDX schema before it writes
    document = json.loads(written.read_text(encoding="utf-8"))
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    components = {(each["name"], each["version"]): each for each in document["components"]}
    steps = (path.with_suffix(".txt") for path in (ROOT / "spark_jobs").glob("*.in"))
    locks = [path.read_text(encoding="utf-8") for path in (ROOT / "requirements.txt", *steps)]
    assert components.keys() == {pin for lock in locks for pin in PIN.findall(lock)}
    for each in components.values():
        assert each["purl"].startswith("pkg:pypi/")
        (source,) = each["externalReferences"]
        assert {found["alg"] for found in source["hashes"]} == {"SHA-256"}
