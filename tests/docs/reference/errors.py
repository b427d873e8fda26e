"""The reference of errors: exit codes, and the causes that jobs recognize, with their remedies."""

import sys

from helpers.command_line import BROKEN_PIPE, INTERRUPTED
from helpers.infra.stacks.drift import DRIFTED
from ml_pipeline.commands.start import STILL_RUNNING
from tests.docs.reference.markdown import ROOT, code, table

sys.path.append(str(ROOT / "spark_jobs"))
from etl.failures import REMEDIES

INTRODUCTION = """# Errors

Generated from the code by `make reference`.

A command that fails prints one error, with the fix, to stderr. `-v` also prints the traceback:
`python -m ml_pipeline COMMAND --env ENV -v`.
"""
CAUSES = """A Spark job ends with the exception that caused the failure. If its text matches one of these
regular expressions, the error begins with the cause and the setting to change. The first match applies. The
error is in the summary of a run, in `make logs` and in the [report of the execution](../execution-report.md).
"""
EXIT_CODES = (
    (0, "success"),
    (1, "an error; the message names the problem and the fix"),
    (2, "unknown option or invalid value. `make` exits with 2 for every command that fails"),
    (DRIFTED, "`drift`: there is drift, or it cannot be excluded"),
    (STILL_RUNNING, "`start --minutes`: the execution still runs"),
    (INTERRUPTED, "Ctrl-C"),
    (BROKEN_PIPE, "the reader of the output has closed it, as `head` does"),
)


def errors_page() -> str:
    return "\n".join(
        [
            INTRODUCTION,
            "## Exit codes\n",
            table(("code", "meaning"), [(str(number), text) for number, text in EXIT_CODES]),
            "\n## Causes of failed jobs\n",
            CAUSES,
            table(("text", "cause and setting"), [(code(pattern), remedy) for pattern, remedy in REMEDIES]),
            "",
        ]
    )
