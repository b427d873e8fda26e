"""Describes the columns of a job's Parquet outputs, next to those of the previous run."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ml_pipeline.execution_report.model import DataSet

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from ml_pipeline.executions.job_report import Output, Report

FORMAT = "parquet"


def read_data_sets(
    s3: "S3Client", report: "Report", previous: "Report | None"
) -> tuple[tuple[DataSet, ...], tuple[str, ...]]:
    """Return the columns of a job's Parquet outputs, and the reasons for missing ones.

    Args:
        s3: an S3 client.
        report: the report of the job.
        previous: the report of the same step in the previous run. Outputs with the same name are compared.
    """
    data_sets, missing = [], []
    for name, output in report.outputs.items():
        if output.format != FORMAT:
            continue
        before = previous.outputs.get(name) if previous else None
        try:
            data_set = _read(s3, name, output, before)
        except ClientError as error:
            missing.append(f"The columns of {name} cannot be read: {error.response['Error']['Code']}.")
            continue
        except ValueError as error:  # ArrowInvalid
            missing.append(f"The columns of {name} cannot be read: {str(error).partition(chr(10))[0]}.")
            continue
        if data_set is None:
            missing.append(f"The columns of {name} are not shown: {output.folder} contains no files.")
            continue
        data_sets.append(data_set)
        missing += _not_compared(data_set, output, before, is_first=previous is None)
    if report.outputs and not any(output.format == FORMAT for output in report.outputs.values()):
        missing.append("Columns are not shown: the job reports no Parquet outputs.")
    return tuple(data_sets), tuple(missing)


def _read(s3: "S3Client", name: str, output: "Output", before: "Output | None") -> DataSet | None:
    from ml_pipeline.execution_report.columns import describe_columns  # noqa: PLC0415 - takes a second
    from ml_pipeline.execution_report.samples import read_sample  # noqa: PLC0415 - the same

    sample = read_sample(s3, output.folder)
    if sample is None:
        return None
    # A reused result has the same files as the previous run.
    compared = before if before and before.format == FORMAT and before.folder != output.folder else None
    earlier = read_sample(s3, compared.folder) if compared else None
    return DataSet(
        name,
        output.rows,
        sample.table.num_rows,
        describe_columns(sample.table, earlier.table if earlier else None),
        sample.columns_left_out,
        has_previous=earlier is not None,
    )


def _not_compared(
    data_set: DataSet, output: "Output", before: "Output | None", *, is_first: bool
) -> tuple[str, ...]:
    if data_set.has_previous or is_first:
        return ()
    if before is None:
        return (f"The columns of {data_set.name} are not compared: the previous run has no such output.",)
    if before.folder == output.folder:
        return (
            f"The columns of {data_set.name} are not compared: the result of the previous run was reused.",
        )
    return (f"The columns of {data_set.name} are not compared: the previous run's files were deleted.",)
