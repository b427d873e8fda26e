"""The AWS::LanguageExtensions transform."""

from helpers.local_aws.cloudformation.templates.language_extensions import expand_loops
from tests.helpers.local_aws.cloudformation.stacks import Stack, resource, template


def test_a_list_has_no_hole_where_there_is_no_value_and_addresses_are_worked_out(stack: Stack) -> None:
    subnets = {"Fn::Cidr": [{"Ref": "Range"}, 4, 13]}
    topic = resource(
        "AWS::SNS::Topic",
        DisplayName={"Fn::Join": ["-", [{"Ref": "AWS::NoValue"}, {"Fn::Select": ["1", subnets]}]]},
    )
    text = {
        **template(Topic=topic),
        "Transform": "AWS::LanguageExtensions",
        "Parameters": {"Range": {"Type": "String", "Default": "10.1.0.0/16"}},
        "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}},
    }
    stack.deploy(text)
    attributes = stack.aws.client("sns").get_topic_attributes(TopicArn=stack.outputs()["Arn"])["Attributes"]
    assert attributes["DisplayName"] == "10.1.32.0/19"


def test_loops_are_unrolled_in_keys_texts_and_references() -> None:
    loop = [
        "Name",
        ["a.b", "c"],
        {"X&{Name}": {"Is": "${Name}", "R": {"Ref": "Name"}, "Z": {"Ref": "Other"}}},
    ]
    assert expand_loops({"Fn::ForEach::Loop": loop, "Other": [1]}) == {
        "Xab": {"Is": "a.b", "R": "a.b", "Z": {"Ref": "Other"}},
        "Xc": {"Is": "c", "R": "c", "Z": {"Ref": "Other"}},
        "Other": [1],
    }
