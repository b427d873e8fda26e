"""The cache key of a cached step must include all of its inputs that can change."""

from typing import Any

import pytest

from ml_pipeline.controls.checks import findings

Document = dict[str, Any]

GIVEN = {"Get": "Parameters.Fingerprint"}
RUN = {"Get": "Steps.clean.ProcessingJobName"}
EXECUTION = {"Get": "Execution.PipelineExecutionId"}


AT = "s3://data/clean"
FINGERPRINT = {"INPUT_FINGERPRINT_RIDES": GIVEN}


def join(*values: Any) -> Document:
    return {"Std:Join": {"On": "/", "Values": list(values)}}


def step(name: str, words: list[Any], environment: Document | None = None, **more: Any) -> Document:
    """Return a cached processing step with only the members that matter for its cache."""
    arguments = {
        "AppSpecification": {"ContainerArguments": words},
        "Environment": environment or {},
        **more.pop("arguments", {}),
    }
    cached = {"CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"}}
    return {"Name": name, "Type": "Processing", "Arguments": arguments, **cached, **more}


def reported(*steps: Document) -> list[tuple[str, str, str]]:
    """Return step, position in its arguments, and problem of each finding about caches."""
    return [
        (found.step, found.path.partition(".Arguments.")[2], found.problem)
        for found in findings({"Steps": list(steps)})
        if "cached" in found.problem
    ]


CLEAN = step(
    "clean",
    ["--rides", "s3a://data/rides", "--joined", "s3a://data/clean"],
    {"INPUT_FINGERPRINT_RIDES": GIVEN, "OUTPUTS": "joined", "REPORT_FOLDER": "s3a://data/clean"},
)
SECOND_WORD = "AppSpecification.ContainerArguments[1]"
NO_FINGERPRINT = (
    "the step is cached, and its cache key does not change when the data at s3://data/rates changes"
)
ANY_RUN = "the step is cached, and its cache key does not change when step clean writes its input again"


def test_a_step_with_a_fingerprint_of_each_input_passes() -> None:
    assert reported(CLEAN) == []


# External data.


@pytest.mark.parametrize(
    ("words", "place"),
    [
        (["--rates", "s3a://data/rates"], "AppSpecification.ContainerArguments[1]"),
        (["--rates", "s3://data/rates/"], "AppSpecification.ContainerArguments[1]"),
        (["--rates=s3://data/rates"], "AppSpecification.ContainerArguments[0]"),
        (["s3://data/rates"], "AppSpecification.ContainerArguments[0]"),
        (["--fast", "--rates", join("s3://data/rates", GIVEN)], "AppSpecification.ContainerArguments[2]"),
        (["--rates", join("s3://data/rates", {"Get": "Parameters.JobName"})], SECOND_WORD),
        (["--rates", join("s3://data/rates", {"Get": "Steps.other.RoleArn"})], SECOND_WORD),
    ],
)
def test_data_without_a_fingerprint_is_a_finding(words: list[Any], place: str) -> None:
    assert reported(step("it", words)) == [("it", place, NO_FINGERPRINT)]


@pytest.mark.parametrize(
    ("words", "environment"),
    [
        (["s3://data/rates"], {"INPUT_FINGERPRINT_": GIVEN}),
        (["s3://data/rates"], {"OUTPUTS": ""}),
        (["rates", "s3://data/rates"], {"INPUT_FINGERPRINT_RATES": GIVEN}),
        (["--rates=1", "s3://data/rates"], {"INPUT_FINGERPRINT_RATES=1": GIVEN}),
    ],
)
def test_data_that_no_option_names_cannot_have_a_fingerprint(words: list[Any], environment: Document) -> None:
    (found,) = findings({"Steps": [step("it", words, environment)]})[-1:]

    assert found.problem == NO_FINGERPRINT
    assert "pass the location as the value of an option, with a fingerprint" in str(found)


def test_a_second_input_needs_a_fingerprint_of_its_own() -> None:
    words = ["--rides", "s3a://data/rides", "--rates", "s3a://data/rates"]

    ((_, place, _),) = reported(step("it", words, {"INPUT_FINGERPRINT_RIDES": GIVEN}))

    assert place == "AppSpecification.ContainerArguments[3]"
    both = {"INPUT_FINGERPRINT_RIDES": GIVEN, "INPUT_FINGERPRINT_RATES": GIVEN}
    assert reported(step("it", words, both)) == []


