"""The contract of processing jobs, with boto3."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

LOG_GROUP = "/aws/sagemaker/ProcessingJobs"


class Jobs:
    """Starts jobs and waits for them."""

    def __init__(self, aws: boto3.Session, job: Callable[..., dict[str, Any]]):
        self.sagemaker = aws.client("sagemaker")
        self._logs = aws.client("logs")
        self._request = job

    def start(self, script: str = "print('hello')", **members: Any) -> str:
        name = members.pop("ProcessingJobName", f"job-{uuid.uuid4().hex[:8]}")
        self.sagemaker.create_processing_job(ProcessingJobName=name, **self._request(script, **members))
        return name

    def describe(self, name: str) -> dict[str, Any]:
        return dict(self.sagemaker.describe_processing_job(ProcessingJobName=name))

    def wait(self, name: str) -> dict[str, Any]:
        while True:
            description = self.describe(name)
            if description["ProcessingJobStatus"] not in {"InProgress", "Stopping"}:
                return description
            time.sleep(0.05)

    def run(self, script: str = "print('hello')", **members: Any) -> dict[str, Any]:
        return self.wait(self.start(script, **members))

    def log(self, name: str) -> list[str]:
        try:
            streams = self._logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{name}/")
        except self._logs.exceptions.ResourceNotFoundException:
            return []
        return [
            event["message"]
            for stream in streams["logStreams"]
            for event in self._logs.get_log_events(
                logGroupName=LOG_GROUP, logStreamName=stream["logStreamName"], startFromHead=True
            )["events"]
        ]


@pytest.fixture(scope="module")
def jobs(aws: boto3.Session, job: Callable[..., dict[str, Any]]) -> Jobs:
    return Jobs(aws, job)


def arguments_of(script: str, *arguments: str) -> dict[str, Any]:
    image = "236514542706.dkr.ecr.us-east-1.amazonaws.com/sagemaker-base-python-310:1.0"
    return {
        "AppSpecification": {
            "ImageUri": image,
            "ContainerEntrypoint": ["python3", "-c", script],
            "ContainerArguments": list(arguments),
        }
    }


def s3_input(uri: str, path: str = "/opt/ml/processing/input/data", **members: Any) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File", **members}
    return {"ProcessingInputs": [{"InputName": "data", "S3Input": source}]}


def s3_output(uri: str, mode: str = "EndOfJob", path: str = "/opt/ml/processing/out") -> dict[str, Any]:
    target = {"S3Uri": uri, "LocalPath": path, "S3UploadMode": mode}
    return {"ProcessingOutputConfig": {"Outputs": [{"OutputName": "out", "S3Output": target}]}}


def keys_of(aws: boto3.Session, bucket: str) -> set[str]:
    return {item["Key"] for item in aws.client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])}


def test_a_job_completes_and_boto3s_waiter_sees_it(jobs) -> None:
    name = jobs.start()
    waiter = jobs.sagemaker.get_waiter("processing_job_completed_or_stopped")
    waiter.wait(ProcessingJobName=name, WaiterConfig={"Delay": 1})

    description = jobs.describe(name)

    assert description["ProcessingJobStatus"] == "Completed"
    assert description["CreationTime"] <= description["ProcessingStartTime"]
    assert description["ProcessingStartTime"] <= description["ProcessingEndTime"]
    assert description["AppSpecification"]["ContainerEntrypoint"][0] == "python3"
    assert jobs.log(name) == ["hello"]


def test_the_log_can_be_read_while_the_job_runs(jobs, tmp_path) -> None:
    flag = tmp_path / "flag"
    name = jobs.start(
        f"print('early',flush=True);import pathlib,time;"
        f"[time.sleep(.02) for _ in iter(pathlib.Path({str(flag)!r}).exists, True)]"
    )
    while jobs.log(name) != ["early"]:
        assert jobs.describe(name)["ProcessingJobStatus"] == "InProgress"

    flag.touch()

    assert jobs.wait(name)["ProcessingJobStatus"] == "Completed"


def test_inputs_and_outputs_go_through_s3(jobs, aws, bucket) -> None:
    s3 = aws.client("s3")
    for key in ("in/a.txt", "in/deep/b.txt", "other/c.txt"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    key_arn = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    script = (
        "import pathlib,sys;i,o=map(pathlib.Path,sys.argv[1:]);"
        "[(o/p.name).write_text(str(p.relative_to(i))) for p in i.rglob('*') if p.is_file()]"
    )
    output = s3_output(f"s3://{bucket}/out")
    output["ProcessingOutputConfig"]["KmsKeyId"] = key_arn

    description = jobs.run(
        **arguments_of(script, "/opt/ml/processing/input/data", "/opt/ml/processing/out"),
        **s3_input(f"s3://{bucket}/in"),
        **output,
    )

    assert description["ProcessingJobStatus"] == "Completed"
    assert {key for key in keys_of(aws, bucket) if key.startswith("out/")} == {"out/a.txt", "out/b.txt"}
    uploaded = s3.get_object(Bucket=bucket, Key="out/b.txt")
    assert uploaded["Body"].read() == b"deep/b.txt"
    assert uploaded["SSEKMSKeyId"] == key_arn


def test_a_single_object_keeps_its_name(jobs, aws, bucket) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="conf/configuration.json", Body=b"[]")
    script = "import os,sys;print(os.listdir(sys.argv[1]))"

    name = jobs.start(
        **arguments_of(script, "/opt/ml/processing/input/data"),
        **s3_input(f"s3://{bucket}/conf/configuration.json"),
    )

    jobs.wait(name)
    assert jobs.log(name) == ["['configuration.json']"]


def test_continuous_outputs_are_uploaded_while_the_job_runs_and_when_it_fails(jobs, aws, bucket, tmp_path):
    flag = str(tmp_path / "flag")
    script = (
        "import pathlib,sys,time;(pathlib.Path(sys.argv[1])/'log').write_text('1');"
        f"[time.sleep(.02) for _ in iter(pathlib.Path({flag!r}).exists, True)];sys.exit(1)"
    )
    name = jobs.start(
        **arguments_of(script, "/opt/ml/processing/out"), **s3_output(f"s3://{bucket}/logs", "Continuous")
    )
    while "logs/log" not in keys_of(aws, bucket):
        assert jobs.describe(name)["ProcessingJobStatus"] == "InProgress"

    (tmp_path / "flag").touch()

    assert jobs.wait(name)["ProcessingJobStatus"] == "Failed"


def test_outputs_of_a_failed_job_are_not_uploaded_at_its_end(jobs, aws, bucket) -> None:
    script = "import pathlib,sys;(pathlib.Path(sys.argv[1])/'half').write_text('1');sys.exit(1)"

    jobs.run(**arguments_of(script, "/opt/ml/processing/out"), **s3_output(f"s3://{bucket}/out"))

    assert keys_of(aws, bucket) == set()


def test_a_failing_job_reports_its_exit_code_or_its_message(jobs) -> None:
    plain = jobs.run("import sys;sys.exit(4)")
    own = jobs.run(
        **arguments_of(
            "import pathlib,sys;pathlib.Path(sys.argv[1]).write_text('too few rows');sys.exit(1)",
            "/opt/ml/output/message",
        )
    )

    assert plain["ProcessingJobStatus"] == "Failed"
    assert "exit code: 4" in plain["FailureReason"]
    assert own["FailureReason"] == own["ExitMessage"] == "too few rows"


def test_a_job_acts_as_its_role(jobs, role) -> None:
    script = "import boto3;print(boto3.client('sts').get_caller_identity()['Arn'])"

    name = jobs.start(script)

    jobs.wait(name)
    assert jobs.log(name) == [f"arn:aws:sts::123456789012:assumed-role/{role.rsplit('/', 1)[1]}/SageMaker"]


def test_a_job_does_not_see_the_variables_of_the_user(jobs) -> None:
    name = jobs.start("import os;print(sorted(os.environ))", Environment={"OWN": "1"})

    jobs.wait(name)

    assert "'OWN'" in jobs.log(name)[0]
    assert "LOCAL_AWS_HOME" not in jobs.log(name)[0]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        (s3_input("s3://{bucket}/nothing"), "Cannot find S3 objects under s3://{bucket}/nothing"),
        (s3_input("s3://no-such-bucket-here/x"), "NoSuchBucket"),
    ],
)
def test_an_input_that_cannot_be_given_fails_the_job(jobs, bucket, members, reason) -> None:
    filled_in = json.loads(json.dumps(members).replace("{bucket}", bucket))

    description = jobs.run(**filled_in)

    assert description["ProcessingJobStatus"] == "Failed"
    assert description["FailureReason"].startswith("ClientError: ")
    assert reason.replace("{bucket}", bucket) in description["FailureReason"]


def test_a_key_cannot_lead_out_of_the_input_folder(jobs, aws, bucket) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="in/../../../evil", Body=b"")

    description = jobs.run(**s3_input(f"s3://{bucket}/in/"))

    assert "leads out of" in description["FailureReason"]


def test_a_job_ends_when_its_time_is_over(jobs) -> None:
    description = jobs.run("import time;time.sleep(600)", StoppingCondition={"MaxRuntimeInSeconds": 1})

    assert description["ProcessingJobStatus"] == "Failed"
    assert "longer than MaxRuntimeInSeconds (1 s)" in description["FailureReason"]


def test_stop_ends_a_job(jobs) -> None:
    name = jobs.start("import time;time.sleep(600)")

    jobs.sagemaker.stop_processing_job(ProcessingJobName=name)

    assert jobs.wait(name)["ProcessingJobStatus"] == "Stopped"
    assert "FailureReason" not in jobs.describe(name)


def test_jobs_are_listed(jobs) -> None:
    prefix = f"listed-{uuid.uuid4().hex[:6]}"
    names = [jobs.start(ProcessingJobName=f"{prefix}-{index}") for index in range(3)]
    for name in names:
        jobs.wait(name)

    def listed(**request: Any) -> list[str]:
        answer = jobs.sagemaker.list_processing_jobs(NameContains=prefix, **request)
        return [job["ProcessingJobName"] for job in answer["ProcessingJobSummaries"]]

    by_name = jobs.sagemaker.list_processing_jobs(
        NameContains=prefix, SortBy="Name", SortOrder="Ascending", MaxResults=2, StatusEquals="Completed"
    )

    assert listed() == names, "AWS documents Ascending as the default"
    assert listed(SortOrder="Descending") == names[::-1]
    assert [job["ProcessingJobName"] for job in by_name["ProcessingJobSummaries"]] == names[:2]
    assert by_name["NextToken"]


NAMED_TWICE = [
    {"InputName": "conf", "S3Input": {**source, "LocalPath": f"/opt/ml/processing/{folder}"}}
    for source in [s3_input("s3://b/x")["ProcessingInputs"][0]["S3Input"]]
    for folder in "ab"
]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (s3_input("s3://b/m", S3DataType="ManifestFile"), "does not support S3DataType ManifestFile"),
        (s3_input("s3://b/m", S3InputMode="Pipe"), "does not support S3InputMode Pipe"),
        (s3_input("s3://b/m", S3CompressionType="Gzip"), "does not support S3CompressionType Gzip"),
        (
            {"ProcessingInputs": [{"InputName": "d", "DatasetDefinition": {}}]},
            "does not support ProcessingInputs.DatasetDefinition",
        ),
        ({"ProcessingInputs": NAMED_TWICE}, "Input and Output names must be globally unique: [conf]"),
        (
            {
                **s3_input("s3://b/x"),
                "ProcessingOutputConfig": {
                    "Outputs": [
                        {
                            **s3_output("s3://b/y")["ProcessingOutputConfig"]["Outputs"][0],
                            "OutputName": "data",
                        }
                    ]
                },
            },
            "Input and Output names must be globally unique: [data]",
        ),
        (
            {
                "ProcessingInputs": [
                    {**entry, "InputName": name}
                    for name in ("one", "two")
                    for entry in s3_input("s3://b/x")["ProcessingInputs"]
                ]
            },
            "the inputs 'one' and 'two' have the same LocalPath",
        ),
        (s3_input("s3://b/x", "/tmp/in"), "LocalPath of an input 'data' must begin with /opt/ml/"),
        (s3_output("s3://b/x", path=""), "LocalPath of an output 'out' must begin with /opt/ml/"),
        ({"Tags": [{"Key": "aws:x", "Value": "v"}]}, "aws: prefixed tag key names are not allowed"),
        ({"Tags": [{"Key": "k", "Value": value} for value in "ab"]}, "Duplicate tag keys found: k"),
    ],
)
def test_what_has_no_effect_or_is_contradictory_starts_no_job(jobs, members, message) -> None:
    with pytest.raises(ClientError) as caught:
        jobs.start(**members)

    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert message in caught.value.response["Error"]["Message"]


@pytest.mark.parametrize("prefix", ["q#1/", "what?/", "a b/"])
def test_a_key_is_what_follows_the_bucket_whatever_is_in_it(jobs, aws, bucket, prefix) -> None:
    for key in (f"{prefix}wanted", "other"):
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")
    script = "import os,sys;print(os.listdir(sys.argv[1]))"

    name = jobs.start(
        **arguments_of(script, "/opt/ml/processing/input/data"), **s3_input(f"s3://{bucket}/{prefix}")
    )

    jobs.wait(name)
    assert jobs.log(name) == ["['wanted']"]


def test_an_object_that_is_also_a_folder_is_named(jobs, aws, bucket) -> None:
    for key in ("pre/ab", "pre/ab/y"):
        aws.client("s3").put_object(Bucket=bucket, Key=key, Body=b"")

    description = jobs.run(**s3_input(f"s3://{bucket}/pre/ab"))

    assert description["FailureReason"].startswith("ClientError: ")
    assert f"s3://{bucket}/pre/ab is an object and a folder" in description["FailureReason"]


def test_names_keep_their_case_and_arns_do_not(jobs) -> None:
    name = jobs.start(ProcessingJobName=f"Mixed-{uuid.uuid4().hex[:8]}")

    description = jobs.wait(name)
    by_arn = jobs.describe(description["ProcessingJobArn"].rsplit("/", 1)[1])

    assert description["ProcessingJobArn"].endswith(f":processing-job/{name.lower()}")
    assert by_arn["ProcessingJobName"] == description["ProcessingJobName"] == name


def test_a_finished_job_can_be_deleted(jobs) -> None:
    name = jobs.start("import time;time.sleep(600)")
    with pytest.raises(ClientError, match="stop it first"):
        jobs.sagemaker.delete_processing_job(ProcessingJobName=name)
    jobs.sagemaker.stop_processing_job(ProcessingJobName=name)
    jobs.wait(name)

    jobs.sagemaker.delete_processing_job(ProcessingJobName=name)

    with pytest.raises(ClientError, match="Could not find requested job"):
        jobs.describe(name)


@pytest.mark.parametrize(
    ("members", "code", "message"),
    [
        (
            {"AppSpecification": {"ImageUri": "1.dkr.ecr.us-east-1.amazonaws.com/sklearn:1"}},
            "ValidationException",
            "does not execute the image",
        ),
        ({"RoleArn": "arn:aws:iam::123456789012:role/ghost"}, "ValidationException", "Could not assume role"),
        ({"Environment": {"A": "1" * 257}}, "ValidationException", "1 validation error detected"),
    ],
)
def test_what_the_service_rejects_starts_no_job(jobs, members, code, message) -> None:
    name = f"rejected-{uuid.uuid4().hex[:8]}"

    with pytest.raises(ClientError) as caught:
        jobs.start(ProcessingJobName=name, **members)

    assert caught.value.response["Error"]["Code"] == code
    assert message in caught.value.response["Error"]["Message"]
    with pytest.raises(ClientError, match="Could not find requested job"):
        jobs.describe(name)


def test_a_name_is_used_once(jobs) -> None:
    name = jobs.start()

    with pytest.raises(ClientError) as caught:
        jobs.start(ProcessingJobName=name)

    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    jobs.wait(name)
