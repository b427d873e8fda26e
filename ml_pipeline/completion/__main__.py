"""Prints completions: python -m ml_pipeline.completion WORD…, with the words after `make`.

Each line is a candidate, a tab and its description. If a file cannot be read, there are no candidates and no
error message, because a message would appear in the middle of the command line.
"""

import sys
from contextlib import suppress

from helpers.errors import UserError
from ml_pipeline.completion.candidates import candidates

if __name__ == "__main__":
    with suppress(UserError, OSError):
        for candidate, description in candidates(sys.argv[1:]):
            print(f"{candidate}\t{description}")
