"""Building a definition in another process, in another folder and another region."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ml_pipeline.params import PipelineParams

_PROGRAM = """
import json, sys
from pathlib import Path
from ml_pipeline import definitions
from ml_pipeline.params import DEFAULT_PIPELINE
from ml_pipeline.params.model import model_of
from ml_pipeline.pipelines import find_pipeline
definitions.CACHE = Path("cache")
params = model_of(json.loads(sys.argv[1])).model_validate_json(sys.argv[1])
sys.stdout.write(definitions.pipeline_definition(find_pipeline(DEFAULT_PIPELINE), params))
files = [module.__file__ for module in list(sys.modules.values()) if getattr(module, "__file__", None)]
Path("modules.json").write_text(json.dumps(files))
"""


class BuiltElsewhere(NamedTuple):
    """What another process built."""

    definition: str
    errors: str
    """What it wrote to its standard error."""
    modules: frozenset[Path]
    """The files of all modules that it had imported by then."""


def build_elsewhere(parameters: PipelineParams, folder: Path, repository: Path) -> BuiltElsewhere:
    """Build the definition of the repository's first pipeline, without a cache of definitions."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(repository)}
    built = subprocess.run(
        [sys.executable, "-c", _PROGRAM, parameters.model_dump_json()],
        env=environment | {"AWS_DEFAULT_REGION": "ap-southeast-2", "PYTHONHASHSEED": "7"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    modules = json.loads((folder / "modules.json").read_text())
    return BuiltElsewhere(built.stdout, built.stderr, frozenset(map(Path, modules)))
