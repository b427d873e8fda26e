"""All policies of a deployed environment, as the services return them, and their evaluation by simulation."""

import itertools
import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import boto3
from authorization import as_list

Document = dict[str, Any]
Decision = dict[str, Any]
# The environment whose policies are evaluated.
PROJECT, PREFIX, ACCOUNT = "policies", "policies-local", "123456789012"
SIMULATOR = Path(__file__).with_name("simulate.mjs")
# Administrators and other accounts may perform all actions themselves: our policies alone restrict them.
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
    """The policy documents by resource (`<stack>.<logical id>`), and the data for their evaluation.

    The document of a role is its trust policy; managed policies and a boundary define its permissions.
    """

    documents: dict[str, Document] = field(default_factory=dict)
    of_role: dict[str, list[str]] = field(default_factory=dict)
    boundary: dict[str, str] = field(default_factory=dict)
    of_resource: dict[str, str] = field(default_factory=dict)
    of_endpoint: dict[str, str] = field(default_factory=dict)


def collect(session: boto3.Session) -> Policies:
    """Read the policies of all resources in the environment from the services."""
    iam, kms, s3, ec2 = (session.client(name) for name in ("iam", "kms", "s3", "ec2"))
    resources, found = list(_resources(session)), Policies()
    managed = {arn: name for name, kind, arn in resources if kind == "AWS::IAM::ManagedPolicy"}

    def of_type(kind: str) -> Iterator[tuple[str, str]]:
        return ((name, identifier) for name, is_of, identifier in resources if is_of == kind)

    def add(name: str, document: Document, arn: str) -> None:
        found.documents[name] = _as_text(document)
        found.of_resource[arn] = name

    for arn, name in managed.items():
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        found.documents[name] = _as_text(document)
    for name, identifier in of_type("AWS::IAM::Role"):
        role, short = iam.get_role(RoleName=identifier)["Role"], identifier.removeprefix(f"{PREFIX}-")
        add(name, role["AssumeRolePolicyDocument"], role["Arn"])
        attached = iam.list_attached_role_policies(RoleName=identifier)["AttachedPolicies"]
        found.of_role[short] = [managed[policy["PolicyArn"]] for policy in attached]
        if "PermissionsBoundary" in role:
            found.boundary[short] = managed[role["PermissionsBoundary"]["PermissionsBoundaryArn"]]
        assert not iam.list_role_policies(RoleName=identifier)["PolicyNames"], "no inline policies"
    for name, identifier in of_type("AWS::KMS::Key"):
        text = kms.get_key_policy(KeyId=identifier, PolicyName="default")["Policy"]
        add(name, json.loads(text), kms.describe_key(KeyId=identifier)["KeyMetadata"]["Arn"])
    for name, bucket in of_type("AWS::S3::Bucket"):
        text = s3.get_bucket_policy(Bucket=bucket)["Policy"]
        add(name, json.loads(text), f"arn:aws:s3:::{bucket}")
    for name, text, arn in _of_topics_and_groups(session, resources):
        add(name, json.loads(text), arn)
    for name, identifier in of_type("AWS::EC2::VPCEndpoint"):
        (endpoint,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[identifier])["VpcEndpoints"]
        add(name, json.loads(endpoint["PolicyDocument"]), identifier)
        found.of_endpoint[endpoint["ServiceName"].split(".", 3)[3]] = name
    return found


def _of_topics_and_groups(
    session: boto3.Session, resources: Sequence[tuple[str, str, str]]
) -> Iterator[tuple[str, str, str]]:
    """Yield the name, the policy and the ARN of each topic and of each model package group."""
    sns, sagemaker = session.client("sns"), session.client("sagemaker")
    for name, kind, arn in resources:
        if kind == "AWS::SNS::Topic":
            yield name, sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"], arn
        if kind == "AWS::SageMaker::ModelPackageGroup":
            group = arn.rpartition("/")[2]
            policy = sagemaker.get_model_package_group_policy(ModelPackageGroupName=group)
            yield name, policy["ResourcePolicy"], arn


def _resources(session: boto3.Session) -> Iterator[tuple[str, str, str]]:
    """Yield each resource of the environment: `<stack>.<logical id>`, type and identifier."""
    cloudformation = session.client("cloudformation")
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            if not stack["StackName"].startswith(f"{PREFIX}-"):
                continue
            described = cloudformation.describe_stack_resources(StackName=stack["StackName"])
            for resource in described["StackResources"]:
                name = f"{stack['StackName'].removeprefix(f'{PREFIX}-')}.{resource['LogicalResourceId']}"
                yield name, resource["ResourceType"], resource["PhysicalResourceId"]


