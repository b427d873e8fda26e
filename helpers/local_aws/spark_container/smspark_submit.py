"""The command line of the image, `smspark-submit`, and the spark-submit that it stands for."""

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from helpers.local_aws.containers.container_paths import ContainerPaths
from helpers.local_aws.spark_container.errors import ContainerError, input_error

PROGRAM = "smspark-submit"
_FLAGS = {"-v": "verbose", "--verbose": "verbose"}
_VALUES = {
    "--class": "class_name",
    "--jars": "jars",
    "--py-files": "py_files",
    "--files": "files",
    "--spark-event-logs-s3-uri": "spark_event_logs_s3_uri",
    "--local-spark-event-logs-dir": "local_spark_event_logs_dir",
}


@dataclass(frozen=True)
class Submission:
    """What a command line of smspark-submit says; paths are the container's."""

    app: str
    app_arguments: tuple[str, ...] = ()
    class_name: str | None = None
    jars: str | None = None
    py_files: str | None = None
    files: str | None = None
    spark_event_logs_s3_uri: str | None = None
    local_spark_event_logs_dir: str | None = None
    verbose: bool = False


def parse(command: Sequence[str]) -> Submission:
    """Return what a container's entry point and arguments ask for.

    Options stand before the application; all that follows belongs to it.

    Raises:
        ContainerError: another program, an unknown option, or no application.
    """
    if not command or posixpath.basename(command[0]) != PROGRAM:
        given = command[0] if command else "nothing"
        raise _unparsable("ValueError", f"the entry point must be {PROGRAM}, and is {given}")
    words = list(command[1:])
    members: dict[str, str | bool] = {}
    while words and words[0].startswith("-") and words[0] != "-":
        word = words.pop(0)
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if word in _FLAGS:
            members[_FLAGS[word]] = True
        elif name not in _VALUES:
            hint = (
                "; Spark is configured with configuration.json, not on the command line"
                if name in {"--conf", "--properties-file", "--driver-memory", "--executor-memory"}
                else ""
            )
            raise _unparsable("NoSuchOption", f"No such option: {name}{hint}")
        elif equals:
            members[_VALUES[name]] = value
        elif words:
            members[_VALUES[name]] = words.pop(0)
        else:
            raise _unparsable("BadOptionUsage", f"Option '{name}' requires an argument.")
    if not words:
        raise _unparsable("MissingParameter", "Missing argument 'APP'.")
    # The names come from the two tables above, whose values are fields of Submission.
    return Submission(words[0], tuple(words[1:]), **members)  # type: ignore[arg-type]


def _unparsable(kind: str, cause: str) -> ContainerError:
    return ContainerError(kind, "Couldn't parse input.", cause)


def spark_submit(submission: Submission, program: str, master: str, paths: ContainerPaths) -> list[str]:
    """Return the command that runs a submission here; it differs from the image's by its master and paths.

    Raises:
        ContainerError: a file that is named does not exist.
    """
    command = [program, "--master", master, "--deploy-mode", "client"]
    if submission.class_name:
        command += ["--class", submission.class_name]
    for option, value in (
        ("--jars", submission.jars),
        ("--py-files", submission.py_files),
        ("--files", submission.files),
    ):
        if value is not None:
            command += [option, _expanded(value, paths)]
    if submission.verbose:
        command.append("--verbose")
    return [*command, *map(paths.in_text, (submission.app, *submission.app_arguments))]


def _expanded(value: str, paths: ContainerPaths) -> str:
    """Return a comma-separated list in which folders have become the files directly in them.

    As in the image, the first entry decides: a list that begins in S3 passes as it is, and one that
    begins with a local path holds local paths only.
    """
    scheme = urlsplit(value).scheme
    if scheme in {"s3", "s3a"}:
        return ",".join(map(paths.in_text, value.split(",")))
    if scheme not in {"", "file"}:
        raise input_error(f"{value}: only local paths and s3:// and s3a:// are passed on, not {scheme}://")
    files: list[str] = []
    for entry in value.split(","):
        if not entry.startswith("/"):
            raise input_error(f"file path {entry!r} must be an absolute path to a file or directory")
        path = paths.on_host(entry) if paths.in_text(entry) != entry else None
        if path is None or not path.exists():
            raise input_error(f"file path {entry} does not exist")
        found = sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else [path]
        if not found:
            raise input_error(f"Found zero files in {entry}")
        files += map(str, found)
    return ",".join(files)
