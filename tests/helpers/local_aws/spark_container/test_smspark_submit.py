"""The command line of the image."""

from pathlib import Path

import pytest

from helpers.local_aws.containers.container_paths import ContainerPaths
from helpers.local_aws.spark_container.errors import ContainerError
from helpers.local_aws.spark_container.smspark_submit import (
    HelpRequested,
    Submission,
    image_command,
    parse,
    spark_submit,
    with_files,
)

APP = "/opt/ml/processing/input/code/app.py"


@pytest.fixture
def paths(tmp_path: Path) -> ContainerPaths:
    code = tmp_path / "opt/ml/processing/input/py"
    (code / "package").mkdir(parents=True)
    (tmp_path / "opt/ml/processing/input/empty").mkdir()
    for name in ("b.py", "a.py", "package/deep.py"):
        (code / name).touch()
    return ContainerPaths(tmp_path)


def submit(paths: ContainerPaths, *words: str) -> list[str]:
    submission = with_files(parse(["smspark-submit", *words]), paths)
    return spark_submit(submission, "spark-submit", "local[1]", paths)


def test_all_options_are_understood() -> None:
    options = ["--class", "C", "--jars=j", "--py-files", "p", "--files", "f", "-v"]
    logs_in_s3 = ["--spark-event-logs-s3-uri", "s3://b/e"]
    assert parse(["/usr/bin/smspark-submit", *options, *logs_in_s3, "app", "--files", "x"]) == Submission(
        "app",
        ("--files", "x"),
        {"--class": "C", "--jars": "j", "--py-files": "p", "--files": "f", "--verbose": True},
        spark_event_logs_s3_uri="s3://b/e",
    )
    logs = parse(["smspark-submit", "--local-spark-event-logs-dir", "/opt/ml/x", "--", "-app"])
    assert logs == Submission("-app", local_spark_event_logs_dir="/opt/ml/x")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            ["smspark-submit", "--conf", "a=b", "app"],
            "NoSuchOption.*: Couldn't parse input.: No such option: --conf",
        ),
        (["smspark-submit", "--py", "x", "app"], "No such option: --py$"),
        (["smspark-submit", "-x", "app"], "No such option: -x$"),
        (["smspark-submit"], "MissingParameter.*Missing parameter: app$"),
        (
            ["smspark-submit", "--jars"],
            "BadOptionUsage.*: error running Spark job: Option '--jars' requires an argument.",
        ),
        (["smspark-submit", "--verbose=1", "app"], "BadOptionUsage.*'--verbose' does not take a value"),
        (["smspark-submit", "-vx", "app"], "No such option: -x$"),
        (["python3", "app.py"], "the entry point must be smspark-submit, and is python3"),
        ([], "and is nothing"),
    ],
)
def test_other_command_lines_are_rejected_as_the_image_does(command: list[str], message: str) -> None:
    with pytest.raises(ContainerError, match=rf"^Algorithm Error: \(caused by .*{message}") as error:
        parse(command)
    assert error.value.exit_code == 1


def test_folders_are_expanded_one_level_and_paths_are_mapped(paths: ContainerPaths) -> None:
    folder = f"{paths.root}/opt/ml/processing/input/py"
    command = submit(
        paths, "--py-files", "/opt/ml/processing/input/py", APP, "--in=/opt/ml/x", "s3://b/opt/ml/y"
    )
    assert command == [
        "spark-submit",
        *("--master", "local[1]", "--deploy-mode", "client"),
        *("--py-files", f"{folder}/a.py,{folder}/b.py"),
        f"{paths.root}{APP}",
        f"--in={paths.root}/opt/ml/x",
        "s3://b/opt/ml/y",
    ]


