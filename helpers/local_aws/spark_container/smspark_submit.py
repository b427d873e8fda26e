"""The command line of the image, `smspark-submit`, and the spark-submit command that results from it."""

import posixpath
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import click

from helpers.local_aws.containers.container_paths import ContainerPaths
from helpers.local_aws.spark_container.errors import ContainerError, input_error, job_error

PROGRAM = "smspark-submit"
_FILE_OPTIONS = ("--jars", "--files", "--py-files")
"""Options with files, in the order in which the image checks them."""
_OPTIONS_OF_SPARK = frozenset({"--conf", "--properties-file", "--driver-memory", "--executor-memory"})


@dataclass(frozen=True)
class Submission:
    """The parsed command line of smspark-submit, with paths in the container."""

    app: str
    app_arguments: tuple[str, ...] = ()
    spark_options: Mapping[str, str | bool] = field(default_factory=dict)
    """The options for spark-submit, in the order of the command line; True for a flag."""
    spark_event_logs_s3_uri: str | None = None
    local_spark_event_logs_dir: str | None = None


class HelpRequested(Exception):  # noqa: N818 - not an error
    """The command line has `--help`; the help is the text of the exception."""


def _show_help(context: click.Context, _option: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        raise HelpRequested(context.get_help())


_COMMAND = click.Command(
    PROGRAM,
    # As in the image, arguments after the application belong to it.
    context_settings={"allow_interspersed_args": False},
    add_help_option=False,
    params=[
        click.Option(["--class", "class_"], help="The application's main class."),
        click.Option(["--jars"], help="A folder of jars, or a comma-separated list."),
        click.Option(["--py-files"], help="A folder of .zip, .egg or .py files, or a comma-separated list."),
        click.Option(["--files"], help="A folder of files for each executor, or a comma-separated list."),
        click.Option(["--spark-event-logs-s3-uri"], help="Where Spark writes its event logs in S3."),
        click.Option(["--local-spark-event-logs-dir"], help="The folder that event logs are copied to."),
        click.Option(["-v", "--verbose"], is_flag=True, help="Print more."),
        click.Option(["--help"], is_flag=True, is_eager=True, expose_value=False, callback=_show_help),
        click.Argument(["app"]),
        click.Argument(["app_arguments"], nargs=-1, type=click.UNPROCESSED),
    ],
)


def parse(command: Sequence[str]) -> Submission:
    """Parse the entry point and arguments of a container.

    Options precede the application; all later arguments belong to it.

    Raises:
        ContainerError: the program is another one, an option is unknown, or the application is missing.
        HelpRequested: `--help` is given.
    """
    if not command or posixpath.basename(command[0]) != PROGRAM:
        given = command[0] if command else "nothing"
        cause = f"the entry point must be {PROGRAM}, and is {given}"
        raise job_error("ValueError", cause, "the embedded AWS runs no other program in the Spark image")
    try:
        options = _COMMAND.make_context(PROGRAM, list(command[1:])).params
    except click.NoSuchOption as error:
        # The image's version of click, 8.1, prints no quotes.
        cause = f"No such option: {error.option_name}"
        is_of_spark = error.option_name in _OPTIONS_OF_SPARK
        hint = "Spark is configured with configuration.json, not on the command line" if is_of_spark else ""
        raise ContainerError("NoSuchOption", "Couldn't parse input.", cause, hint=hint) from None
    except click.MissingParameter as error:
        raise ContainerError("MissingParameter", "Couldn't parse input.", str(error)) from None
    except click.ClickException as error:
        raise job_error(type(error).__name__, str(error)) from None
    own = ("app", "app_arguments", "spark_event_logs_s3_uri", "local_spark_event_logs_dir")
    return Submission(
        **{name: options.pop(name) for name in own},
        spark_options={
            f"--{name.rstrip('_').replace('_', '-')}": value for name, value in options.items() if value
        },
    )


def with_files(submission: Submission, paths: ContainerPaths) -> Submission:
    """Return a submission whose lists contain only files, with their paths on this machine.

    Raises:
        ContainerError: a named file does not exist, or cannot exist.
    """
    try:
        lists = {
            option: _expanded(str(submission.spark_options[option]), paths)
            for option in _FILE_OPTIONS
            if option in submission.spark_options
        }
    except (ValueError, OSError) as error:  # not a URI or a file name
        raise job_error(type(error).__name__, paths.as_container(str(error))) from None
    return replace(submission, spark_options={**submission.spark_options, **lists})


def spark_submit(submission: Submission, program: str, master: str, paths: ContainerPaths) -> list[str]:
    """Return the spark-submit command on this machine; its master and paths differ from the image's."""
    command = [program, "--master", master, "--deploy-mode", "client"]
    for option, value in submission.spark_options.items():
        command += [option] if value is True else [option, str(value)]
    return [*command, *map(paths.in_text, (submission.app, *submission.app_arguments))]


def image_command(command: Sequence[str], paths: ContainerPaths) -> str:
    """Return the image's command line for a command of `spark_submit`."""
    words = ["spark-submit", "--master", "yarn", *command[3:]]
    return " ".join(shlex.quote(paths.as_container(word)) for word in words)


def _expanded(value: str, paths: ContainerPaths) -> str:
    """Return a comma-separated list with folders replaced by the files directly in them.

    As in the image, the first entry decides: a list that begins with an S3 URI stays unchanged, and one that
    begins with a local path must contain only local paths.
    """
    scheme = urlsplit(value).scheme
    if scheme in {"s3", "s3a"}:
        return ",".join(map(paths.in_text, value.split(",")))
    if scheme not in {"", "file"}:
        raise input_error(f"{value}: the image passes on local paths, s3:// and s3a:// only, not {scheme}://")
    files: list[str] = []
    for entry in value.split(","):
        given = PurePosixPath(entry)
        if not given.is_absolute():
            raise input_error(f"file path {given} must be an absolute path to a file or directory")
        path = posixpath.normpath(entry)
        on_host = paths.on_host(path) if paths.in_text(path) != path else None
        if on_host is None or not on_host.exists():
            raise input_error(f"file path {path} does not exist")
        is_folder = on_host.is_dir()
        found = sorted(file for file in on_host.iterdir() if file.is_file()) if is_folder else [on_host]
        if not found:
            raise input_error(f"Found zero files in {path}")
        files += map(str, found)
    return ",".join(files)