def _as_text(part: Any) -> Any:
    """Return a document with booleans and numbers in its conditions as strings, as IAM evaluates them."""
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
    """A policy that lacks a part, or trusts everyone."""

    document: str
    kind: str
    what: str
    actions: tuple[str, ...]
    policy: Document = field(compare=False)

    def __str__(self) -> str:
        return f"{self.document}: {self.what}"


def mutants_of(name: str, document: Document) -> Iterator[Mutant]:
    """Yield a policy without each of its statements, and with each of them weakened in each way."""
    statements = document["Statement"]
    for index, statement in enumerate(statements):
        sid, actions = statement.get("Sid", str(index)), tuple(as_list(statement["Action"]))
        for kind, what, changed in [("statements", sid, []), *_changes_of(sid, statement)]:
            policy = {**document, "Statement": [*statements[:index], *changed, *statements[index + 1 :]]}
            yield Mutant(name, kind, what, actions, policy)


def _changes_of(sid: str, statement: Document) -> Iterator[tuple[str, str, list[Document]]]:
    """Yield the weakenings of a statement: its conditions, parts of a Deny, the principals of an Allow."""
    changes = [_without_a_condition(statement)]
    if statement["Effect"] == "Deny":
        changes.append(_without_a_part(statement))
    elif isinstance(statement.get("Principal"), dict):
        changes.append(_with_other_principals(statement))
    for kind, what, changed in itertools.chain(*changes):
        yield kind, f"{sid}: {what}", [changed]


def _without_a_condition(statement: Document) -> Iterator[tuple[str, str, Document]]:
    """If two condition keys protect a statement, each must have an effect by itself."""
    conditions = statement.get("Condition", {})
    for operator, keys in conditions.items():
        for key in keys:
            kept = {name: values for name, values in keys.items() if name != key}
            left = {**conditions, operator: kept}
            weaker = {**statement, "Condition": {name: found for name, found in left.items() if found}}
            yield "conditions", f"{operator} {key}", weaker


def _without_a_part(denial: Document) -> Iterator[tuple[str, str, Document]]:
    for part in ("Action", "Resource"):
        for value, kept in _without_one(denial[part]):
            yield "parts of denials", f"{part} {value}", {**denial, part: kept}
    for operator, keys in denial.get("Condition", {}).items():
        for key, values in keys.items():
            for value, kept in _without_one(values):
                changed = {**denial["Condition"], operator: {**keys, key: kept}}
                yield "parts of denials", f"{key} {value}", {**denial, "Condition": changed}


def _with_other_principals(grant: Document) -> Iterator[tuple[str, str, Document]]:
    for kind, names in grant["Principal"].items():
        for value, kept in _without_one(names):
            yield "principals", f"without {value}", {**grant, "Principal": {**grant["Principal"], kind: kept}}
    # If a condition names the principals, it repeats the Principal element.
    if not any("aws:PrincipalArn" in keys for keys in grant.get("Condition", {}).values()):
        yield "principals", "everybody", {**grant, "Principal": "*"}


def _without_one(values: Any) -> Iterator[tuple[str, list[str]]]:
    """Yield each of several values, with the values that remain without it."""
    if isinstance(values, list) and len(values) > 1:
        for value in values:
            yield value, [each for each in values if each != value]


def simulate(
    documents: Mapping[str, Document], requests: Sequence[Mapping[str, Any]], mutants: Sequence[Mutant] = ()
) -> tuple[list[Decision], list[dict[int, Decision]]]:
    """Return the decision on each request, and for each mutant the decisions on its requests.

    Raises:
        AssertionError: a request was not evaluated, or a context key was ignored, which proves nothing.
    """
    asked = {
        "documents": documents,
        "requests": requests,
        "mutants": [asdict(mutant) for mutant in mutants],
    }
    answer = subprocess.run(
        ["node", SIMULATOR], input=json.dumps(asked), capture_output=True, text=True, check=True, timeout=600
    )
    found = json.loads(answer.stdout)
    of_mutants = [{int(index): decision for index, decision in each.items()} for each in found["mutants"]]
    decided = [
        *enumerate(found["decisions"]),
        *(each for decisions in of_mutants for each in decisions.items()),
    ]
    faults = {
        f"{requests[index]['action']} by {requests[index]['principal']}: {decision}"
        for index, decision in decided
        if "error" in decision or decision["ignored"]
    }
    assert not faults, "\n".join(sorted(faults))
    return found["decisions"], of_mutants


def in_words(decision: Decision) -> str:
    """Return a decision for the table: allowed, denied, or the Sids of the denying statements."""
    if decision["result"] == "ExplicitlyDenied":
        return ", ".join(sorted(decision["denies"]))
    return {"Allowed": "allowed", "ImplicitlyDenied": "denied"}[str(decision["result"])]
