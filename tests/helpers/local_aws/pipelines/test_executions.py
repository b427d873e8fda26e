"""The contract of pipeline executions, with boto3."""

import itertools
import json
import re
import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from helpers.local_aws.pipelines.names import new_resource_name
from helpers.local_aws.pipelines.steps import Step

UNTIL_FILE = "import pathlib,time;[time.sleep(.02) for _ in iter(pathlib.Path({!r}).exists, True)]"


def step(name: str, arguments: dict[str, Any], *needs: str, **members: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Processing", "Arguments": arguments, "DependsOn": list(needs), **members}


def condition(name: str, left: object, right: object, yes: list[Any], no: list[Any], *needs: str) -> Any:
    arguments = {
        "Conditions": [{"Type": "Equals", "LeftValue": left, "RightValue": right}],
        "IfSteps": yes,
        "ElseSteps": no,
    }
    return {"Name": name, "Type": "Condition", "Arguments": arguments, "DependsOn": list(needs)}


def error_of(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_an_execution_succeeds_when_its_steps_have(pipelines, job) -> None:
    name = pipelines.create(step("first", job()), step("second", job(), "first"))

    arn = pipelines.start(name, PipelineExecutionDisplayName="my-run")
    execution = pipelines.wait(arn)
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert execution["PipelineExecutionDisplayName"] == "my-run"
    assert execution["PipelineArn"].endswith(f":pipeline/{name}")
    steps = pipelines.steps(arn)
    assert [steps[name]["StepStatus"] for name in ("first", "second")] == ["Succeeded", "Succeeded"]
    assert steps["first"]["EndTime"] <= steps["second"]["StartTime"]
    assert steps["first"]["AttemptCount"] == 1
    job_arn = steps["first"]["Metadata"]["ProcessingJob"]["Arn"]
    execution_id = arn.rsplit("/", 1)[1]
    assert f":processing-job/pipelines-{execution_id}-first-" in job_arn


def test_a_job_is_named_after_the_prefix_of_its_step_and_counted(pipelines, job) -> None:
    """As in SageMaker: prefix, execution, a token, and how often the step has failed before."""
    failing = step("first", job("raise SystemExit(1)") | {"ProcessingJobName": "fares-dev-first"})
    arn = pipelines.start(pipelines.create(failing))
    pipelines.wait(arn)
    name = pipelines.steps(arn)["first"]["Metadata"]["ProcessingJob"]["Arn"].partition(":processing-job/")[2]
    assert re.fullmatch(rf"fares-dev-first-{arn.rsplit('/', 1)[1]}-[a-z0-9]{{10}}-0", name)


@pytest.mark.parametrize("failures", [0, 9])
def test_the_longest_prefix_of_an_environment_is_never_cut(failures: int) -> None:
    prefix = f"{'p' * 24}-{'e' * 12}"
    asking = Step("s", "Processing", {"ProcessingJobName": prefix}, {})
    name = new_resource_name(asking, "abcdefghijkl", failures)
    assert name.startswith(f"{prefix}-abcdefghijkl-")
    assert len(name) == 63


def test_independent_steps_run_at_the_same_time(pipelines, job, tmp_path) -> None:
    """Each of two steps waits for a file that the other creates: neither could complete alone."""
    meet = (
        f"import pathlib,time;d=pathlib.Path({str(tmp_path)!r});(d/'{{}}').touch();"
        "[time.sleep(.05) for _ in iter((d/'{}').exists,True)]"
    )
    name = pipelines.create(step("one", job(meet.format("a", "b"))), step("two", job(meet.format("b", "a"))))

    assert pipelines.run(name)["PipelineExecutionStatus"] == "Succeeded"


def test_parallelism_is_limited(pipelines, job) -> None:
    name = pipelines.create(*(step(f"s{index}", job()) for index in range(3)))

    arn = pipelines.start(name, ParallelismConfiguration={"MaxParallelExecutionSteps": 1})
    execution = pipelines.wait(arn)

    spans = sorted((step["StartTime"], step["EndTime"]) for step in pipelines.steps(arn).values())
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    assert execution["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 1}


def test_a_failure_ends_the_execution_and_starts_nothing_more(pipelines, job) -> None:
    failing = job("import pathlib,sys;sys.exit(3)")
    name = pipelines.create(step("bad", failing), step("after", job(), "bad"))

    arn = pipelines.start(name)
    execution = pipelines.wait(arn)

    assert execution["PipelineExecutionStatus"] == "Failed"
    assert "bad" in execution["FailureReason"]
    steps = pipelines.steps(arn)
    assert list(steps) == ["bad"]
    assert steps["bad"]["StepStatus"] == "Failed"
    assert "exit code: 3" in steps["bad"]["FailureReason"]


def test_a_failing_job_is_not_tried_again(pipelines, job) -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 3}
    name = pipelines.create(step("bad", job("1/0"), RetryPolicies=[policy]))

    arn = pipelines.start(name)
    pipelines.wait(arn)

    assert pipelines.steps(arn)["bad"]["AttemptCount"] == 1


def test_an_internal_error_is_tried_again(pipelines, job, server_folder) -> None:
    """A file replaces the folder of the jobs, so that no job gets a folder; then it is removed."""
    jobs = server_folder / "jobs"
    if jobs.exists():
        jobs.rename(server_folder / "jobs-aside")
    jobs.write_text("in the way")
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "IntervalSeconds": 1, "MaxAttempts": 5}
    arn = pipelines.start(pipelines.create(step("s", job(), RetryPolicies=[policy])))
    while pipelines.steps(arn).get("s", {}).get("AttemptCount", 0) < 2:
        assert pipelines.sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)

    jobs.unlink()
    execution = pipelines.wait(arn)

    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert pipelines.steps(arn)["s"]["AttemptCount"] >= 2


