"""When schedules are due."""

from datetime import UTC, datetime

import pytest

from helpers.local_aws.events.schedule_expression import ScheduleError, parse

START = datetime(2026, 1, 30, 10, 17, 30, tzinfo=UTC)  # a Friday


def moments(text: str, count: int = 3, zone: str = "UTC", after: datetime = START) -> list[str]:
    following, found = parse(text, zone, START), []
    for _ in range(count):
        moment = following(after)
        if moment is None:
            break
        after = moment
        found.append(moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate(5 minutes)", ["2026-01-30 10:22", "2026-01-30 10:27", "2026-01-30 10:32"]),
        ("rate(1 day)", ["2026-01-31 10:17", "2026-02-01 10:17", "2026-02-02 10:17"]),
        ("at(2026-03-01T08:00:00)", ["2026-03-01 08:00"]),
        ("at(2026-01-01T08:00:00)", []),
        ("cron(15 10 * * ? *)", ["2026-01-31 10:15", "2026-02-01 10:15", "2026-02-02 10:15"]),
        ("cron(0/20 10-11 ? * * 2026)", ["2026-01-30 10:20", "2026-01-30 10:40", "2026-01-30 11:00"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-30 18:00", "2026-02-02 18:00", "2026-02-03 18:00"]),
        ("cron(0 8 ? * FRI-SUN *)", ["2026-01-31 08:00", "2026-02-01 08:00", "2026-02-06 08:00"]),
        ("cron(0 8 1 * ? *)", ["2026-02-01 08:00", "2026-03-01 08:00", "2026-04-01 08:00"]),
        ("cron(0 8 L * ? *)", ["2026-01-31 08:00", "2026-02-28 08:00", "2026-03-31 08:00"]),
        ("cron(0 8 1W * ? *)", ["2026-02-02 08:00", "2026-03-02 08:00", "2026-04-01 08:00"]),
        ("cron(0 8 ? * 6#3 *)", ["2026-02-20 08:00", "2026-03-20 08:00", "2026-04-17 08:00"]),
        ("cron(0 8 ? * 2#5 *)", ["2026-03-30 08:00", "2026-06-29 08:00", "2026-08-31 08:00"]),
        ("cron(0 8 ? * 6L *)", ["2026-02-27 08:00", "2026-03-27 08:00", "2026-04-24 08:00"]),
        ("cron(0 8 29 FEB ? *)", ["2028-02-29 08:00", "2032-02-29 08:00", "2036-02-29 08:00"]),
        ("cron(0 8 1 1 ? 2027,2029)", ["2027-01-01 08:00", "2029-01-01 08:00"]),
        ("cron(0 8 1 1 ? 2020)", []),
    ],
)
def test_the_next_moments(text: str, expected: list[str]) -> None:
    assert moments(text) == expected


def test_a_time_zone_has_summer_time() -> None:
    after = datetime(2026, 3, 27, 12, tzinfo=UTC)
    assert moments("cron(0 8 * * ? *)", 2, "Europe/Berlin", after) == ["2026-03-28 07:00", "2026-03-29 06:00"]
    assert moments("at(2026-07-01T08:00:00)", 1, "Europe/Berlin") == ["2026-07-01 06:00"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rate(1 minutes)", "singular for 1"),
        ("rate(5 minute)", "singular for 1"),
        ("rate(0 days)", "is not a schedule such as"),
        ("every day", "is not a schedule such as"),
        ("cron(0 8 * * *)", "six fields, not 5"),
        ("cron(0 8 * * * *)", "one of day-of-month and day-of-week must be"),
        ("cron(60 8 * * ? *)", "60 is not within 0 and 59"),
        ("cron(0 8 ? * MOO *)", "MOO"),
        ("at(2026-13-01T08:00:00)", "month must be in"),
    ],
)
def test_an_invalid_schedule_is_an_error(text: str, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        parse(text)


def test_rules_have_no_single_moments_and_zones_must_exist() -> None:
    with pytest.raises(ScheduleError, match="is not a schedule such as"):
        parse("at(2026-03-01T08:00:00)", once=False)
    with pytest.raises(ScheduleError, match="the time zone Europe/Nowhere does not exist"):
        parse("cron(0 8 * * ? *)", "Europe/Nowhere")
