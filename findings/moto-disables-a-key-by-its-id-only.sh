#!/usr/bin/env bash
# AWS KMS takes the ARN of a key wherever it takes its ID. moto takes both to describe a key and to rotate it, but raises
# a KeyError, which is not an error of AWS, where a key is disabled, enabled or deleted by its ARN. A test that hands an ARN to
# a fixture, as outputs of stacks are, fails in moto and passes in AWS.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check 'moto[kms]==5.2.5' boto3==1.44.5
cat > keys.py <<'PY'
import os
import sys
from importlib.metadata import version

os.environ |= {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}
import boto3
from moto import mock_aws

CALLS = ("describe_key", "enable_key_rotation", "disable_key", "enable_key", "schedule_key_deletion")


def answer(call: str, member: str) -> str:
    with mock_aws():
        kms = boto3.client("kms")
        key = kms.create_key()["KeyMetadata"]
        try:
            getattr(kms, call)(KeyId=key[member])
        except Exception as error:
            return type(error).__name__
        return "done"


found = {call: (answer(call, "KeyId"), answer(call, "Arn")) for call in CALLS}
print(f"moto {version('moto')}: a key is disabled, enabled and deleted by its ID, and not by its ARN.")
print("Call, by ID, by ARN:")
for call, answers in found.items():
    print(call, *answers)
expected = {call: ("done", "done" if call in CALLS[:2] else "KeyError") for call in CALLS}
sys.exit(0 if found == expected else "It no longer is so: this finding is out of date.")
PY
venv/bin/python keys.py || exit 1
