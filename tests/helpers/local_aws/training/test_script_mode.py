"""Training scripts, with the drivers of the SDK as `ModelTrainer` uploads them."""

import io
import json
import runpy
import tarfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.helpers.local_aws.training_jobs import IMAGE, TrainingJobs

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.9-0-cpu-py3"
SDK = Path(find_spec("sagemaker").submodule_search_locations[0]) / "train"
COMMAND = "chmod +x {0}/sm_train.sh && {0}/sm_train.sh".format("/opt/ml/input/data/sm_drivers")
REGRESSION = """
import argparse, csv, json, os, pathlib
import joblib
from sklearn.linear_model import LinearRegression

parser = argparse.ArgumentParser()
parser.add_argument("--fit_intercept", type=lambda text: text == "True")
arguments = parser.parse_args()
rows = [
    [float(value) for value in row]
    for file in sorted(pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir())
    for row in csv.reader(file.open())
]
model = LinearRegression(fit_intercept=arguments.fit_intercept)
model.fit([row[1:] for row in rows], [row[0] for row in rows])
print(f"score={model.score([row[1:] for row in rows], [row[0] for row in rows]):.3f};")
joblib.dump(model, os.path.join(os.environ["SM_MODEL_DIR"], "model.joblib"))
output = pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"])
(output / "coefficients.json").write_text(json.dumps(list(model.coef_)))
"""
BOOSTING = """
import os, pathlib, xgboost
matrix = xgboost.DMatrix(next(pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]).iterdir()).as_posix()
                         + "?format=csv&label_column=0")
xgboost.train({}, matrix, 2).save_model(os.path.join(os.environ["SM_MODEL_DIR"], "xgboost-model"))
"""


def upload_code(jobs: TrainingJobs, script: str, driver: str = "EXECUTE_BASIC_SCRIPT_DRIVER") -> None:
    """Upload a script and the drivers for the channels `code` and `sm_drivers`."""
    jobs.put("code/train.py", script)
    drivers = SDK / "container_drivers"
    for path in drivers.rglob("*.py"):
        jobs.put(f"drivers/{path.relative_to(drivers).as_posix()}", path.read_text())
    templates = runpy.run_path(str(SDK / "templates.py"))
    text = templates["TRAIN_SCRIPT_TEMPLATE"].format(
        working_dir="cd /opt/ml/input/data/code \n",
        install_requirements="" if driver.startswith("EXECUTE") else templates["INSTALL_AUTO_REQUIREMENTS"],
        execute_driver=templates["EXECUTE_BASIC_SCRIPT_DRIVER"],
    )
    jobs.put("drivers/sm_train.sh", text)
    source = {"source_dir": "/home/someone/src", "entry_script": "train.py"}
    jobs.put("drivers/sourcecode.json", json.dumps(source))
    jobs.put("drivers/distributed.json", "{}")


def request(jobs: TrainingJobs, image: str = IMAGE, **members: Any) -> dict[str, Any]:
    algorithm = {
        "TrainingImage": image,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": ["-c", COMMAND],
        **members.pop("algorithm", {}),
    }
    given = jobs.request(AlgorithmSpecification=algorithm, **members)
    given["HyperParameters"].pop("num_round")
    channels = (("train", "train/"), ("code", "code/"), ("sm_drivers", "drivers/"))
    given["InputDataConfig"] = [jobs.channel(name, key, None) for name, key in channels]
    return given


def run(jobs: TrainingJobs, given: dict[str, Any]) -> dict[str, Any]:
    jobs.sagemaker.create_training_job(**given)
    return jobs.wait(given["TrainingJobName"])


def archive(jobs: TrainingJobs, job: dict[str, Any], name: str = "model.tar.gz") -> tarfile.TarFile:
    key = f"models/{job['TrainingJobName']}/output/{name}"
    body = jobs.s3.get_object(Bucket=jobs.bucket, Key=key)["Body"].read()
    return tarfile.open(fileobj=io.BytesIO(body))


def test_a_scikit_learn_script_trains(training_jobs: TrainingJobs) -> None:
    upload_code(training_jobs, REGRESSION)
    metrics = [{"Name": "score", "Regex": "score=([0-9.]+);"}]

    job = run(
        training_jobs,
        request(
            training_jobs,
            SKLEARN,
            algorithm={"MetricDefinitions": metrics},
            HyperParameters={"fit_intercept": "true"},
        ),
    )

    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert [(each["MetricName"], each["Value"]) for each in job["FinalMetricDataList"]] == [("score", 1.0)]
    with archive(training_jobs, job) as model, archive(training_jobs, job, "output.tar.gz") as output:
        assert model.getnames() == ["model.joblib"]
        content = output.extractfile("coefficients.json")
        assert content
        assert [round(value, 6) for value in json.load(content)] == [1.0, 2.0]


def test_an_xgboost_script_trains(training_jobs: TrainingJobs) -> None:
    upload_code(training_jobs, BOOSTING)
    job = run(training_jobs, request(training_jobs, EnableNetworkIsolation=True))
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    with archive(training_jobs, job) as model:
        assert model.getnames() == ["xgboost-model"]


def test_the_failure_of_a_script_has_no_word_of_its_exception(training_jobs: TrainingJobs) -> None:
    upload_code(training_jobs, "raise ValueError('the label is missing')")
    job = run(training_jobs, request(training_jobs))
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: ")
    assert job["FailureReason"].endswith("exit code: 1")
    assert "the label is missing" not in job["FailureReason"]
    assert any("the label is missing" in line for line in training_jobs.log(job["TrainingJobName"]))


def test_packages_are_not_installed(training_jobs: TrainingJobs) -> None:
    upload_code(training_jobs, "print('trained')", "with requirements")
    training_jobs.put("code/requirements.txt", "a-package-that-is-not-there\n")
    job = run(training_jobs, request(training_jobs))
    assert job["TrainingJobStatus"] == "Failed"
    assert "trained" not in training_jobs.log(job["TrainingJobName"])


@pytest.mark.parametrize(
    ("image", "resources", "message"),
    [
        ("pytorch-training:2.5", {}, "does not run scripts in the image pytorch-training:2.5"),
        (IMAGE, {}, "ContainerArguments without ContainerEntrypoint"),
        (IMAGE, {"InstanceCount": 2}, "ResourceConfig.InstanceCount 2 with ContainerEntrypoint"),
    ],
)
def test_what_is_rejected(
    training_jobs: TrainingJobs, image: str, resources: dict[str, Any], message: str
) -> None:
    given = request(training_jobs, image)
    if message.startswith("ContainerArguments"):
        del given["AlgorithmSpecification"]["ContainerEntrypoint"]
    given["ResourceConfig"] = {**given["ResourceConfig"], **resources}
    with pytest.raises(ClientError, match=message):
        training_jobs.sagemaker.create_training_job(**given)
