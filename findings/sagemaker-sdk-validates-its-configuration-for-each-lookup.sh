#!/usr/bin/env bash
# The SageMaker Python SDK looks up defaults in its configuration many times while it prepares one job. Each lookup
# calls jsonschema.validate(), which checks the whole schema of the SDK against the metaschema before it looks at the
# configuration. With a configuration of three lines, as for turning telemetry off, this takes most of the time of
# building a pipeline.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check sagemaker-core==2.27.0 jsonschema==4.26.0
cat > config.yaml <<'YAML'
SchemaVersion: '1.0'
SageMaker:
  PythonSDK: {Modules: {TelemetryOptOut: true}}
YAML
cat > count.py <<'PY'
import logging
import os
import sys
import time
import warnings
from importlib.metadata import version

logging.disable(logging.CRITICAL)
warnings.simplefilter("ignore")
os.environ |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_DEFAULT_REGION": "eu-west-1"}
os.environ["SAGEMAKER_USER_CONFIG_OVERRIDE"] = "config.yaml"
import boto3
import jsonschema
from sagemaker.core.processing import ScriptProcessor
from sagemaker.core.workflow.pipeline_context import PipelineSession

session = PipelineSession(boto_session=boto3.Session(region_name="eu-west-1"), default_bucket="bucket")
validate, spent = jsonschema.validate, []


def counted(*arguments, **options):
    begun = time.perf_counter()
    validate(*arguments, **options)
    spent.append(time.perf_counter() - begun)


jsonschema.validate = counted
begun = time.perf_counter()
ScriptProcessor(
    image_uri="123456789012.dkr.ecr.eu-west-1.amazonaws.com/image:1",
    command=["python3"],
    role="arn:aws:iam::123456789012:role/job",
    instance_type="ml.m5.xlarge",
    instance_count=1,
    sagemaker_session=session,
)
took = time.perf_counter() - begun
print(f"sagemaker-core {version('sagemaker-core')}, jsonschema {version('jsonschema')}")
print(f"One ScriptProcessor validated the same configuration {len(spent)} times: {sum(spent) / took:.0%} of its time.")
sys.exit(not (len(spent) >= 5 and sum(spent) > took / 2))
PY
if ! venv/bin/python count.py; then
    echo "It no longer does: this finding is out of date." >&2
    exit 1
fi
