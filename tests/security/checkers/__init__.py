"""Checkers that others maintain, run on the templates as they are deployed, and on their policies.

`rendering.py` gives templates their values, `weakening.py` weakens copies of them, `tools.py` runs the
checkers, and `suppressions.py` has what is left out.
"""