def test_a_condition_chooses_its_branch(pipelines, job) -> None:
    chosen = condition("equal", {"Get": "Parameters.Size"}, 3, [step("yes", job())], [step("no", job())])
    name = pipelines.create(
        chosen, step("after-no", job(), "no"), Parameters=[{"Name": "Size", "Type": "Integer"}]
    )

    arn = pipelines.start(name, parameters={"Size": "3"})
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Succeeded"

    steps = pipelines.steps(arn)
    assert set(steps) == {"equal", "yes"}
    assert steps["equal"]["Metadata"] == {"Condition": {"Outcome": "True"}}


def test_a_fail_step_ends_the_execution_with_its_message(pipelines) -> None:
    message = {"Std:Join": {"On": " ", "Values": ["too small:", {"Get": "Execution.PipelineName"}]}}
    name = pipelines.create({"Name": "stop", "Type": "Fail", "Arguments": {"ErrorMessage": message}})

    arn = pipelines.start(name)
    execution = pipelines.wait(arn)

    assert execution["PipelineExecutionStatus"] == "Failed"
    assert f"too small: {name}" in execution["FailureReason"]
    assert pipelines.steps(arn)["stop"]["Metadata"]["Fail"]["ErrorMessage"] == f"too small: {name}"


def test_a_step_reads_what_another_has_written(pipelines, job, aws, bucket) -> None:
    """An output's URI, a property file and execution variables reach the arguments of later steps."""
    output = {
        "OutputName": "metrics",
        "S3Output": {
            "S3Uri": f"s3://{bucket}/metrics",
            "LocalPath": "/opt/ml/processing/metrics",
            "S3UploadMode": "EndOfJob",
        },
    }
    writes = job(
        "import json,sys;json.dump({'rows': [7]}, open(sys.argv[1] + '/m.json', 'w'))",
        ProcessingOutputConfig={"Outputs": [output]},
    )
    writes["AppSpecification"]["ContainerArguments"] = ["/opt/ml/processing/metrics"]
    uri = {"Get": "Steps.writes.ProcessingOutputConfig.Outputs['metrics'].S3Output.S3Uri"}
    file = {"Get": "Steps.writes.PropertyFiles.Metrics"}
    environment = {
        "ROWS": {
            "Std:Join": {"On": "", "Values": [{"Std:JsonGet": {"PropertyFile": file, "Path": "rows[0]"}}]}
        },
        "URI": uri,
        "ID": {"Get": "Execution.PipelineExecutionId"},
        "NOW": {"Get": "Execution.CurrentDateTime"},
    }
    name = pipelines.create(
        step(
            "writes",
            writes,
            PropertyFiles=[{"PropertyFileName": "Metrics", "OutputName": "metrics", "FilePath": "m.json"}],
        ),
        step("reads", job(Environment=environment)),
    )

    arn = pipelines.start(name)
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Succeeded"

    given = pipelines.job_of(arn, "reads")["Environment"]
    assert given["ROWS"] == "7"
    assert given["URI"] == f"s3://{bucket}/metrics"
    assert given["ID"] == arn.rsplit("/", 1)[1]


