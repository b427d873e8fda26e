"""Change sets and stacks follow AWS where moto differs."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from helpers.local_aws.cloudformation import backend
from tests.helpers.local_aws.cloudformation.stacks import BUCKET, KEY, Stack, resource, role, template

PARAMETRIZED = template(Bucket=BUCKET) | {"Parameters": {"P": {"Type": "String"}}}


def test_outputs_and_exports_survive_change_sets(stack: Stack) -> None:
    export = f"{stack.name}-bucket"
    first = template(Bucket=BUCKET) | {
        "Outputs": {"Name": {"Value": {"Ref": "Bucket"}, "Export": {"Name": export}}}
    }
    stack.deploy(first)
    name = stack.outputs()["Name"]
    exports = {each["Name"]: each["Value"] for each in stack.client.list_exports()["Exports"]}
    assert exports[export] == name
    second = first | {"Outputs": {"Again": {"Value": {"Ref": "Bucket"}}}}
    stack.update(second)
    assert stack.outputs() == {"Again": name}
    assert export not in {each["Name"] for each in stack.client.list_exports()["Exports"]}


def test_another_stack_imports_what_one_exports(stack: Stack, aws: boto3.Session) -> None:
    exported = {"Name": {"Value": {"Ref": "Bucket"}, "Export": {"Name": f"{stack.name}-it"}}}
    stack.deploy(template(Bucket=BUCKET) | {"Outputs": exported})
    other = Stack(aws)
    tag = {"Key": "of", "Value": {"Fn::ImportValue": f"{stack.name}-it"}}
    assert other.deploy(template(Bucket=resource("AWS::S3::Bucket", Tags=[tag]))) == "CREATE_COMPLETE"


def test_an_empty_change_set_has_failed_and_is_not_executed(stack: Stack) -> None:
    stack.deploy(template(Bucket=BUCKET))
    empty = stack.change_set("UPDATE", template(Bucket=BUCKET))
    assert (empty["Status"], empty["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in empty["StatusReason"]
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        stack.client.execute_change_set(ChangeSetName=empty["ChangeSetId"])


def test_executing_a_change_set_makes_the_others_obsolete(stack: Stack) -> None:
    stack.deploy(template(A=BUCKET))
    one = stack.change_set("UPDATE", template(A=BUCKET, B=BUCKET))
    assert stack.update(template(A=BUCKET, C=BUCKET)) == "UPDATE_COMPLETE"
    with pytest.raises(ClientError, match="OBSOLETE"):
        stack.client.execute_change_set(ChangeSetName=one["ChangeSetId"])


def test_a_parameter_within_a_text_is_a_change(stack: Stack) -> None:
    tags = [{"Key": "x", "Value": {"Fn::Sub": "is ${Value}"}}]
    content = template(Bucket=resource("AWS::S3::Bucket", Tags=tags)) | {
        "Parameters": {"Value": {"Type": "String"}}
    }
    stack.deploy(content, Value="1")
    (change,) = stack.change_set("UPDATE", content, Value="2")["Changes"]
    assert change["ResourceChange"]["LogicalResourceId"] == "Bucket"


@pytest.mark.parametrize(
    ("kind", "message"),
    [("CREATE", "already exists"), ("UPDATE", "ROLLBACK_COMPLETE state and can not be updated")],
)
def test_change_sets_that_the_stack_does_not_allow_are_rejected(
    stack: Stack, kind: str, message: str
) -> None:
    assert (
        stack.deploy(template(Role=role(ManagedPolicyArns=["arn:aws:iam::aws:policy/No"])))
        == "ROLLBACK_COMPLETE"
    )
    with pytest.raises(ClientError, match=message):
        stack.change_set(kind, template(Bucket=BUCKET))


def test_of_two_requests_that_come_at_once_the_second_finds_the_first_ones_stack(monkeypatch) -> None:
    """Both wait during the creation of a stack until the other one arrives there, if it can."""
    both_there = threading.Barrier(2)

    def look_for_changes(*_: Any) -> tuple[list[Any], bool]:
        with suppress(threading.BrokenBarrierError):
            both_there.wait(timeout=0.5)
        return [], True

    monkeypatch.setattr(backend, "find_changes", look_for_changes)
    service = backend.Backend("us-east-1", "123456789012")
    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(
                service.create_change_set, "s", name, json.dumps(template(Bucket=BUCKET)), {}, "CREATE"
            )
            for name in ("one", "two")
        ]

    assert {future.result()[1] for future in asked} == set(service.stacks)
    assert len(service.stacks) == 1


def test_a_change_set_that_is_not_there(stack: Stack) -> None:
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        stack.client.describe_change_set(ChangeSetName="arn:none", StackName=stack.name)
    stack.client.delete_change_set(ChangeSetName="arn:none", StackName=stack.name)


def test_stacks_without_change_sets_go_the_same_way(stack: Stack) -> None:
    parameters = [{"ParameterKey": "P", "ParameterValue": "1"}]
    stack.client.create_stack(
        StackName=stack.name, TemplateBody=json.dumps(PARAMETRIZED), Parameters=parameters
    )
    assert stack.status() == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="No updates are to be performed"):
        stack.client.update_stack(
            StackName=stack.name,
            TemplateBody=json.dumps(PARAMETRIZED),
            Parameters=parameters,
        )
    changed = template(Bucket=BUCKET, Key=KEY)
    stack.client.update_stack(StackName=stack.name, TemplateBody=json.dumps(changed))
    assert stack.status() == "UPDATE_COMPLETE"


def test_loops_run_over_parameters_and_functions_name_resources(stack: Stack) -> None:
    loop = ["Use", {"Ref": "Uses"}, {"${Use}Topic": resource("AWS::SNS::Topic")}]
    outputs = ["Use", {"Ref": "Uses"}, {"${Use}Arn": {"Value": {"Ref": {"Fn::Sub": "${Use}Topic"}}}}]
    text = {
        "Transform": "AWS::LanguageExtensions",
        "Parameters": {
            "Uses": {"Type": "CommaDelimitedList", "Default": "Data,Log", "AllowedPattern": "[A-Z]+[a-z]*"}
        },
        "Resources": {"Fn::ForEach::Topics": loop},
        "Outputs": {"Fn::ForEach::Arns": outputs},
    }
    stack.deploy(text)
    assert stack.outputs().keys() == {"DataArn", "LogArn"}
    stack.update(text, Uses="Data,Code")
    assert stack.outputs().keys() == {"DataArn", "CodeArn"}
    with pytest.raises(ClientError, match="Uses failed to satisfy"):
        stack.change_set("UPDATE", text, Uses="Data,code")


def test_rules_are_checked_before_anything_is_created(stack: Stack) -> None:
    text = {
        **template(Topic=resource("AWS::SNS::Topic")),
        "Parameters": {"One": {"Type": "String", "Default": ""}, "Other": {"Type": "String", "Default": ""}},
        "Rules": {
            "Together": {
                "RuleCondition": {"Fn::Not": [{"Fn::Equals": [{"Ref": "One"}, ""]}]},
                "Assertions": [
                    {
                        "Assert": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Other"}, ""]}]},
                        "AssertDescription": "Other goes with One",
                    }
                ],
            }
        },
    }
    with pytest.raises(ClientError, match="Other goes with One"):
        stack.change_set("CREATE", text, One="1")
    assert stack.deploy(text, One="1", Other="2") == "CREATE_COMPLETE"


def test_a_number_is_compared_as_the_text_that_it_is(stack: Stack) -> None:
    document = template(Bucket={**BUCKET, "Condition": "HasMore"}) | {
        "Parameters": {"Count": {"Type": "Number", "Default": 0}},
        "Conditions": {"HasMore": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Count"}, "0"]}]}},
    }
    stack.deploy(document | {"Resources": {**document["Resources"], "Key": KEY}})
    assert not stack.events("Bucket")


# --- names --------------------------------------------------------------------------------------------------


def create_change_set(stack: Stack, name: str, kind: str = "CREATE") -> str:
    created = stack.client.create_change_set(
        StackName=stack.name,
        ChangeSetName=name,
        ChangeSetType=kind,
        TemplateBody=json.dumps(template(Bucket=BUCKET)),
    )
    return str(created["Id"])


def test_a_name_is_that_of_a_change_set_of_one_stack(stack: Stack, aws: boto3.Session) -> None:
    other, client = Stack(aws), stack.client
    ids = {each.name: create_change_set(each, "same-name") for each in (stack, other)}
    for name, change_set_id in ids.items():
        found = client.describe_change_set(StackName=name, ChangeSetName="same-name")
        assert (found["StackName"], found["ChangeSetId"]) == (name, change_set_id)
    client.execute_change_set(StackName=stack.name, ChangeSetName="same-name")
    assert stack.status() == "CREATE_COMPLETE"
    assert other.status() == "REVIEW_IN_PROGRESS"
    waiting = client.describe_change_set(StackName=other.name, ChangeSetName="same-name")
    assert waiting["ExecutionStatus"] == "AVAILABLE"
    client.delete_change_set(StackName=other.name, ChangeSetName="same-name")
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        client.describe_change_set(StackName=other.name, ChangeSetName="same-name")
    assert client.describe_change_set(ChangeSetName=ids[stack.name])["StackName"] == stack.name


def test_a_name_is_used_once_and_needs_its_stack(stack: Stack) -> None:
    create_change_set(stack, "once")
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        create_change_set(stack, "once")
    with pytest.raises(ClientError, match="StackName must be specified"):
        stack.client.describe_change_set(ChangeSetName="once")
    with pytest.raises(ClientError, match="does not exist"):
        stack.client.describe_change_set(ChangeSetName="once", StackName="no-such-stack")


# --- parameters ---------------------------------------------------------------------------------------------


def test_secrets_are_shown_to_nobody(stack: Stack) -> None:
    rule = {"Type": "String", "NoEcho": True}
    content = template(Topic=resource("AWS::SNS::Topic", DisplayName={"Ref": "Secret"})) | {
        "Parameters": {"Secret": rule},
        "Outputs": {"Topic": {"Value": {"Ref": "Topic"}}},
    }
    change_set = stack.change_set("CREATE", content, Secret="hush")
    assert change_set["Parameters"] == [{"ParameterKey": "Secret", "ParameterValue": "****"}]
    stack.client.execute_change_set(ChangeSetName=change_set["ChangeSetId"])
    assert stack.describe()["Parameters"] == [{"ParameterKey": "Secret", "ParameterValue": "****"}]
    topic = stack.aws.client("sns").get_topic_attributes(TopicArn=stack.outputs()["Topic"])
    assert topic["Attributes"]["DisplayName"] == "hush"


def test_a_parameter_of_systems_manager_has_its_name_and_its_value(stack: Stack) -> None:
    ssm, name = stack.aws.client("ssm"), f"/{stack.name}/in"
    ssm.put_parameter(Name=name, Value="x,y", Type="StringList")
    content = template(
        Topic=resource(
            "AWS::SNS::Topic",
            DisplayName={"Fn::Join": ["+", {"Ref": "List"}]},
            TopicName=f"{{{{resolve:ssm:{name}}}}}",
        )
    ) | {
        "Parameters": {"List": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "AllowedPattern": "no"}},
        "Outputs": {
            "Name": {"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}},
            "Topic": {"Value": {"Ref": "Topic"}},
        },
    }
    ssm.put_parameter(Name=name, Value="x,y", Type="StringList", Overwrite=True)
    stack.change_set("CREATE", content, List=name)
    ssm.put_parameter(Name=name, Value="name", Type="String", Overwrite=True)
    assert stack.deploy(content, List=name) == "CREATE_COMPLETE"
    (shown,) = stack.describe()["Parameters"]
    assert (shown["ParameterValue"], shown["ResolvedValue"]) == (name, "name")
    assert stack.outputs()["Name"] == "name"
    with pytest.raises(ClientError, match=r"Unable to fetch parameters \[none\]"):
        stack.change_set("UPDATE", content, List="none")


@pytest.mark.parametrize("reference", ["{{resolve:nothing:x}}", "{{resolve:ssm:/no/such/parameter}}"])
def test_a_dynamic_reference_to_nothing_fails(stack: Stack, reference: str) -> None:
    assert stack.deploy(template(T=resource("AWS::SNS::Topic", DisplayName=reference))) == "ROLLBACK_COMPLETE"


def test_previous_values_and_templates_are_used_again(stack: Stack) -> None:
    stack.deploy(PARAMETRIZED, P="before")
    created = stack.client.create_change_set(
        StackName=stack.name,
        ChangeSetName="again",
        ChangeSetType="UPDATE",
        UsePreviousTemplate=True,
        Parameters=[{"ParameterKey": "P", "UsePreviousValue": True}],
    )
    found = stack.client.describe_change_set(ChangeSetName=created["Id"])
    assert found["Parameters"] == [{"ParameterKey": "P", "ParameterValue": "before"}]
    assert found["Status"] == "FAILED"


def test_what_is_known_only_later_does_not_stop_a_change_set(stack: Stack) -> None:
    vpc, blocks = {"Ref": "Vpc"}, {"Fn::GetAtt": ["Vpc", "CidrBlockAssociations"]}
    part = {"Fn::Select": [1, {"Fn::Split": ["-", {"Fn::Sub": "${Vpc}"}]}]}
    first = {"Fn::Select": [0, {"Fn::Cidr": [{"Fn::GetAtt": ["Vpc", "CidrBlock"]}, 2, 8]}]}
    name = {"Fn::Join": ["", [{"Fn::Select": [0, {"Fn::Split": ["-", {"Fn::Join": ["-", [vpc]]}]}]}, "-x"]]}
    content = template(
        Vpc=resource("AWS::EC2::VPC", CidrBlock="10.5.0.0/16"),
        Subnet=resource("AWS::EC2::Subnet", VpcId=vpc, CidrBlock=first),
        Topic=resource("AWS::SNS::Topic", DisplayName=name),
    ) | {
        "Outputs": {
            "Part": {"Value": part},
            "Block": {"Value": {"Fn::GetAtt": ["Subnet", "CidrBlock"]}},
            "Vpc": {"Value": vpc},
            "Many": {"Value": {"Fn::Join": [",", blocks]}},
        }
    }
    assert stack.deploy(content) == "CREATE_COMPLETE", stack.events(stack.name)
    found = stack.outputs()
    assert (found["Block"], f"vpc-{found['Part']}") == ("10.5.0.0/24", found["Vpc"])


CONDITIONAL = template(B={**BUCKET, "Condition": "Wanted"}, K=KEY) | {
    "Parameters": {"P": {"Type": "String"}},
    "Conditions": {"Wanted": {"Fn::Equals": [{"Ref": "P"}, "yes"]}},
}


@pytest.mark.parametrize("value", [{"Fn::GetAtt": ["B", "Arn"]}, {"Ref": "B"}, {"Fn::Sub": "${B}"}])
def test_an_output_of_a_resource_whose_condition_does_not_hold_is_rejected(stack: Stack, value: Any) -> None:
    wrong = CONDITIONAL | {"Outputs": {"O": {"Value": value}}}
    with pytest.raises(
        ClientError, match=r"Unresolved resource dependencies \[B\] in the Outputs block of the template"
    ):
        stack.change_set("CREATE", wrong, P="no")
    assert stack.deploy(wrong, P="yes") == "CREATE_COMPLETE"


def test_a_resource_that_refers_to_one_whose_condition_does_not_hold_is_rejected(stack: Stack) -> None:
    tag = [{"Key": "of", "Value": {"Ref": "B"}}]
    wrong = CONDITIONAL | {
        "Resources": {**CONDITIONAL["Resources"], "C": resource("AWS::S3::Bucket", Tags=tag)}
    }
    with pytest.raises(ClientError, match=r"\[B\] in the Resources block of the template"):
        stack.change_set("CREATE", wrong, P="no")


def test_a_stack_without_outputs_shows_none(stack: Stack) -> None:
    output = {"Condition": "Wanted", "Value": {"Fn::GetAtt": ["B", "Arn"]}}
    stack.deploy(CONDITIONAL | {"Outputs": {"O": output}}, P="no")
    assert "Outputs" not in stack.describe()


@pytest.mark.parametrize("given", [{"TemplateBody": "{}"}, {"TemplateURL": "https://s3.amazonaws.com/b/k"}])
def test_the_previous_template_and_another_one_exclude_each_other(stack: Stack, given: Any) -> None:
    stack.deploy(template(Bucket=BUCKET))
    with pytest.raises(ClientError, match="cannot specify both usePreviousTemplate and Template Body/"):
        stack.client.create_change_set(
            StackName=stack.name, ChangeSetName="c", UsePreviousTemplate=True, **given
        )
