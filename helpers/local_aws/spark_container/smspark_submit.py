"""The command line of the image, `smspark-submit`, and the spark-submit that it stands for."""

import posixpath
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import click

from helpers.local_aws.containers.container_paths import ContainerPaths
from helpers.local_aws.spark_container.errors import ContainerError, input_error, job_error

PROGRAM = "smspark-submit"
_SPARK_OPTIONS = frozenset({"--conf", "--properties-file", "--driver-memory", "--executor-memory"})


@dataclass(frozen=True)
class Submission:
    """What a command line of smspark-submit says; paths are the container's."""

    app: str
    app_arguments: tuple[str, ...] = ()
    class_: str | None = None
    jars: str | None = None
    py_files: str | None = None
    files: str | None = None
    spark_event_logs_s3_uri: str | None = None
    local_spark_event_logs_dir: str | None = None
    verbose: bool = False


class HelpRequested(Exception):  # noqa: N818 - no error
    """The command line asks for `--help`, which is the text of the exception."""


def _show_help(context: click.Context, _option: click.Parameter, is_asked: bool) -> None:
    if is_asked:
        raise HelpRequested(context.get_help())


_COMMAND = click.Command(
    PROGRAM,
    # As in the image: what follows the application belongs to it.
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
    """Return what a container's entry point and arguments ask for.

    Options stand before the application; all that follows belongs to it.

    Raises:
        ContainerError: another program, an unknown option, or no application.
        HelpRequested: `--help`.
    """
    if not command or posixpath.basename(command[0]) != PROGRAM:
        given = command[0] if command else "nothing"
        cause = f"the entry point must be {PROGRAM}, and is {given}"
        raise job_error("ValueError", cause, "the embedded AWS runs no other program in the Spark image")
    try:
        return Submission(**_COMMAND.make_context(PROGRAM, list(command[1:])).params)
    except click.NoSuchOption as error:
        # The image's click, 8.1, has no quotes.
        cause = f"No such option: {error.option_name}"
        is_of_spark = error.option_name in _SPARK_OPTIONS
        hint = "Spark is configured with configuration.json, not on the command line" if is_of_spark else ""
        raise ContainerError("NoSuchOption", "Couldn't parse input.", cause, hint=hint) from None
    except click.MissingParameter as error:
        raise ContainerError("MissingParameter", "Couldn't parse input.", str(error)) from None
    except click.ClickException as error:
        raise job_error(type(error).__name__, str(error)) from None


def spark_submit(submission: Submission, program: str, master: str, paths: ContainerPaths) -> list[str]:
    """Return the command that runs a submission here; it differs from the image's by its master and paths.

    Raises:
        ContainerError: a file that is named does not exist.
    """
    command = [program, "--master", master, "--deploy-mode", "client"]
    if submission.class_:
        command += ["--class", submission.class_]
    for option, value in (
        ("--jars", submission.jars),
        ("--py-files", submission.py_files),
        ("--files", submission.files),
    ):
        if value:
            command += [option, _expanded(value, paths)]
    if submission.verbose:
        command.append("--verbose")
    return [*command, *map(paths.in_text, (submission.app, *submission.app_arguments))]


def image_command(command: Sequence[str], paths: ContainerPaths) -> str:
    """Return the command line that the image would run for one of `spark_submit`."""
    words = ["spark-submit", "--master", "yarn", *command[3:]]
    return " ".join(shlex.quote(paths.as_container(word)) for word in words)


def _expanded(value: str, paths: ContainerPaths) -> str:
    """Return a comma-separated list in which folders have become the files directly in them.

    As in the image, the first entry decides: a list that begins in S3 passes as it is, and one that
    begins with a local path holds local paths only.
    """
    scheme = urlsplit(value).scheme
    if scheme in {"s3", "s3a"}:
        return ",".join(map(paths.in_text, value.split(",")))
    if scheme not in {"", "file"}:
        raise input_error(f"{value}: the image passes on local paths, s3:// and s3a:// only, not {scheme}://")
    files: list[str] = []
    for entry in value.split(","):
        path = PurePosixPath(entry)
        if not path.is_absolute():
            raise input_error(f"file path {path} must be an absolute path to a file or directory")
        on_host = paths.on_host(entry) if paths.in_text(entry) != entry else None
        if on_host is None or not on_host.exists():
            raise input_error(f"file path {path} does not exist")
        is_folder = on_host.is_dir()
        found = sorted(file for file in on_host.iterdir() if file.is_file()) if is_folder else [on_host]
        if not found:
            raise input_error(f"Found zero files in {path}")
        files += map(str, found)
    return ",".join(files)
