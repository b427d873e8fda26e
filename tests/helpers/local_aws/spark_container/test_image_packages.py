"""The packages that a job's Python sees."""

import json
import os
import subprocess
import sys
from pathlib import Path

from helpers.local_aws.spark_container.image_packages import (
    document_of,
    hidden_modules,
    image_versions,
    write_site_customize,
)

PROGRAM = """
import importlib.util, json, sys
import numpy, pandas, boto3, yaml, psutil
names = ["moto", "pyarrow", "sagemaker", "scipy", "shipped", "yaml"]
print(json.dumps([name for name in names if importlib.util.find_spec(name)]))
try:
    import moto.core
except ModuleNotFoundError as error:
    print(error)
import scipy
print(scipy.__file__)
"""


def test_what_the_image_has_not_cannot_be_imported_unless_it_is_shipped(tmp_path: Path) -> None:
    write_site_customize(tmp_path / "customize")
    (tmp_path / "shipped").mkdir()
    (tmp_path / "shipped" / "scipy.py").write_text("")

    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(tmp_path / "customize"), str(tmp_path / "shipped")]),
        },
        capture_output=True,
        text=True,
        check=True,
    )

    found, error, shipped = result.stdout.splitlines()
    assert json.loads(found) == ["scipy", "yaml"]
    assert error == "No module named 'moto'"
    assert shipped == str(tmp_path / "shipped" / "scipy.py")


def test_packages_of_the_image_are_not_hidden_nor_what_they_need_here() -> None:
    assert not {"numpy", "pandas", "boto3", "botocore", "dateutil", "pyspark", "py4j"} & hidden_modules()
    assert {"moto", "msgspec", "pyarrow", "sagemaker", "scipy"} <= hidden_modules()
    assert "pyarrow" not in image_versions()


def test_the_data_file_is_made_of_a_lock() -> None:
    lock = {
        "_meta": {"requires": {"python_version": "3.12"}},
        "default": {
            "Typing_Extensions": {"version": "==4.14.0", "hashes": ["sha256:0"]},
            "smspark": {"editable": True, "path": "."},
        },
    }

    document = document_of("abc", json.dumps(lock))

    assert document["packages"] == {"typing-extensions": "4.14.0"}
    assert document["python"] == "3.12"
    assert document["source"].endswith("aws/sagemaker-spark-container abc")
