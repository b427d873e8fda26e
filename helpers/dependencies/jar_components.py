"""Adds locked jars to an SBOM: `python -m helpers.dependencies.jar_components LOCK SBOM`."""

import json
import sys
from pathlib import Path
from typing import Any

from helpers.files import read_json_object, write_atomically
from helpers.spark.maven_jars import Jar
from helpers.spark.packages.jar_lock import read_all_jars


def component(jar: Jar) -> dict[str, Any]:
    """Return a jar as a CycloneDX component."""
    purl = f"pkg:maven/{jar.group}/{jar.artifact}@{jar.version}"
    return {
        "bom-ref": purl,
        "type": "library",
        "group": jar.group,
        "name": jar.artifact,
        "version": jar.version,
        "purl": purl,
        "hashes": [{"alg": "SHA-256", "content": jar.sha256}],
    }


def add_jars(lock: Path, bill: Path) -> None:
    """Add the jars of a lock file to a CycloneDX bill of materials in JSON.

    Raises:
        UserError: one of the files cannot be read.
    """
    document = read_json_object(bill)
    jars = map(component, read_all_jars(lock))
    document["components"] = [*document.get("components", []), *jars]
    write_atomically(bill, json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    add_jars(Path(sys.argv[1]), Path(sys.argv[2]))
