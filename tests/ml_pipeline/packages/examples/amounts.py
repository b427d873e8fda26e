"""Amounts as people write them. Shipped with --py-files; what it imports, with the packages."""

import humanize
import orjson


def described(amount):
    """Return an amount as a person writes it, in JSON."""
    return orjson.dumps(humanize.intcomma(amount)).decode()