@pytest.mark.parametrize("value", ["0123abcd", {"Get": "Steps.other.ProcessingJobName"}, None])
def test_a_fingerprint_is_one_that_whoever_starts_an_execution_gives(value: Any) -> None:
    environment = {"INPUT_FINGERPRINT_RATES": value}

    assert len(reported(step("it", ["--rates", "s3a://data/rates"], environment))) == 1


def test_data_that_sagemaker_copies_needs_a_fingerprint_as_well() -> None:
    inputs = [{"InputName": "rates", "S3Input": {"S3Uri": "s3://data/rates"}}]

    copied = step("it", [], arguments={"ProcessingInputs": inputs})

    assert reported(copied) == [("it", "ProcessingInputs[0].S3Input.S3Uri", NO_FINGERPRINT)]
    copied["Arguments"]["Environment"] = {"INPUT_FINGERPRINT_RATES": GIVEN}
    assert reported(copied) == []


@pytest.mark.parametrize("name", ["code", "conf", "py-files", "jars", "files"])
def test_code_is_staged_by_its_content_and_needs_none(name: str) -> None:
    inputs = [{"InputName": name, "S3Input": {"S3Uri": "s3://artifacts/code/1/x.py"}}]

    assert reported(step("it", [], arguments={"ProcessingInputs": inputs})) == []


@pytest.mark.parametrize(
    "harmless",
    [
        step("it", ["--rates", "s3a://data/rates"], CacheConfig={"Enabled": False, "ExpireAfter": "P1D"}),
        {
            key: value
            for key, value in step("it", ["--rates", "s3://data/rates"]).items()
            if key != "CacheConfig"
        },
        step("it", ["--rates", "s3a://data/rates"], {"OUTPUTS": "rides,rates"}),
        step("it", ["--rates", "s3a://data/rates"], {"RUN": EXECUTION}),
        step("it", ["--rates", "0.5", "--name", "rates", "--flag"]),
        step("it", ["--rates", {"Get": "Parameters.Rates"}]),
        step("it", ["--rates", join(GIVEN, "s3://data/rates")]),
        step("it", ["--rates", join("s3://data/rates", {"Get": "Steps.other.ProcessingJobName"})]),
        step("it", [], {"LOGS": "s3://data/logs"}),
        {**step("it", ["--rates", "s3://data/rates"]), "Type": "Training"},
    ],
    ids=[
        "cache off",
        "no cache",
        "an output",
        "never reused",
        "no location",
        "not known",
        "its beginning is not known",
        "another one with each run",
        "an environment variable",
        "another type of step",
    ],
)
def test_what_cannot_be_stale_or_cannot_be_known_passes(harmless: Document) -> None:
    assert reported(harmless) == []


def test_the_remedies_are_named() -> None:
    (found,) = [
        str(each)
        for each in findings({"Steps": [step("it", ["--exchange-rates", "s3a://data/rates"])]})
        if "cached" in each.problem
    ]

    assert found == (
        "step it, $.Steps[0].Arguments.AppSpecification.ContainerArguments[1]: the step is cached, and its "
        "cache key does not change when the data at s3://data/rates changes; set the environment variable "
        "INPUT_FINGERPRINT_EXCHANGE_RATES to a pipeline parameter with a fingerprint of the data; or, if the "
        "step writes there, add exchange-rates to OUTPUTS; or turn off the cache of the step"
    )


# Results of other steps.


@pytest.mark.parametrize(
    "location",
    [
        "s3a://data/clean",
        "s3://data/clean/parquet",
        "s3://data/",
        join("s3a://data/clean", "runs", "latest"),
        join("s3a://data/clean", GIVEN),
    ],
)
def test_a_result_of_whichever_run_is_a_finding(location: Any) -> None:
    reader = step("join", ["--rides", location], {"INPUT_FINGERPRINT_RIDES": GIVEN})

    assert reported(CLEAN, reader) == [("join", "AppSpecification.ContainerArguments[1]", ANY_RUN)]
    assert reported(reader, CLEAN) == [("join", "AppSpecification.ContainerArguments[1]", ANY_RUN)]


