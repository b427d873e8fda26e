"""Every policy of a deployed environment, as the services return it, and its evaluation by simulation."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

Document = dict[str, Any]
# Of the environment whose policies are evaluated.
PROJECT, ACCOUNT = "policies", "123456789012"
SIMULATOR = Path(__file__).with_name("simulate.mjs")
ROLES = (
    *("pipeline-execution", "processing-job", "training-job", "studio-user"),
    *("default-group", "flow-logs", "ci-plan", "ci-deploy"),
)
KEYS = ("Volume", "Data", "Artifact", "Log", "Studio")
BUCKETS = ("Data", "Artifact", "AccessLog")
# What administrators and other accounts have of their own: everything is left to our policies.
EVERYTHING = {
    "everything": {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "Everything", "Effect": "Allow", "Action": "*", "Resource": "*"}],
    },
    "open": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}],
    },
}


@dataclass(frozen=True)
class Policies:
    """The documents by name, and which of them are attached to whom.

    Names are `<stack>.<logical id>` of managed policies, `trust/<role>`, `key/<use>`, `bucket/<use>` and
    `endpoint/<service>`.
    """

    documents: Mapping[str, Document]
    of_role: Mapping[str, Sequence[str]]
    boundary: Mapping[str, str]


def collect(session: boto3.Session, prefix: str, outputs: Mapping[str, str]) -> Policies:
    """Read the policies of an environment, whose names begin with `prefix`, from the services."""
    iam, kms, s3, ec2 = (session.client(name) for name in ("iam", "kms", "s3", "ec2"))
    managed = _managed_policies(session, prefix)
    documents = {name: _managed(iam, arn) for arn, name in managed.items()}
    of_role, boundary = {}, {}
    for name in ROLES:
        role = iam.get_role(RoleName=f"{prefix}-{name}")["Role"]
        documents[f"trust/{name}"] = role["AssumeRolePolicyDocument"]
        if "PermissionsBoundary" in role:
            boundary[name] = managed[role["PermissionsBoundary"]["PermissionsBoundaryArn"]]
        attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
        of_role[name] = [managed[policy["PolicyArn"]] for policy in attached]
        assert not iam.list_role_policies(RoleName=role["RoleName"])["PolicyNames"], "no inline policies"
    for use in KEYS:
        text = kms.get_key_policy(KeyId=outputs[f"{use}KeyArn"], PolicyName="default")["Policy"]
        documents[f"key/{use}"] = json.loads(text)
    for use in BUCKETS:
        text = s3.get_bucket_policy(Bucket=outputs[f"{use}BucketName"])["Policy"]
        documents[f"bucket/{use}"] = json.loads(text)
    vpc = [{"Name": "vpc-id", "Values": [outputs["VpcId"]]}]
    for endpoint in ec2.describe_vpc_endpoints(Filters=vpc)["VpcEndpoints"]:
        service = endpoint["ServiceName"].split(".", 3)[3]
        documents[f"endpoint/{service}"] = json.loads(endpoint["PolicyDocument"])
    return Policies({name: _as_text(document) for name, document in documents.items()}, of_role, boundary)


def _managed_policies(session: boto3.Session, prefix: str) -> dict[str, str]:
    """Return the names of the managed policies of all stacks, by ARN."""
    cloudformation = session.client("cloudformation")
    return {
        resource["PhysicalResourceId"]: f"{stack}.{resource['LogicalResourceId']}"
        for stack in ("network", "identity", "github-oidc")
        for resource in cloudformation.describe_stack_resources(StackName=f"{prefix}-{stack}")[
            "StackResources"
        ]
        if resource["ResourceType"] == "AWS::IAM::ManagedPolicy"
    }


def _managed(iam: Any, arn: str) -> Document:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document: Document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    return document


def _as_text(part: Any) -> Any:
    """Return a document with the booleans and numbers of its conditions as texts, as IAM understands them."""
    match part:
        case dict():
            return {key: _as_text(value) for key, value in part.items()}
        case list():
            return [_as_text(value) for value in part]
        case bool():
            return str(part).lower()
        case int() | float():
            return str(part)
        case _:
            return part


@dataclass(frozen=True)
class Mutant:
    """A policy without one of its statements, or without one condition of a statement."""

    document: str
    what: str
    policy: Document


def mutants_of(name: str, document: Document) -> Iterator[Mutant]:
    """Yield a policy without each of its statements, and without each condition of each statement in turn.

    A statement that two of a condition's keys guard is mutated twice: each key must matter by itself.
    """
    statements = document["Statement"]
    for index, statement in enumerate(statements):
        sid = statement.get("Sid", str(index))
        others = statements[:index], statements[index + 1 :]
        if len(statements) > 1:
            yield Mutant(name, sid, {**document, "Statement": [*others[0], *others[1]]})
        for operator, keys in statement.get("Condition", {}).items():
            for key in keys:
                kept = {**keys}
                del kept[key]
                condition = {**statement["Condition"], operator: kept}
                weaker = {**statement, "Condition": {op: found for op, found in condition.items() if found}}
                if not weaker["Condition"]:
                    del weaker["Condition"]
                changed = [*others[0], weaker, *others[1]]
                yield Mutant(name, f"{sid}: {operator} {key}", {**document, "Statement": changed})


def simulate(
    documents: Mapping[str, Document], requests: Sequence[Mapping[str, Any]], mutants: Sequence[Mutant] = ()
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """Return the verdict on each request, and for each mutant the results that it leads to, by request."""
    asked = {
        "documents": documents,
        "requests": requests,
        "mutants": [{"document": mutant.document, "policy": mutant.policy} for mutant in mutants],
    }
    answer = subprocess.run(
        ["node", SIMULATOR], input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=600
    )
    found = json.loads(answer.stdout)
    return found["verdicts"], found["mutants"]