def test_a_property_without_a_value_fails_its_step(pipelines, job) -> None:
    missing = {"A": {"Get": "Steps.first.ExitMessage"}}
    name = pipelines.create(step("first", job()), step("second", job(Environment=missing)))

    arn = pipelines.start(name)
    pipelines.wait(arn)

    assert "nothing at 'ExitMessage'" in pipelines.steps(arn)["second"]["FailureReason"]


def test_an_equal_step_is_reused(pipelines, job) -> None:
    parameters = [{"Name": "Data", "Type": "String"}]
    cached = step(
        "s",
        job(Environment={"DATA": {"Get": "Parameters.Data"}}),
        CacheConfig={"Enabled": True, "ExpireAfter": "P30D"},
    )
    name = pipelines.create(cached, step("after", job(), "s"), Parameters=parameters)
    first = pipelines.run(name, parameters={"Data": "1"})["PipelineExecutionArn"]

    second = pipelines.run(name, parameters={"Data": "1"})["PipelineExecutionArn"]
    third = pipelines.run(name, parameters={"Data": "1"})["PipelineExecutionArn"]
    other = pipelines.run(name, parameters={"Data": "2"})["PipelineExecutionArn"]

    hit = {"SourcePipelineExecutionArn": first}
    assert "CacheHitResult" not in pipelines.steps(first)["s"]
    assert pipelines.steps(second)["s"]["CacheHitResult"] == hit
    assert pipelines.steps(second)["s"]["Metadata"] == pipelines.steps(first)["s"]["Metadata"]
    assert pipelines.steps(third)["s"]["CacheHitResult"] == hit, "a hit is not a run of its own"
    assert "CacheHitResult" not in pipelines.steps(other)["s"]
    assert "CacheHitResult" not in pipelines.steps(second)["after"], "this step has no cache"


def test_a_failed_or_expired_run_is_not_reused(pipelines, job, tmp_path) -> None:
    """The step fails until a file exists; then it succeeds, but its cache expires immediately."""
    flag = tmp_path / "flag"
    script = f"import pathlib,sys;sys.exit(not pathlib.Path({str(flag)!r}).exists())"
    name = pipelines.create(step("s", job(script), CacheConfig={"Enabled": True, "ExpireAfter": "PT0S"}))
    assert pipelines.run(name)["PipelineExecutionStatus"] == "Failed"
    flag.touch()

    runs = [pipelines.run(name) for _ in range(2)]

    assert [run["PipelineExecutionStatus"] for run in runs] == ["Succeeded", "Succeeded"]
    assert all("CacheHitResult" not in pipelines.steps(run["PipelineExecutionArn"])["s"] for run in runs)


def test_stop_ends_the_running_job(pipelines, job, tmp_path) -> None:
    started = tmp_path / "started"
    script = f"import pathlib,time;pathlib.Path({str(started)!r}).touch();time.sleep(600)"
    name = pipelines.create(step("long", job(script)), step("after", job(), "long"))
    arn = pipelines.start(name)
    while not started.exists():
        pass

    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    execution = pipelines.wait(arn)

    assert execution["PipelineExecutionStatus"] == "Stopped"
    assert {name: step["StepStatus"] for name, step in pipelines.steps(arn).items()} == {"long": "Stopped"}
    assert pipelines.job_of(arn, "long")["ProcessingJobStatus"] == "Stopped"
    with pytest.raises(ClientError) as caught:
        pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert error_of(caught)[0] == "ConflictException"


def test_stop_ends_the_wait_for_a_retry(pipelines, job, role) -> None:
    policy = {"ExceptionType": ["Step.SERVICE_FAULT"], "IntervalSeconds": 43200}
    name = pipelines.create(step("s", job("import time;time.sleep(600)"), RetryPolicies=[policy]))
    arn = pipelines.start(name)
    while not pipelines.steps(arn):
        pass

    pipelines.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)

    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Stopped"


