"""Types without a class: as moto has them, or without effect."""

from typing import Any

from tests.helpers.local_aws.cloudformation.stacks import Stack, resource, template


def test_what_is_not_emulated_is_said_by_name(stack: Stack) -> None:
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


def test_an_update_that_moto_does_not_make_is_said_and_loses_nothing(stack: Stack) -> None:
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
