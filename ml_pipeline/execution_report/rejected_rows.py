"""Groups rejected rows by input file, with reasons and examples, from the output `rejected` of a job."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from helpers.s3 import S3Uri
from ml_pipeline.execution_report.data_files import list_data_files
from ml_pipeline.execution_report.model import Rejected, RejectedFile

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from ml_pipeline.executions.job_report import Report

OUTPUT, FORMAT = "rejected", "json"
"""Name and format of the output with the rejected rows; see docs/job-report.md."""
MOST_BYTES = 1 << 20
"""Maximum number of bytes read from all files of the output."""
EXAMPLES = 10
"""Maximum number of examples per input file."""
_CHARACTERS = 200


def read_rejected(s3: "S3Client", report: "Report") -> Rejected | None:
    """Return the rejected rows of a job, or None if it has no such output in the documented format.

    Raises:
        ClientError: you do not have permission to read the rows.
    """
    output = report.outputs.get(OUTPUT)
    if output is None or output.format != FORMAT:
        return None
    return group_rejected(_lines(s3, output.folder), output.rows)


def group_rejected(lines: Iterable[bytes], total: int) -> Rejected | None:
    """Return rejected rows by file, the file with the most rows first, or None if there are no rows.

    Args:
        lines: JSON objects with `file`, `line` and `reason`. Other lines are skipped.
        total: the number of rejected rows in the job report.
    """
    reasons: dict[str, Counter[str]] = {}
    first: dict[tuple[str, str], str] = {}
    for file, line, reason in filter(None, map(_parsed, lines)):
        reasons.setdefault(file, Counter())[reason] += 1
        first.setdefault((file, reason), line)
    files = [
        RejectedFile(
            file,
            dict(counts.most_common()),
            tuple((first[file, reason], reason) for reason, _ in counts.most_common(EXAMPLES)),
        )
        for file, counts in reasons.items()
    ]
    read = sum(file.rows for file in files)
    return Rejected(read, total, tuple(sorted(files, key=lambda file: -file.rows))) if files else None


def _parsed(text: bytes) -> tuple[str, str, str] | None:
    try:
        row = json.loads(text)
    except ValueError:
        return None
    if not isinstance(row, dict) or "file" not in row or "reason" not in row:
        return None
    return _cut(row["file"]), _cut(row.get("line", "")), _cut(row["reason"])


def _cut(value: object) -> str:
    text = "".join(each if each.isprintable() else "�" for each in str(value))
    return text if len(text) <= _CHARACTERS else f"{text[:_CHARACTERS]}…"


def _lines(s3: "S3Client", folder: str) -> Iterator[bytes]:
    left = MOST_BYTES
    for file in list_data_files(s3, folder):
        if left <= 0:
            return
        content = _beginning(s3, file.uri, min(left, file.size)) if file.size else b""
        left -= len(content)
        yield from content.splitlines()  # a truncated last line is not JSON, and is skipped


def _beginning(s3: "S3Client", uri: S3Uri, size: int) -> bytes:
    answer = s3.get_object(Bucket=uri.bucket, Key=uri.key, Range=f"bytes=0-{size - 1}")
    return answer["Body"].read()
