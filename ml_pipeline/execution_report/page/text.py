"""Formats numbers, times and sizes for the page."""

from datetime import UTC, datetime


def seconds(value: float) -> str:
    """Return a duration as text.

    >>> [seconds(each) for each in (0, 0.04, 3.14159, 59.7, 119.6, 7325)]
    ['0 s', '0.04 s', '3.1 s', '1 min 00 s', '2 min 00 s', '2 h 02 min']
    """
    if value < 9.95:
        text = f"{value:.2f}" if value < 0.095 else f"{value:.1f}"
        return f"{text.rstrip('0').rstrip('.') or '0'} s" if "." in text else f"{text} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def moment(value: datetime | None) -> str:
    """Return a time in UTC as text."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if value else "not yet"


def size(value: float) -> str:
    """Return a number of bytes as text, in powers of 1,000.

    >>> [size(each) for each in (0, 999, 1234, 5_600_000, 7e12)]
    ['0 B', '999 B', '1.2 kB', '5.6 MB', '7.0 TB']
    """
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def number(value: int | None) -> str:
    """Return a count as text, or "not reported" for None."""
    return "not reported" if value is None else f"{value:,}"


def percent(share: float) -> str:
    """Return a fraction as a percentage. Only 0 is shown as 0 %.

    >>> [percent(each) for each in (0, 0.00001, 0.0123, 0.5, 1)]
    ['0 %', '< 0.1 %', '1.2 %', '50 %', '100 %']
    """
    value = share * 100
    if 0 < value < 0.1:
        return "< 0.1 %"
    return f"{value:.1f}".removesuffix(".0") + " %"


def usd(value: float | None) -> str:
    """Return an amount in USD as text. Amounts below one cent have four decimals.

    >>> [usd(each) for each in (None, 0, 0.0042, 0.2, 1234.5)]
    ['not known', '0.00 USD', '0.0042 USD', '0.20 USD', '1,234.50 USD']
    """
    if value is None:
        return "not known"
    return f"{value:.4f} USD" if 0 < value < 0.01 else f"{value:,.2f} USD"


def cut(text: str, length: int) -> str:
    """Return a text of at most `length` characters. An ellipsis replaces what is cut."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
