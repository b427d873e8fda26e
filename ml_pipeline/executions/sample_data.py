"""Uploads the sample data of a new environment, and overwrites only its own uploads."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from helpers.environments import Environment
from helpers.errors import UserError
from helpers.s3 import S3Uri, object_sha256, parse, sha256_of
from ml_pipeline.executions.inputs import list_input
from ml_pipeline.params import PipelineParams

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

FOLDER = Path(__file__).resolve().parents[2] / "spark_jobs" / "sample_data"
MARK = {"uploaded-by": "make-data"}
"""The user-defined metadata that marks objects as samples."""


def upload_samples(
    s3: "S3Client", params: PipelineParams, environment: Environment, folder: Path | None = None
) -> Iterator[str]:
    """Upload the samples of the inputs, if `SampleData` of the environment allows it.

    Args:
        s3: a client.
        params: parameters of the pipeline.
        environment: the environment.
        folder: folder of the samples; by default, spark_jobs/sample_data/.

    Yields:
        What was done, as text.

    Raises:
        UserError: samples are missing; the message names all of them, and nothing is uploaded.
    """
    folder, allowed = folder or FOLDER, environment.settings.sample_data
    missing = [
        f"{folder / given.sample}: there is no such sample; input {name} of step {step.name} names it"
        for step in params.spark_steps.values()
        for name, given in step.data_inputs.items()
        if given.sample and allowed != "never" and not _files(folder / given.sample)
    ]
    if missing:
        raise UserError("\n".join(missing), hint="Create it, or correct the input in ml_pipeline/params")
    for step in params.spark_steps.values():
        for name, given in step.data_inputs.items():
            uri = str(given.uri)
            if not given.sample:
                yield f"Input {name} of step {step.name} has no sample: deliver the data to {uri}."
            elif allowed == "never":
                yield f"{environment} gets no sample data: deliver the input to {uri}."
            elif allowed == "when-empty" and list_input(s3, uri):
                yield f"The input at {uri} was left as it is."
            else:
                yield _upload(s3, uri, folder / given.sample, params.pyspark_process_output_kms)


def _upload(s3: "S3Client", uri: str, sample: Path, key_arn: str) -> str:
    wanted = _objects(uri, sample)
    present = {S3Uri(parse(uri).bucket, each.key) for each in list_input(s3, uri)}
    same = {each for each in present if each in wanted and object_sha256(s3, each) == sha256_of(wanted[each])}
    foreign = sorted(each for each in present - same if not _is_sample(s3, each))
    if foreign:
        return (
            f"The input at {uri} was left as it is: {foreign[0]} "
            f"{f'and {len(foreign) - 1} more objects are' if len(foreign) > 1 else 'is'} not sample data."
        )
    for target in present - wanted.keys():
        s3.delete_object(Bucket=target.bucket, Key=target.key)
    changed = wanted.keys() - same
    for target in sorted(changed):
        s3.put_object(
            Bucket=target.bucket,
            Key=target.key,
            Body=wanted[target],
            ContentType="text/csv" if target.key.endswith(".csv") else "binary/octet-stream",
            ChecksumSHA256=sha256_of(wanted[target]),
            Metadata=MARK,
            ServerSideEncryption="aws:kms",
            SSEKMSKeyId=key_arn,
        )
    return f"The sample {sample.name} {'was uploaded to' if changed else 'is already at'} {uri}."


def _files(sample: Path) -> list[Path]:
    """Return the files of a sample, which is a file or a folder."""
    return [sample] if sample.is_file() else sorted(path for path in sample.rglob("*") if path.is_file())


def _objects(uri: str, sample: Path) -> Mapping[S3Uri, bytes]:
    """Return the content of each object of a sample."""
    bucket, key = parse(uri)
    if sample.is_file():
        return {S3Uri(bucket, key + sample.name if key.endswith("/") else key): sample.read_bytes()}
    prefix = key.rstrip("/")
    return {
        S3Uri(bucket, f"{prefix}/{path.relative_to(sample).as_posix()}"): path.read_bytes()
        for path in _files(sample)
    }


def _is_sample(s3: "S3Client", uri: S3Uri) -> bool:
    return s3.head_object(Bucket=uri.bucket, Key=uri.key)["Metadata"].items() >= MARK.items()
