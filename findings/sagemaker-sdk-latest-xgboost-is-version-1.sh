#!/usr/bin/env bash
# Asked for version "latest" of XGBoost, the SageMaker Python SDK returns the image of version 1: another repository and
# another account than those of the versions 0.90-1 to 3.2-0. A policy that trusts the account of these versions rejects
# it. For Spark, the same function raises an error for "latest".
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check sagemaker-core==2.27.0
cat > retrieve.py <<'PY'
import logging
import os
import sys
import warnings
from importlib.metadata import version

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
os.environ |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": "eu-west-1"}
from sagemaker.core import image_uris


def uri(framework, number):
    try:
        return image_uris.retrieve(framework=framework, region="eu-west-1", version=number)
    except ValueError as error:
        return f"ValueError: {str(error).partition('.')[0]}"


print(f"sagemaker-core {version('sagemaker-core')}")
asked = [("xgboost", number) for number in ("latest", "1", "0.90-1", "3.2-0")] + [("spark", "latest")]
found = {each: uri(*each) for each in asked}
for (framework, number), answer in found.items():
    print(f"{framework} {number}: {answer}")
latest, first, _, newest = (found["xgboost", number] for number in ("latest", "1", "0.90-1", "3.2-0"))
print('"latest" is the newest image of XGBoost:', latest == newest)
is_first = latest.partition("/")[2] == "xgboost:latest" and first.partition("/")[2] == "xgboost:1"
same_account = latest.partition(".")[0] == first.partition(".")[0] != newest.partition(".")[0]
sys.exit(not (is_first and same_account and found["spark", "latest"].startswith("ValueError")))
PY
if ! venv/bin/python retrieve.py; then
    echo "It is no longer so: this finding is out of date." >&2
    exit 1
fi
