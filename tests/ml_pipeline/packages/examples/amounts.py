"""Amounts in text form. Added with --py-files; its imports are part of the packages."""

import humanize
import orjson


def described(amount):
    """Return an amount in text form as JSON."""
    return orjson.dumps(humanize.intcomma(amount)).decode()