def test_retry_runs_only_what_did_not_succeed(pipelines, job, tmp_path) -> None:
    flag = tmp_path / "flag"
    script = f"import pathlib,sys;sys.exit(not pathlib.Path({str(flag)!r}).exists())"
    name = pipelines.create(step("good", job()), step("bad", job(script), "good"), step("last", job(), "bad"))
    arn = pipelines.start(name)
    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Failed"
    before = pipelines.steps(arn)
    flag.touch()

    pipelines.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    execution = pipelines.wait(arn)

    after = pipelines.steps(arn)
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert "FailureReason" not in execution
    assert after["good"] == before["good"]
    assert after["bad"]["Metadata"] != before["bad"]["Metadata"]
    assert after["last"]["StepStatus"] == "Succeeded"
    with pytest.raises(ClientError) as caught:
        pipelines.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert error_of(caught)[0] == "ConflictException"


def test_a_token_starts_one_execution(pipelines, job) -> None:
    name = pipelines.create(step("s", job()))
    token = uuid.uuid4().hex

    arns = {pipelines.start(name, ClientRequestToken=token) for _ in range(2)}

    assert len(arns) == 1
    pipelines.wait(arns.pop())


def test_executions_are_listed_in_pages_the_newest_first(pipelines, job) -> None:
    name = pipelines.create(step("s", job()))
    arns = [pipelines.run(name)["PipelineExecutionArn"] for _ in range(3)]

    pages = pipelines.sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=name, PaginationConfig={"PageSize": 2}
    )
    listed = [page["PipelineExecutionSummaries"] for page in pages]
    ascending = pipelines.sagemaker.list_pipeline_executions(PipelineName=name, SortOrder="Ascending")
    before = pipelines.sagemaker.list_pipeline_executions(
        PipelineName=name, CreatedBefore=ascending["PipelineExecutionSummaries"][0]["StartTime"]
    )

    assert [len(page) for page in listed] == [2, 1]
    assert [item["PipelineExecutionArn"] for page in listed for item in page] == arns[::-1]
    assert [item["PipelineExecutionArn"] for item in ascending["PipelineExecutionSummaries"]] == arns
    assert all(item["PipelineExecutionStatus"] == "Succeeded" for page in listed for item in page)
    assert [item["PipelineExecutionArn"] for item in before["PipelineExecutionSummaries"]] == arns[:1]
    with pytest.raises(ClientError) as caught:
        pipelines.sagemaker.list_pipeline_executions(PipelineName=name, NextToken="x")
    assert error_of(caught) == ("ValidationException", "Invalid NextToken")


def test_an_execution_keeps_its_definition_and_parameters(pipelines, job, role) -> None:
    name = pipelines.create(
        step("s", job()), Parameters=[{"Name": "P", "Type": "Integer", "DefaultValue": 5}]
    )
    arn = pipelines.start(name)
    definition = {"Version": "2020-12-01", "Steps": [step("other", job())]}
    pipelines.sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=json.dumps(definition))

    described = pipelines.sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    parameters = pipelines.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)

    assert json.loads(described["PipelineDefinition"])["Steps"][0]["Name"] == "s"
    assert parameters["PipelineParameters"] == [{"Name": "P", "Value": "5"}]
    pipelines.wait(arn)


def test_a_deleted_pipeline_is_gone_with_its_executions(pipelines, job, tmp_path) -> None:
    flag = tmp_path / "flag"
    name = pipelines.create(step("s", job(UNTIL_FILE.format(str(flag)))))
    arn = pipelines.start(name)

    with pytest.raises(ClientError) as caught:
        pipelines.sagemaker.delete_pipeline(PipelineName=name)
    assert error_of(caught)[0] == "ConflictException"
    flag.touch()
    pipelines.wait(arn)
    pipelines.sagemaker.delete_pipeline(PipelineName=name)

    for call, request in (
        (pipelines.sagemaker.describe_pipeline, {"PipelineName": name}),
        (pipelines.sagemaker.list_pipeline_executions, {"PipelineName": name}),
        (pipelines.sagemaker.describe_pipeline_execution, {"PipelineExecutionArn": arn}),
    ):
        with pytest.raises(ClientError) as caught:
            call(**request)
        assert error_of(caught)[0] == "ResourceNotFound"


