"""AWS::SNS."""

import json
from typing import Any

import pytest

from tests.helpers.local_aws.cloudformation.stacks import POLICY, Stack, resource, template


def test_a_topic_has_the_policy_of_the_template_until_it_goes(stack: Stack) -> None:
    topic = resource("AWS::SNS::Topic")
    policy = resource("AWS::SNS::TopicPolicy", Topics=[{"Ref": "Topic"}], PolicyDocument=POLICY)
    outputs = {"Outputs": {"Arn": {"Value": {"Ref": "Topic"}}}}

    def policy_of_topic() -> Any:
        sns = stack.aws.client("sns")
        attributes = sns.get_topic_attributes(TopicArn=stack.outputs()["Arn"])["Attributes"]
        return json.loads(attributes["Policy"])

    stack.deploy(template(Topic=topic) | outputs)
    before = policy_of_topic()
    stack.update(template(Topic=topic, Policy=policy) | outputs)
    assert policy_of_topic() == POLICY
    stack.update(template(Topic=topic) | outputs)
    assert policy_of_topic() == before


@pytest.mark.parametrize("named", [True, False])
def test_a_fifo_topic_is_one_by_attribute_and_name(stack: Stack, named: bool) -> None:
    name = {"TopicName": f"{stack.name}.fifo"} if named else {}
    topic = resource("AWS::SNS::Topic", FifoTopic=True, **name)
    outputs = {"Outputs": {"Arn": {"Value": {"Ref": "Topic"}}}}
    assert stack.deploy(template(Topic=topic) | outputs) == "CREATE_COMPLETE"
    arn = stack.outputs()["Arn"]
    assert arn.endswith(".fifo")
    assert stack.aws.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["FifoTopic"] == "true"
