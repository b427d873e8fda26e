"""Training on several instances: one process each, with XGBoost's own tracker and collective."""

import io
import tarfile
from typing import Any

from tests.helpers.local_aws.training_jobs import TrainingJobs, table

INSTANCES = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}


def sharded(jobs: TrainingJobs, name: str, key: str) -> dict[str, Any]:
    channel = jobs.channel(name, key)
    channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    return channel


def trained_rows(jobs: TrainingJobs, job: dict[str, Any]) -> list[int]:
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    lines = [line for line in jobs.log(job["TrainingJobName"]) if line.startswith("Train matrix has")]
    return sorted(int(line.split()[3]) for line in lines)


def test_each_instance_trains_with_its_share(training_jobs: TrainingJobs, aws: Any) -> None:
    rows = table(90).splitlines(keepends=True)
    for number, (start, end) in enumerate([(0, 20), (20, 50), (50, 90)]):
        training_jobs.put(f"parts/{number}.csv", "".join(rows[start:end]))

    job = training_jobs.run(
        ResourceConfig=INSTANCES,
        InputDataConfig=[sharded(training_jobs, "train", "parts/")],
        HyperParameters={"objective": "reg:squarederror", "eval_metric": "rmse"},
    )

    assert trained_rows(training_jobs, job) == [30, 60]  # part 1; parts 0 and 2
    assert {each["MetricName"] for each in job["FinalMetricDataList"]} == {"train:rmse"}
    key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix(f"s3://{training_jobs.bucket}/")
    body = training_jobs.s3.get_object(Bucket=training_jobs.bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as archive:
        assert archive.getnames() == ["xgboost-model"]
    streams = aws.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{job['TrainingJobName']}/"
    )["logStreams"]
    assert [each["logStreamName"].split("/")[1][:6] for each in streams] == ["algo-1", "algo-2"]


def test_an_instance_without_data_leaves_the_others_alone(training_jobs: TrainingJobs) -> None:
    job = training_jobs.run(
        ResourceConfig=INSTANCES, InputDataConfig=[sharded(training_jobs, "train", "train/")]
    )
    assert trained_rows(training_jobs, job) == [120]
    log = training_jobs.log(job["TrainingJobName"])
    assert "Host algo-2 not being used for distributed training." in log


def test_data_that_is_replicated_is_whole_on_each(training_jobs: TrainingJobs) -> None:
    job = training_jobs.run(ResourceConfig=INSTANCES)
    assert trained_rows(training_jobs, job) == [120, 120]


def test_one_that_fails_ends_the_others(training_jobs: TrainingJobs) -> None:
    training_jobs.put("bad/0.csv", table())
    training_jobs.put("bad/.1.csv", table())
    job = training_jobs.run(
        ResourceConfig=INSTANCES, InputDataConfig=[sharded(training_jobs, "train", "bad/")]
    )
    assert job["TrainingJobStatus"] == "Failed"
    assert "Hidden file found in the data path!" in job["FailureReason"]