def test_a_wrong_definition_is_rejected_when_it_is_upserted(pipelines, job, role) -> None:
    with pytest.raises(ClientError) as caught:
        pipelines.create(step("s", job(Enviroment={})))
    assert error_of(caught)[0] == "ValidationException"
    assert "'Enviroment'" in error_of(caught)[1]
    with pytest.raises(ClientError) as caught:
        pipelines.sagemaker.create_pipeline(
            PipelineName="p", PipelineDefinition="{}", RoleArn="arn:aws:iam::123456789012:role/ghost"
        )
    assert error_of(caught)[0] == "ValidationException"


def test_a_role_that_sagemaker_cannot_assume_is_rejected(pipelines, job, aws: boto3.Session) -> None:
    trust = {"Version": "2012-10-17", "Statement": [{"Principal": {"Service": "ec2.amazonaws.com"}}]}
    name = f"not-for-sagemaker-{uuid.uuid4().hex[:6]}"
    aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    definition = json.dumps({"Version": "2020-12-01", "Steps": [step("s", job())]})

    for role in (name, "ghost"):
        with pytest.raises(ClientError) as caught:
            pipelines.sagemaker.create_pipeline(
                PipelineName=name,
                PipelineDefinition=definition,
                RoleArn=f"arn:aws:iam::123456789012:role/{role}",
            )
        assert error_of(caught)[0] == "ValidationException"
        assert "Could not assume role" in error_of(caught)[1]


def test_a_step_type_that_is_not_executed_is_rejected_by_name(pipelines, job) -> None:
    name = pipelines.create(step("s", job()), {"Name": "grow", "Type": "AutoML", "Arguments": {}})

    with pytest.raises(ClientError) as caught:
        pipelines.start(name)

    assert error_of(caught)[0] == "ValidationException"
    assert "AutoML (step 'grow')" in error_of(caught)[1]
    assert not pipelines.sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]


def test_a_parameter_without_a_default_must_be_given(pipelines, job) -> None:
    name = pipelines.create(step("s", job()), Parameters=[{"Name": "Data", "Type": "String"}])

    with pytest.raises(ClientError) as caught:
        pipelines.start(name)

    assert error_of(caught) == (
        "ValidationException",
        "Parameter 'Data' has no default value and must be given",
    )


def test_a_pipeline_of_another_region_is_not_found(pipelines, job, aws: boto3.Session) -> None:
    name = pipelines.create(step("s", job()))

    with pytest.raises(ClientError) as caught:
        aws.client("sagemaker", region_name="eu-central-1").start_pipeline_execution(PipelineName=name)

    assert error_of(caught)[0] == "ResourceNotFound"


def test_selected_steps_run_on_the_results_of_a_source(pipelines, job) -> None:
    uses_first = job(Environment={"JOB": {"Get": "Steps.first.ProcessingJobName"}})
    name = pipelines.create(step("first", job()), step("second", uses_first), step("third", job(), "second"))
    source = pipelines.run(name)["PipelineExecutionArn"]
    selection = {"SelectedSteps": [{"StepName": "second"}], "SourcePipelineExecutionArn": source}

    execution = pipelines.run(name, SelectiveExecutionConfig=selection)

    arn = execution["PipelineExecutionArn"]
    steps = pipelines.steps(arn)
    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert execution["SelectiveExecutionConfig"] == selection
    assert set(steps) == {"first", "second"}
    assert steps["first"]["SelectiveExecutionResult"] == {"SourcePipelineExecutionArn": source}
    assert steps["first"]["Metadata"] == pipelines.steps(source)["first"]["Metadata"]
    assert "SelectiveExecutionResult" not in steps["second"]
    assert steps["second"]["Metadata"] != pipelines.steps(source)["second"]["Metadata"]
    given = pipelines.job_of(arn, "second")["Environment"]["JOB"]
    assert given == pipelines.job_of(source, "first")["ProcessingJobName"]


@pytest.mark.parametrize(
    ("selection", "problem"),
    [
        ({"SelectedSteps": [{"StepName": "zzz"}]}, "[zzz] are not in the pipeline definition"),
        ({"SelectedSteps": [{"StepName": "after"}]}, "Invalid SourcePipelineExecutionArn: null"),
        (
            {"SelectedSteps": [{"StepName": "after"}], "SourcePipelineExecutionArn": "{source}"},
            "has no results of [bad]",
        ),
    ],
)
def test_steps_that_cannot_be_selected_start_nothing(pipelines, job, selection, problem) -> None:
    name = pipelines.create(step("bad", job("1/0")), step("after", job(), "bad"))
    source = pipelines.run(name)["PipelineExecutionArn"]

    with pytest.raises(ClientError) as caught:
        pipelines.start(
            name,
            SelectiveExecutionConfig=json.loads(json.dumps(selection).replace("{source}", source)),
        )

    assert error_of(caught)[0] == "ValidationException"
    assert problem in error_of(caught)[1]
    listed = pipelines.sagemaker.list_pipeline_executions(PipelineName=name)
    assert len(listed["PipelineExecutionSummaries"]) == 1


