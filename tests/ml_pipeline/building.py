"""Builds definitions without AWS: for stacks that do not exist, and in another process, folder and region."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ml_pipeline.params import PipelineParams
from tests.ml_pipeline.small_project import REGION

_KEY = f"arn:aws:kms:{REGION}:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
OUTPUTS = {
    "VpcId": "vpc-0123456789abcdef0",
    "PrivateSubnetIds": "subnet-0123456789abcdef0,subnet-0123456789abcdef1",
    "ProcessingSecurityGroupId": "sg-0123456789abcdef0",
    "VolumeKeyArn": _KEY,
    "DataKeyArn": _KEY.replace("01234567-", "76543210-"),
    "ArtifactKeyArn": _KEY.replace("01234567-", "11111111-"),
    "ArtifactBucketName": "artifact-bucket",
    "DataBucketName": "data-bucket",
    "PipelineExecutionRoleArn": "arn:aws:iam::123456789012:role/pipeline",
    "ProcessingJobRoleArn": "arn:aws:iam::123456789012:role/job",
    "TrainingJobRoleArn": "arn:aws:iam::123456789012:role/training",
    "TransformJobRoleArn": "arn:aws:iam::123456789012:role/transform",
    "ModelPackageGroupName": "models-of-local",
}
"""The outputs of stacks that do not exist."""

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
    """The result of a build in another process."""

    definition: str
    errors: str
    """Its standard error."""
    modules: frozenset[Path]
    """The files of all imported modules."""


def build_elsewhere(parameters: PipelineParams, folder: Path, repository: Path) -> BuiltElsewhere:
    """Build the definition of the repository's first pipeline without the cache of definitions."""
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
