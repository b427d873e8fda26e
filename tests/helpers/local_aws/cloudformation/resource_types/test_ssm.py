"""AWS::SSM."""

from tests.helpers.local_aws.cloudformation.stacks import Stack, resource, template


def test_the_default_group_of_a_vpc_is_closed_by_its_association(stack: Stack) -> None:
    closed = resource(
        "AWS::SSM::Association",
        Name="AWSConfigRemediation-RemoveVPCDefaultSecurityGroupRules",
        Parameters={"GroupId": [{"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}]},
    )
    vpc = resource("AWS::EC2::VPC", CidrBlock="10.3.0.0/16")
    outputs = {"Outputs": {"Group": {"Value": {"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}}}}
    stack.deploy(template(Vpc=vpc, Closed=closed) | outputs)

    groups = stack.aws.client("ec2").describe_security_groups(GroupIds=[stack.outputs()["Group"]])
    (group,) = groups["SecurityGroups"]

    assert (group["GroupName"], group["IpPermissions"], group["IpPermissionsEgress"]) == ("default", [], [])


def test_another_document_of_systems_manager_is_rejected(stack: Stack) -> None:
    association = resource("AWS::SSM::Association", Name="AWS-RunShellScript", Parameters={})
    assert stack.deploy(template(A=association)) == "ROLLBACK_COMPLETE"
    assert stack.events("A")[1] == ("CREATE_FAILED", "not emulated: the document AWS-RunShellScript")
