"""AWS::CloudTrail."""

from tests.helpers.local_aws.cloudformation.stacks import BUCKET, Stack, resource, template


def test_a_trail_records_the_events_of_its_selectors(stack: Stack) -> None:
    trail = resource(
        "AWS::CloudTrail::Trail",
        IsLogging=True,
        S3BucketName={"Ref": "Bucket"},
        TrailName=f"trail-{stack.name}",
        AdvancedEventSelectors=[
            {"Name": "data", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}
        ],
    )
    cloudtrail = stack.aws.client("cloudtrail")
    assert stack.deploy(template(Bucket=BUCKET, Trail=trail)) == "CREATE_COMPLETE"
    assert cloudtrail.get_trail_status(Name=f"trail-{stack.name}")["IsLogging"]
    selectors = cloudtrail.get_event_selectors(TrailName=f"trail-{stack.name}")["AdvancedEventSelectors"]
    assert selectors[0]["Name"] == "data"
    trail["Properties"]["IsLogging"] = False
    assert stack.update(template(Bucket=BUCKET, Trail=trail)) == "UPDATE_COMPLETE"
    assert not cloudtrail.get_trail_status(Name=f"trail-{stack.name}")["IsLogging"]
    assert stack.delete() == "DELETE_COMPLETE"
    assert f"trail-{stack.name}" not in [each["Name"] for each in cloudtrail.list_trails()["Trails"]]
