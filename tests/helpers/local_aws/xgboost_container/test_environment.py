"""The environment of training jobs and models: xgboost itself, without SageMaker's toolkits."""

import ast
import re
from pathlib import Path

import pytest

from helpers.local_aws import xgboost_container

TOOLKITS = ("sagemaker-xgboost-container", "sagemaker-containers", "sagemaker-training")
MODULES = sorted(Path(xgboost_container.__file__).parent.glob("*.py"))


def test_it_has_no_toolkit(repository: Path) -> None:
    """The toolkit of the image is on no registry, and its protobuf conflicts with sagemaker-training."""
    lines = (repository / "requirements-xgboost.txt").read_text().splitlines()
    locked = [match[1] for line in lines if (match := re.match(r"([\w.-]+)==", line))]

    assert {"xgboost", "xgboost-cpu"} & set(locked)
    assert not set(TOOLKITS) & set(locked)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_it_runs_on_each_python(module: Path) -> None:
    """Python 3.13 has no `cgi`, which the toolkit imports."""
    tree = ast.parse(module.read_text())
    imported = {each.name for node in ast.walk(tree) if isinstance(node, ast.Import) for each in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}

    assert not {name.partition(".")[0] for name in imported} & {"cgi", "distutils", "sagemaker_training"}
