"""Numbers, times and sizes as the page shows them."""

from datetime import UTC, datetime


def seconds(value: float) -> str:
    """Return a duration.

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
    """Return a time in UTC."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if value else "not yet"


def size(value: float) -> str:
    """Return bytes in units of 1,000.

    >>> [size(each) for each in (0, 999, 1234, 5_600_000, 7e12)]
    ['0 B', '999 B', '1.2 kB', '5.6 MB', '7.0 TB']
    """
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def number(value: int | None) -> str:
    """Return a count, or what stands for one that is not known."""
    return "not reported" if value is None else f"{value:,}"


def percent(share: float) -> str:
    """Return a share; what is not zero is not shown as zero.

    >>> [percent(each) for each in (0, 0.00001, 0.0123, 0.5, 1)]
    ['0 %', '< 0.1 %', '1.2 %', '50 %', '100 %']
    """
    value = share * 100
    if 0 < value < 0.1:
        return "< 0.1 %"
    return f"{value:.1f}".removesuffix(".0") + " %"


def usd(value: float | None) -> str:
    """Return an amount; what is less than a cent has its digits.

    >>> [usd(each) for each in (None, 0, 0.0042, 0.2, 1234.5)]
    ['not known', '0.00 USD', '0.0042 USD', '0.20 USD', '1,234.50 USD']
    """
    if value is None:
        return "not known"
    return f"{value:.4f} USD" if 0 < value < 0.01 else f"{value:,.2f} USD"


def cut(text: str, length: int) -> str:
    """Return a text that fits, with an ellipsis where it was longer."""
    return text if len(text) <= length else f"{text[: length - 1]}…"
