#!/usr/bin/env bash
# In script mode, the drivers of the SageMaker Python SDK read each hyperparameter as JSON, although the API has strings
# only, and write it anew for the script. What looks like a number is one: the abbreviated commit 6e10234 reaches the
# script as Infinity, 12345e7 as 123450000000.0, and version 1.10 as 1.1. JSON's quotes around it do not help, because
# the drivers read it twice.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --no-deps sagemaker-train==1.27.0
cat > train.py <<'PY'
import json
import sys
from pathlib import Path

Path("arguments.json").write_text(json.dumps(sys.argv[1:]))
PY
cat > drive.py <<'PY'
import json
import logging
import os
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

logging.disable()
os.environ["TRAINING_JOB_NAME"] = "train"
drivers = Path(find_spec("sagemaker.train").origin).parent / "container_drivers"
sys.path[:0] = [str(drivers), str(drivers / "scripts")]
from environment import set_env

given = {
    "commit": "6e10234",
    "other-commit": "12345e7",
    "release": "1.10",
    "quoted-commit": '"6e10234"',
    "full-commit": "6e102345f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0c1",
}
host = {"current_host": "algo-1", "current_instance_type": "ml.m5.large", "hosts": ["algo-1"]}
set_env({**host, "network_interface_name": "eth0"}, {}, given, output_file="environment.sh")
driver = drivers / "distributed_drivers" / "basic_script_driver.py"
subprocess.run(
    ["bash", "-c", f"source environment.sh && SM_ENTRY_SCRIPT=train.py '{sys.executable}' '{driver}'"],
    check=True, stdout=subprocess.DEVNULL,
)
arguments = json.loads(Path("arguments.json").read_text())
received = dict(zip(arguments[::2], arguments[1::2], strict=True))
print(f"sagemaker-train {version('sagemaker-train')}: what looks like a number reaches the script as one.")
for name, value in given.items():
    print(f"{name} {value}: {received[f'--{name}']}")
expected = ["Infinity", "123450000000.0", "1.1", "Infinity", given["full-commit"]]
is_changed = [received[f"--{name}"] for name in given] == expected
sys.exit(0 if is_changed else "They no longer do: this finding is out of date.")
PY
venv/bin/python drive.py || exit 1
