"""Errors of a template before anything is changed, in the words of AWS."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.cloudformation.exceptions import ValidationError

from helpers.local_aws.cloudformation.templates.validation import check_template, parse_template
from tests.helpers.local_aws.cloudformation.stacks import BUCKET, Stack, resource, template

TOPIC = resource("AWS::SNS::Topic")
LOGGING = {"DestinationBuckName": "x"}
NESTED = resource("AWS::CloudFormation::Stack", TemplateURL="https://bucket.s3.amazonaws.com/template")
INCLUDED = {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://bucket/part"}}}
CASES = {
    "reference": (
        template(B=resource("AWS::S3::Bucket", BucketName={"Ref": "Nobody"})),
        r"Template format error: Unresolved resource dependencies \[Nobody\] in the Resources block",
    ),
    "variable": (
        template(B=resource("AWS::S3::Bucket", BucketName={"Fn::Sub": "${Nobody}-x"})),
        r"Unresolved resource dependencies \[Nobody\]",
    ),
    "attribute": (
        template(B=resource("AWS::S3::Bucket", BucketName={"Fn::GetAtt": ["Nobody", "Arn"]})),
        "Fn::GetAtt references undefined resource Nobody",
    ),
    "attribute that is none": (
        template(B=BUCKET) | {"Outputs": {"O": {"Value": {"Fn::GetAtt": "B.Arrn"}}}},
        "Template error: resource B does not support attribute type Arrn in Fn::GetAtt",
    ),
    "attribute in a text": (
        template(B=BUCKET) | {"Outputs": {"O": {"Value": {"Fn::Sub": "${B.Arn} ${B.Arrn}"}}}},
        "Template error: instance of Fn::Sub references invalid resource attribute B.Arrn",
    ),
    "attribute in a text with variables": (
        template(B=BUCKET, T=resource("AWS::SNS::Topic", TopicName={"Fn::Sub": ["${B.Arrn}", {"B": "x"}]})),
        "instance of Fn::Sub references invalid resource attribute B.Arrn",
    ),
    "attribute of nobody in a text": (
        template(B=resource("AWS::S3::Bucket", BucketName={"Fn::Sub": "${AWS.Region}"})),
        "instance of Fn::Sub references invalid resource attribute AWS.Region",
    ),
    "attribute of a stack": (
        template(S=NESTED) | {"Outputs": {"O": {"Value": {"Fn::Sub": "${S.Output.Name}"}}}},
        "instance of Fn::Sub references invalid resource attribute S.Output.Name",
    ),
    "attribute of what moto has": (
        template(Q=resource("AWS::SQS::Queue")) | {"Outputs": {"O": {"Value": {"Fn::GetAtt": "Q.Name"}}}},
        "resource Q does not support attribute type Name in Fn::GetAtt",
    ),
    "attribute of what is not emulated": (
        template(M=resource("AWS::Macie::Session")) | {"Outputs": {"O": {"Value": {"Fn::Sub": "${M.Id}"}}}},
        "instance of Fn::Sub references invalid resource attribute M.Id",
    ),
    "output": (
        template(B=BUCKET) | {"Outputs": {"O": {"Value": {"Ref": "Nobody"}}}},
        r"Unresolved resource dependencies \[Nobody\] in the Outputs block",
    ),
    "DependsOn": (
        template(B={**BUCKET, "DependsOn": "Nobody"}),
        r"Unresolved resource dependencies \[Nobody\]",
    ),
    "condition": (
        template(B={**BUCKET, "Condition": "Nobody"}),
        "Unresolved condition dependency Nobody in the Resources block",
    ),
    "If": (
        template(B=resource("AWS::S3::Bucket", BucketName={"Fn::If": ["Nobody", "a", "b"]})),
        "Unresolved condition dependency Nobody",
    ),
    "condition of a condition": (
        template(B=BUCKET) | {"Conditions": {"C": {"Fn::Not": [{"Condition": "Nobody"}]}}},
        "Unresolved condition dependency Nobody in the Conditions block",
    ),
    "resource in a condition": (
        template(B=BUCKET) | {"Conditions": {"C": {"Fn::Equals": [{"Ref": "B"}, "x"]}}},
        r"Unresolved dependencies \[B\]. Cannot reference resources in the Conditions block",
    ),
    "no type": (template(B={"Properties": {}}), "Every Resources object must contain a Type member"),
    "no object": (template(B="x"), "resource definition is malformed"),
    "unknown type": (
        template(B=resource("AWS::S3::Buckett"), C=resource("My::Own::Type")),
        r"Unrecognized resource types: \[AWS::S3::Buckett, My::Own::Type\]",
    ),
    "circle": (
        template(
            A={**TOPIC, "DependsOn": "B"}, B={**TOPIC, "DependsOn": ["A"]}, C={**TOPIC, "DependsOn": "A"}
        ),
        r"Circular dependency between resources: \[A, B\]",
    ),
    "itself": (
        template(A=resource("AWS::SNS::Topic", DisplayName={"Ref": "A"})),
        r"Circular dependency between resources: \[A\]",
    ),
    "section": (template(B=BUCKET) | {"Foo": {}}, r"Invalid template property or properties \[Foo\]"),
    "no resources": ({"Resources": {}}, "At least one Resources member must be defined"),
    "nothing": ({}, "At least one Resources member must be defined"),
    "logical ID": ({"Resources": {"Q-1": BUCKET}}, "Resource name Q-1 is non alphanumeric"),
    "key of a resource": (
        template(B={**BUCKET, "Propertys": {}}),
        "Invalid template resource property 'Propertys'",
    ),
    "null": (template(B=resource("AWS::S3::Bucket", BucketName=None)), "'null' values are not allowed"),
    "nested property": (
        template(B=resource("AWS::S3::Bucket", LoggingConfiguration=LOGGING)),
        r"for resource B with message: \[#/LoggingConfiguration: extraneous key \[DestinationBuckName\]",
    ),
    "property behind a condition": (
        template(B=resource("AWS::S3::Bucket", LoggingConfiguration={"Fn::If": ["C", LOGGING, LOGGING]}))
        | {"Conditions": {"C": {"Fn::Equals": ["a", "b"]}}},
        "extraneous key",
    ),
    "property": (template(B=resource("AWS::S3::Bucket", Name="x")), r"#: extraneous key \[Name\]"),
    "required property": (template(K=resource("AWS::KMS::Alias")), r"required key \[AliasName\] not found"),
    "object for a text": (
        template(B=resource("AWS::S3::Bucket", BucketName={"A": 1})),
        "#/BucketName: expected type: String, found: JSONObject",
    ),
    "transform": (template(B=BUCKET) | {"Transform": "AWS::Serverless-2016-10-31"}, "is not emulated"),
    "sections of a transform": (
        template(B=BUCKET) | {"Transform": "AWS::Serverless-2016-10-31", "Globals": {}},
        "The transform AWS::Serverless-2016-10-31 is not emulated",
    ),
    "included template": (
        template(B=BUCKET) | {"Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://a/b"}}},
        "ValidationError: The transform AWS::Include is not emulated",
    ),
    "included mappings": (
        template(B=BUCKET) | {"Mappings": INCLUDED},
        "The transform AWS::Include is not emulated",
    ),
    "included resources": (template(B=BUCKET, **INCLUDED), "The transform AWS::Include is not emulated"),
    "included properties": (
        template(B=resource("AWS::S3::Bucket", **INCLUDED)),
        "The transform AWS::Include is not emulated",
    ),
    "parameter": (
        template(B=BUCKET) | {"Parameters": {"P": {}}},
        "Every Parameters object must contain a Type",
    ),
    "output without value": (template(B=BUCKET) | {"Outputs": {"O": {}}}, "Output O is malformed"),
    "loop": (
        template(**{"Fn::ForEach::X": ["a"]}) | {"Transform": "AWS::LanguageExtensions"},
        "Fn::ForEach::X layout is incorrect",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_rejected(case: str) -> None:
    content, message = CASES[case]
    with pytest.raises(ValidationError, match=message):
        check_template(parse_template(json.dumps(content)))


@pytest.mark.parametrize(
    "content",
    [
        template(B=resource("AWS::S3::Bucket", BucketName={"Ref": "AWS::NoValue"})),
        template(C=resource("Custom::Thing", ServiceToken="x")),
        template(C=resource("AWS::CloudFormation::CustomResource", ServiceToken="x")),
        template(K=resource("AWS::KMS::Key")),
        template(B={**BUCKET, "Metadata": {"cfn-lint": {"x": [1]}}}),
        template(B=resource("AWS::S3::Bucket", BucketName={"Fn::Sub": ["${A}", {"A": "x"}]})),
        template(M=resource("AWS::Macie::Session", Anything="goes")),
        template(S=NESTED) | {"Outputs": {"O": {"Value": {"Fn::Sub": "${S.Outputs.Name} ${!Literal.Arn}"}}}},
        template(B=resource("AWS::S3::Bucket", BucketName={"Fn::Sub": ["${A.Arn}", {"A.Arn": "x"}]})),
        template(C=resource("Custom::Thing", ServiceToken="x"))
        | {"Outputs": {"O": {"Value": {"Fn::Sub": "${C.Anything} ${C.Of.Its.Own}"}}}},
    ],
)
def test_what_is_taken(content: dict[str, Any]) -> None:
    check_template(parse_template(json.dumps(content)))


def test_a_rejected_change_set_leaves_no_stack(stack: Stack) -> None:
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        stack.change_set("CREATE", template(B=resource("AWS::S3::Buckett")))
    with pytest.raises(ClientError, match="does not exist"):
        stack.describe()


def test_a_stack_is_as_before_when_a_rejected_update_is_undone(stack: Stack) -> None:
    stack.deploy(template(B=BUCKET))
    wrong = template(B=BUCKET, N=resource("AWS::S3::Buckett")) | {
        "Outputs": {"O": {"Value": {"Fn::GetAtt": ["N", "Arn"]}}}
    }
    with pytest.raises(ClientError, match="Unrecognized resource types"):
        stack.change_set("UPDATE", wrong)
    assert stack.update(template(B=BUCKET, T=TOPIC)) == "UPDATE_COMPLETE"


def test_a_template_is_validated_and_summarized(stack: Stack) -> None:
    content = template(B=BUCKET) | {
        "Description": "d",
        "Parameters": {"P": {"Type": "String", "NoEcho": True, "Default": 1}},
    }
    (parameter,) = stack.client.validate_template(TemplateBody=json.dumps(content))["Parameters"]
    assert (parameter["ParameterKey"], parameter["NoEcho"], parameter["DefaultValue"]) == ("P", True, "1")
    summary = stack.client.get_template_summary(TemplateBody=json.dumps(content))
    assert (summary["Description"], summary["ResourceTypes"]) == ("d", ["AWS::S3::Bucket"])
    with pytest.raises(ClientError, match="unsupported structure"):
        stack.client.validate_template(TemplateBody="nothing")
