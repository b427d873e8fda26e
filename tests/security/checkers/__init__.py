"""External checkers, run on the deployed templates and their policies.

`rendering.py` inserts the values into templates, `weakening.py` weakens copies of them, `tools.py` runs the
checkers, and `suppressions.py` loads accepted findings.
"""