def test_a_failure_can_trigger_a_step(pipelines, job) -> None:
    name = pipelines.create(
        step("bad", job("1/0")),
        step("never", job(), "bad"),
        {**step("notify", job()), "DependsOn": [{"Step": "bad", "Trigger": "Failed"}]},
        step("then", job(), "notify"),
    )

    execution = pipelines.run(name)

    assert execution["PipelineExecutionStatus"] == "CompletedWithFailures"
    statuses = {
        name: step["StepStatus"] for name, step in pipelines.steps(execution["PipelineExecutionArn"]).items()
    }
    assert statuses == {"bad": "Failed", "notify": "Succeeded", "then": "Succeeded"}


def test_a_step_that_a_failure_triggers_does_not_run_without_one(pipelines, job) -> None:
    name = pipelines.create(
        step("good", job()), {**step("notify", job()), "DependsOn": [{"Step": "good", "Trigger": "Failed"}]}
    )

    execution = pipelines.run(name)

    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert set(pipelines.steps(execution["PipelineExecutionArn"])) == {"good"}


@pytest.mark.parametrize("name", ["prep_data_01", "_x", "a--", "-", "MixedCase", "x" * 64])
def test_every_name_of_a_step_runs(pipelines, job, name) -> None:
    execution = pipelines.run(pipelines.create(step(name, job())))

    assert execution["PipelineExecutionStatus"] == "Succeeded"
    assert name in pipelines.steps(execution["PipelineExecutionArn"])


def test_a_job_has_the_prefix_that_its_step_asks_for_and_knows_its_name(pipelines, job) -> None:
    known = job(ProcessingJobName="My-Prefix", Environment={"JOB": {"Get": "Execution.ProcessingJobName"}})

    arn = pipelines.run(pipelines.create(step("s", known)))["PipelineExecutionArn"]

    description = pipelines.job_of(arn, "s")
    assert description["ProcessingJobName"].startswith(f"My-Prefix-{arn.rsplit('/', 1)[1]}-")
    assert description["Environment"]["JOB"] == description["ProcessingJobName"]


def test_the_outcome_of_a_condition_and_a_json_file_in_s3_can_be_referred_to(pipelines, aws, bucket) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="m.json", Body=b'{"a": [{"b": 2.5}]}')
    uri = {"Std:Join": {"On": "/", "Values": ["s3:/", bucket, "m.json"]}}
    read = {"Std:JsonGet": {"S3Uri": uri, "Path": "a[0].b"}}
    message = {"Std:Join": {"Values": ["it was ", {"Get": "Steps.c.Outcome"}]}}
    fail = {"Name": "f", "Type": "Fail", "Arguments": {"ErrorMessage": message}}

    execution = pipelines.run(pipelines.create(condition("c", read, 2.5, [], []), fail))

    assert "it was True" in execution["FailureReason"]


def test_an_execution_can_be_renamed_and_limited(pipelines, job, tmp_path) -> None:
    flag = tmp_path / "flag"
    arn = pipelines.start(pipelines.create(step("s", job(UNTIL_FILE.format(str(flag))))))

    pipelines.sagemaker.update_pipeline_execution(
        PipelineExecutionArn=arn,
        PipelineExecutionDisplayName="renamed",
        PipelineExecutionDescription="d",
        ParallelismConfiguration={"MaxParallelExecutionSteps": 1},
    )
    flag.touch()
    execution = pipelines.wait(arn)

    assert execution["PipelineExecutionDisplayName"] == "renamed"
    assert execution["PipelineExecutionDescription"] == "d"
    assert execution["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 1}


def test_an_execution_can_have_a_role_of_its_own(pipelines, job) -> None:
    name = pipelines.create(step("s", job()))

    with pytest.raises(ClientError, match="Could not assume role"):
        pipelines.start(name, RoleArn="arn:aws:iam::123456789012:role/ghost")