def test_what_lies_in_s3_is_passed_on(paths: ContainerPaths) -> None:
    command = submit(paths, "--class", "C", "--jars", "s3://b/a.jar,s3a://b/c.jar", "-v", "s3://b/app.py")
    assert command[5:] == [
        "--class",
        "C",
        "--jars",
        "s3://b/a.jar,s3a://b/c.jar",
        "--verbose",
        "s3://b/app.py",
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("/opt/ml/processing/input/none", "file path /opt/ml/processing/input/none does not exist"),
        ("/etc/passwd", "file path /etc/passwd does not exist"),
        ("/opt/ml/processing/input/empty", "Found zero files in /opt/ml/processing/input/empty"),
        ("/opt/ml/a/../../../opt/ml/none", "file path /opt/ml/none does not exist"),
        ("/opt/ml/../../etc/passwd", "file path /etc/passwd does not exist"),
        ("./a.py", "file path a.py must be an absolute path"),
        ("/opt/ml/processing/input/py/a.py,s3://b/c.py", "file path s3:/b/c.py must be an absolute path"),
        ("https://host/a.py", "the image passes on local paths, s3:// and s3a:// only, not https://"),
    ],
)
def test_files_that_are_not_there_are_an_input_error(paths: ContainerPaths, value: str, message: str) -> None:
    with pytest.raises(ContainerError, match=rf"\(caused by ValueError\): error preparing.*: {message}"):
        submit(paths, "--py-files", value, APP)


def test_the_first_missing_file_is_that_of_jars_then_files(paths: ContainerPaths) -> None:
    options = ("--py-files", "/opt/ml/p", "--files", "/opt/ml/f")

    with pytest.raises(ContainerError, match="file path /opt/ml/f does not exist"):
        submit(paths, *options, APP)
    with pytest.raises(ContainerError, match="file path /opt/ml/j does not exist"):
        submit(paths, *options, "--jars", "/opt/ml/j", APP)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("s3://[b/a", "ValueError): error running Spark job: Invalid IPv6 URL"),
        (
            f"/opt/ml/{'n' * 300}",
            f"OSError): error running Spark job: [Errno 36] File name too long: '/opt/ml/{'n' * 300}'",
        ),
    ],
)
def test_what_no_file_can_have_as_its_name_fails_as_in_the_image(
    paths: ContainerPaths, value: str, message: str
) -> None:
    with pytest.raises(ContainerError) as caught:
        submit(paths, "--files", value, APP)

    assert str(caught.value) == f"Algorithm Error: (caused by {message}"


def test_options_keep_the_order_of_the_command_line(paths: ContainerPaths) -> None:
    command = submit(paths, "-v", "--files", "s3://b/f", "--class", "C", "s3://b/app.py")

    assert command[5:] == ["--verbose", "--files", "s3://b/f", "--class", "C", "s3://b/app.py"]


def test_a_path_is_resolved(paths: ContainerPaths) -> None:
    command = submit(paths, "--files", "/opt/ml/processing/input/empty/../py/a.py", "s3://b/app.py")

    assert command[5:7] == ["--files", f"{paths.root}/opt/ml/processing/input/py/a.py"]


def test_an_empty_option_is_left_out_and_flags_can_be_repeated(paths: ContainerPaths) -> None:
    command = submit(paths, "--jars", "", "--files=", "-vv", "s3://b/app.py")

    assert command[5:] == ["--verbose", "s3://b/app.py"]


def test_help_is_asked_for_before_anything_else() -> None:
    with pytest.raises(HelpRequested, match="--py-files"):
        parse(["smspark-submit", "--help"])


def test_the_images_command_has_its_master_its_paths_and_quotes(paths: ContainerPaths) -> None:
    command = submit(paths, "--py-files", "/opt/ml/processing/input/py", APP, "a b")
    folder = "/opt/ml/processing/input/py"

    assert image_command(command, paths) == (
        f"spark-submit --master yarn --deploy-mode client --py-files {folder}/a.py,{folder}/b.py {APP} 'a b'"
    )


@pytest.mark.parametrize(
    ("text", "mapped"),
    [
        ("/opt/ml", "R/opt/ml"),
        ("/opt/ml/a,/opt/ml/b", "R/opt/ml/a,R/opt/ml/b"),
        ("file:///opt/ml/a", "file://R/opt/ml/a"),
        ("/opt/mlx", "/opt/mlx"),
        ("/srv/opt/ml/a", "/srv/opt/ml/a"),
        ("s3://bucket/opt/ml/a", "s3://bucket/opt/ml/a"),
        ('{"a": "/opt/ml/a"}', '{"a": "R/opt/ml/a"}'),
    ],
)
def test_paths_under_opt_ml_are_mapped_where_they_begin(text: str, mapped: str) -> None:
    assert ContainerPaths(Path("R")).in_text(text) == mapped