def test_a_result_is_found_in_inputs_and_in_the_environment_too() -> None:
    inputs = {"ProcessingInputs": [{"InputName": "rides", "S3Input": {"S3Uri": "s3://data/clean/csv"}}]}
    reader = step("join", [], {"RIDES": "s3a://data/clean"}, arguments=inputs)

    assert reported(CLEAN, reader) == [
        ("join", "ProcessingInputs[0].S3Input.S3Uri", ANY_RUN),
        ("join", "Environment.RIDES", ANY_RUN),
    ]


@pytest.mark.parametrize(
    "reader",
    [
        step("join", ["--rides", join("s3a://data/clean", "runs", RUN, "parquet")]),
        step("join", ["--rides", "s3a://data/clean"], {"RIDES_OF": RUN}),
        step("join", ["--rides", "s3a://data/clean", "--of", {"Get": "Steps.clean.ProcessingJobArn"}]),
        step("join", ["--rides", "s3a://data/clean", "--of", {"Get": "Steps.clean.CreationTime"}]),
        step("join", ["--rides", "s3a://data/clean"], {"OF": {"Get": "Steps.clean.M.S3ModelArtifacts"}}),
        step("join", [], arguments={"ProcessingInputs": [{"S3Input": {"S3Uri": join(AT, RUN)}}]}),
        step("join", ["--rides", join("s3a://data/clean", EXECUTION)]),
        step("join", ["--rides", "s3a://data/clean"], CacheConfig={"Enabled": False}),
        step("join", ["--rides", "s3a://data/cleaner"], {"INPUT_FINGERPRINT_RIDES": GIVEN}),
        step("join", ["--rides", {"Std:Join": {"On": "-", "Values": [AT, GIVEN]}}], FINGERPRINT),
        step("join", ["--after", {"Get": "Steps.clean.ProcessingJobStatus"}]),
    ],
    ids=[
        "its location",
        "its environment",
        "an argument",
        "its time",
        "its model",
        "an input",
        "the execution",
        "cache off",
        "another folder",
        "a folder of another beginning",
        "no location",
    ],
)
def test_a_run_in_the_cache_key_passes(reader: Document) -> None:
    assert reported(CLEAN, reader) == []


def test_the_run_of_another_step_is_not_that_of_the_writer() -> None:
    reader = step("join", ["--rides", AT, "--of", {"Get": "Steps.cleaner.ProcessingJobName"}])

    assert [problem for *_, problem in reported(CLEAN, reader)] == [ANY_RUN]


@pytest.mark.parametrize(
    ("destination", "stale"),
    [
        ("s3://data/out", True),
        (join("s3://data", {"Get": "Parameters.Folder"}), True),
        (join("s3://data", EXECUTION, "out"), False),
    ],
)
def test_an_output_that_is_the_same_in_each_run_does_not_distinguish_runs(
    destination: Any, stale: bool
) -> None:
    outputs = [{"OutputName": "rows", "S3Output": {"S3Uri": destination}}]
    writer = step("clean", [], arguments={"ProcessingOutputConfig": {"Outputs": outputs}})
    uri = {"Get": "Steps.clean.ProcessingOutputConfig.Outputs['rows'].S3Output.S3Uri"}
    inputs = [{"InputName": "rows", "S3Input": {"S3Uri": uri}}]

    reader = step("join", [], arguments={"ProcessingInputs": inputs})

    assert [problem for *_, problem in reported(writer, reader)] == [ANY_RUN] * stale


def test_each_output_of_each_step_is_looked_at_by_itself() -> None:
    uris = {"logs": "s3://results/logs", "rows": join("s3://results", EXECUTION, "rows")}
    outputs = [{"OutputName": name, "S3Output": {"S3Uri": uri}} for name, uri in uris.items()]
    writer = step("cleaner", [], arguments={"ProcessingOutputConfig": {"Outputs": outputs}})
    rows = {"Get": "Steps.cleaner.ProcessingOutputConfig.Outputs['rows'].S3Output.S3Uri"}

    assert reported(CLEAN, writer, step("join", ["--rows", rows])) == []


