"""Measures the execution plane with a pipeline of many steps that do nothing, sequential and parallel."""

import json
import sys
import time
import uuid
from typing import Any

import boto3

IMAGE = "236514542706.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-310:1.0"
PARALLEL = (1, 2, 4)


def measure(steps: int) -> dict[str, Any]:
    """Return the seconds of a pipeline with this number of steps, for each parallelism."""
    sagemaker, role = boto3.client("sagemaker"), new_role()
    results = {}
    for parallel in PARALLEL:
        name = f"bench-{uuid.uuid4().hex[:8]}"
        sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=json.dumps(
                {"Version": "2020-12-01", "Steps": [_step(number, role) for number in range(steps)]}
            ),
            RoleArn=role,
        )
        began = time.monotonic()
        arn = sagemaker.start_pipeline_execution(
            PipelineName=name, ParallelismConfiguration={"MaxParallelExecutionSteps": parallel}
        )["PipelineExecutionArn"]
        while True:
            execution = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
            if execution["PipelineExecutionStatus"] != "Executing":
                break
            time.sleep(0.5)
        seconds = time.monotonic() - began
        if execution["PipelineExecutionStatus"] != "Succeeded":
            sys.exit(f"{arn}: {execution.get('FailureReason')}")
        sagemaker.delete_pipeline(PipelineName=name)
        results[f"{parallel}"] = {
            "seconds": round(seconds, 2),
            "seconds_per_step": round(seconds / steps, 4),
        }
        print(f"{steps} steps, {parallel} at once: {seconds:.1f} s", file=sys.stderr, flush=True)
    return {"steps": steps, "results": results}


def _step(number: int, role: str) -> dict[str, Any]:
    cluster = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    return {
        "Name": f"step-{number}",
        "Type": "Processing",
        "Arguments": {
            "ProcessingResources": {"ClusterConfig": cluster},
            "AppSpecification": {"ImageUri": IMAGE, "ContainerEntrypoint": ["python3", "-c", "pass"]},
            "RoleArn": role,
        },
    }


def new_role() -> str:
    """Return a role that SageMaker may assume."""
    trusted = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam, name = boto3.client("iam"), f"bench-{uuid.uuid4().hex[:8]}"
    version = "2012-10-17"
    created = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": version, "Statement": [trusted]})
    )
    policy = json.dumps({"Version": version, "Statement": [everything]})
    iam.put_role_policy(RoleName=name, PolicyName="everything", PolicyDocument=policy)
    arn: str = created["Role"]["Arn"]
    return arn
