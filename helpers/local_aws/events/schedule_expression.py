"""Schedule expressions: `rate(5 minutes)`, `cron(0 8 ? * MON-FRI *)` and `at(2026-01-31T08:00:00)`.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_RATE = re.compile(r"rate\((?P<value>[1-9]\d*) (?P<unit>minute|hour|day)(?P<plural>s?)\)")
_CRON = re.compile(r"cron\((?P<fields>[^)]+)\)")
_AT = re.compile(r"at\((?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FURTHEST = timedelta(days=8 * 366 + 1)
"""How far ahead to search: February 29 occurs at least once in this time."""

Next = Callable[[datetime], datetime | None]
"""Returns the first time after a given time at which a schedule is due, or None."""


class ScheduleError(ValueError):
    """A schedule expression is not valid; the message describes the problem."""


def parse(text: str, zone: str = "UTC", anchor: datetime | None = None, *, once: bool = True) -> Next:
    """Return a function that returns when a schedule is due.

    Args:
        text: the expression.
        zone: the time zone for cron and at, such as `Europe/Berlin`.
        anchor: the time from which the intervals of a rate count, by default 1970.
        once: whether `at` is allowed, as in a Schedule but not in a Rule.

    Raises:
        ScheduleError: the expression is not valid.
    """
    if match := _RATE.fullmatch(text):
        if (match["value"] == "1") == bool(match["plural"]):
            raise ScheduleError(f"{text}: the unit is singular for 1 and else plural")
        interval = timedelta(**{f"{match['unit']}s": int(match["value"])})
        start = anchor or datetime.fromtimestamp(0, UTC)
        return lambda after: start + interval * max((after - start) // interval + 1, 1)
    place = _zone(zone)
    if once and (match := _AT.fullmatch(text)):
        try:
            moment = datetime.fromisoformat(match["moment"]).replace(tzinfo=place)
        except ValueError as error:
            raise ScheduleError(f"{text}: {error}") from error
        return lambda after: moment if moment > after else None
    if match := _CRON.fullmatch(text):
        return _Cron.parse(match["fields"].split(), text, place).next
    kinds = "rate(5 minutes), cron(0 8 * * ? *)" + (" or at(2026-01-31T08:00:00)" if once else "")
    raise ScheduleError(f"{text} is not a schedule such as {kinds}")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ScheduleError(f"the time zone {name} does not exist") from error


@dataclass(frozen=True)
class _Cron:
    times: Sequence[time]
    day_of_month: str
    months: frozenset[int]
    day_of_week: str
    years: frozenset[int]
    zone: ZoneInfo

    @classmethod
    def parse(cls, fields: Sequence[str], text: str, zone: ZoneInfo) -> "_Cron":
        if len(fields) != 6:
            raise ScheduleError(f"{text}: cron has six fields, not {len(fields)}")
        minutes, hours, day_of_month, months, day_of_week, years = (field.upper() for field in fields)
        if (day_of_month == "?") == (day_of_week == "?"):
            raise ScheduleError(f"{text}: one of day-of-month and day-of-week must be ?, and not both")
        try:
            found = cls(
                [time(hour, minute) for hour in sorted(_values(hours, 0, 23)) for minute in _sorted(minutes)],
                day_of_month,
                _values(months, 1, 12, _MONTHS),
                day_of_week,
                _values(years, 1970, 2199),
                zone,
            )
            found.is_due(date(2024, 2, 1))  # parses the day fields
        except (ValueError, IndexError) as error:
            raise ScheduleError(f"{text}: {error}") from error
        return found

    def next(self, after: datetime) -> datetime | None:
        day = after.astimezone(self.zone).date()
        last = day + _FURTHEST
        while day <= last and day.year <= max(self.years):
            if self.is_due(day):
                for each in self.times:
                    moment = datetime.combine(day, each, self.zone)
                    if moment > after:
                        return moment
            day += timedelta(days=1)
        return None

    def is_due(self, day: date) -> bool:
        """Return whether the schedule is due on a day."""
        days = self._days_of_month(day) if self.day_of_week == "?" else self._days_of_week(day)
        return day.day in days and day.month in self.months and day.year in self.years

    def _days_of_month(self, day: date) -> frozenset[int]:
        last = calendar.monthrange(day.year, day.month)[1]
        if self.day_of_month == "L":
            return frozenset({last})
        if self.day_of_month.endswith("W"):
            (wanted,) = _values(self.day_of_month[:-1], 1, 31)
            return frozenset({_weekday_near(day.replace(day=min(wanted, last)), last)})
        return _values(self.day_of_month, 1, 31)

    def _days_of_week(self, day: date) -> frozenset[int]:
        last = calendar.monthrange(day.year, day.month)[1]
        name, number, nth = self.day_of_week.partition("#")
        is_last = not number and name.endswith("L") and len(name) > 1
        weekdays = {7} if name == "L" else _values(name[:-1] if is_last else name, 1, 7, _DAYS)
        days = [each for each in range(1, last + 1) if _cron_weekday(day.replace(day=each)) in weekdays]
        if number:
            return frozenset(days[int(nth) - 1 : int(nth)])
        return frozenset(days[-1:] if is_last else days)


def _sorted(field: str) -> list[int]:
    return sorted(_values(field, 0, 59))


def _values(field: str, low: int, high: int, names: Sequence[str] = ()) -> frozenset[int]:
    """Return the values of a field: `*`, `1`, `1-5`, `*/5`, `2/10`, `MON,WED`; names count from 1."""
    found: set[int] = set()
    for part in field.split(","):
        span, slash, step = part.partition("/")
        start, dash, end = span.partition("-")
        first = low if span == "*" else _number(start, names)
        final = _number(end, names) if dash else high if span == "*" or slash else first
        if not low <= first <= high or not low <= final <= high:
            raise ScheduleError(f"{part} is not within {low} and {high}")
        if first <= final:
            found.update(range(first, final + 1, int(step or 1)))
        else:  # FRI-MON
            found.update([*range(first, high + 1), *range(low, final + 1)][:: int(step or 1)])
    return frozenset(found)


def _number(text: str, names: Sequence[str]) -> int:
    return names.index(text) + 1 if text in names else int(text)


def _cron_weekday(day: date) -> int:
    """Return 1 for Sunday to 7 for Saturday."""
    return day.isoweekday() % 7 + 1


def _weekday_near(day: date, last: int) -> int:
    """Return the nearest weekday (Monday to Friday) within the month."""
    if day.isoweekday() == 6:
        return day.day - 1 if day.day > 1 else 3
    if day.isoweekday() == 7:
        return day.day + 1 if day.day < last else day.day - 2
    return day.day