def test_the_location_of_a_result_may_be_a_property_of_its_step() -> None:
    writer = {"Name": "clean", "Type": "Training", "Arguments": {}}
    reader = step("join", ["--model", {"Get": "Steps.clean.OutputDataConfig.S3OutputPath"}])

    assert reported(writer, reader) == [("join", SECOND_WORD, ANY_RUN)]


def test_where_a_step_writes_itself_it_does_not_read_the_result_of_another() -> None:
    again = step("again", ["--joined", AT], {"OUTPUTS": "joined", "REPORT_FOLDER": AT})

    assert reported(CLEAN, again) == []


def test_a_step_without_a_name_is_left_to_other_rules() -> None:
    reader = step("join", ["--rides", AT], FINGERPRINT)

    assert reported({**CLEAN, "Name": None}, reader) == []


@pytest.mark.parametrize(
    "writer",
    [
        {"Type": "Training", "Arguments": {"OutputDataConfig": {"S3OutputPath": "s3://data/clean"}}},
        {"Type": "Transform", "Arguments": {"TransformOutput": {"S3OutputPath": "s3://data/clean/x"}}},
        {"Type": "Training", "Arguments": {"Outputs": [{"S3OutputLocation": "s3://data/clean"}]}},
        {
            "Type": "Processing",
            "Arguments": {
                "ProcessingOutputConfig": {"Outputs": [{"S3Output": {"S3Uri": "s3://data/clean"}}]}
            },
        },
    ],
    ids=["training", "transform", "several outputs", "processing"],
)
def test_steps_of_other_kinds_write_as_well(writer: Document) -> None:
    reader = step("join", ["--rides", "s3a://data/clean"], {"INPUT_FINGERPRINT_RIDES": GIVEN})

    assert [problem for *_, problem in reported({"Name": "clean", **writer}, reader)] == [ANY_RUN]


def test_steps_in_branches_are_compared_with_all_others() -> None:
    reader = step("join", ["--rides", "s3a://data/clean"], {"INPUT_FINGERPRINT_RIDES": GIVEN})
    branch = {"Name": "if", "Type": "Condition", "Arguments": {"IfSteps": [reader], "ElseSteps": []}}

    ((name, _, problem),) = reported(CLEAN, branch)

    assert (name, problem) == ("join", ANY_RUN)


def test_what_a_step_writes_itself_is_not_what_it_reads() -> None:
    again = step("again", ["--joined", "s3a://data/again"], {"OUTPUTS": "joined", "LOGS": "s3://data/again"})

    assert reported(again) == []


@pytest.mark.parametrize(
    "broken",
    [
        {"Name": "x", "Type": "Processing", "CacheConfig": {"Enabled": True}},
        step("x", [None, 3, {}], {"OUTPUTS": 3}),
        {**step("x", []), "Arguments": {"AppSpecification": 3, "ProcessingInputs": [3, {}]}},
        {**step("x", []), "Name": None},
    ],
)
def test_a_malformed_step_is_left_to_other_rules(broken: Any) -> None:
    assert reported(broken, CLEAN) == []


# Training.


def training(uri: Any, **environment: Any) -> Document:
    """Return a cached training step with one channel."""
    channel = {"ChannelName": "rates", "DataSource": {"S3DataSource": {"S3Uri": uri}}}
    arguments = {"InputDataConfig": [channel], "Environment": environment}
    return {
        "Name": "train",
        "Type": "Training",
        "Arguments": arguments,
        "CacheConfig": {"Enabled": True, "ExpireAfter": "P30D"},
    }


CHANNEL = "InputDataConfig[0].DataSource.S3DataSource.S3Uri"


def test_a_channel_that_names_the_run_which_wrote_it_passes() -> None:
    assert reported(CLEAN, training(join(AT, "runs", RUN, "train"))) == []


def test_a_channel_that_does_not_name_the_run_is_stale() -> None:
    assert reported(CLEAN, training(f"{AT}/train")) == [("train", CHANNEL, ANY_RUN)]


def test_a_channel_from_outside_needs_a_fingerprint() -> None:
    assert reported(training("s3://data/rates")) == [("train", CHANNEL, NO_FINGERPRINT)]
    assert reported(training("s3://data/rates", INPUT_FINGERPRINT_RATES=GIVEN)) == []
    uncached = {**training("s3://data/rates"), "CacheConfig": {"Enabled": False}}
    assert reported(uncached) == []
