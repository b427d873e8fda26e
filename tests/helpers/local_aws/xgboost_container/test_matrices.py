"""The data of channels, read by XGBoost."""

import os
import subprocess
import sys
from pathlib import Path

READ = """
import sys
from pathlib import Path
from types import SimpleNamespace
from helpers.local_aws.xgboost_container import matrices

real = matrices.xgboost

def load(uri):
    print(*[path.name for path in Path(uri.partition("?")[0]).parent.iterdir()])
    return real.DMatrix(uri)

matrices.xgboost = SimpleNamespace(DMatrix=load, core=real.core)
print(matrices.read_matrix(Path(sys.argv[1]), "csv", with_weights=False).num_row())
"""


def test_nothing_else_is_beside_the_data(tmp_path: Path) -> None:
    """XGBoost lists the parent of the folder, too, and fails if a file there disappears meanwhile."""
    channel, temporary = tmp_path / "train", tmp_path / "temporary"
    channel.mkdir()
    (channel / "part-0.csv").write_text("3,1,1\n12,2,5\n")
    temporary.mkdir()
    (temporary / "of-another-process").touch()

    done = subprocess.run(
        [Path(sys.prefix) / "xgboost/bin/python", "-c", READ, channel],
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split("\n") == ["data", "2", ""]
