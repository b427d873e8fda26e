"""Types without a class: created by moto, or without effect."""

from typing import Any

from tests.helpers.local_aws.cloudformation.stacks import Stack, resource, template


def test_what_is_not_emulated_is_reported_by_name(stack: Stack) -> None:
    stack.deploy(
        template(
            Session=resource("AWS::Macie::Session"),
            Bucket=resource("AWS::S3::Bucket", WebsiteConfiguration={"IndexDocument": "x"}),
        )
    )
    assert stack.events("Session")[-1] == (
        "CREATE_COMPLETE",
        "not emulated: AWS::Macie::Session has no effect here",
    )
    assert stack.events("Bucket")[-1] == ("CREATE_COMPLETE", "not emulated: WebsiteConfiguration")


def test_an_update_that_moto_does_not_make_is_reported_and_loses_nothing(stack: Stack) -> None:
    def file_system(mode: str) -> dict[str, Any]:
        return template(Files=resource("AWS::EFS::FileSystem", ThroughputMode=mode)) | {
            "Outputs": {"Id": {"Value": {"Ref": "Files"}}}
        }

    stack.deploy(file_system("bursting"))
    before = stack.outputs()
    assert stack.update(file_system("elastic")) == "UPDATE_COMPLETE"
    assert stack.events("Files")[-1] == ("UPDATE_COMPLETE", "not emulated: ThroughputMode")
    assert stack.outputs() == before
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_model_that_does_not_know_its_own_id_has_its_name(stack: Stack) -> None:
    bus = resource("AWS::Events::EventBus", Name=stack.name)
    content = template(Bus=bus) | {"Outputs": {"Bus": {"Value": {"Ref": "Bus"}}}}
    assert stack.deploy(content) == "CREATE_COMPLETE"
    assert stack.outputs() == {"Bus": stack.name}


def test_attributes_of_resources_that_are_not_emulated_are_placeholders(stack: Stack) -> None:
    content = template(Session=resource("AWS::Macie::Session")) | {
        "Outputs": {"Account": {"Value": {"Fn::GetAtt": ["Session", "AwsAccountId"]}}}
    }
    assert stack.deploy(content) == "CREATE_COMPLETE"
    assert stack.outputs()["Account"].endswith(".AwsAccountId")


def test_an_attribute_that_moto_knows_by_name_only_is_a_placeholder(stack: Stack) -> None:
    listener = {"InstancePort": "80", "LoadBalancerPort": "80", "Protocol": "HTTP"}
    balancer = resource(
        "AWS::ElasticLoadBalancing::LoadBalancer",
        AvailabilityZones=["us-east-1a"],
        Listeners=[listener],
    )
    zone = {"Fn::GetAtt": ["Balancer", "CanonicalHostedZoneNameID"]}
    assert (
        stack.deploy(template(Balancer=balancer) | {"Outputs": {"Zone": {"Value": zone}}})
        == "CREATE_COMPLETE"
    )
    assert stack.outputs()["Zone"].endswith(".CanonicalHostedZoneNameID")
