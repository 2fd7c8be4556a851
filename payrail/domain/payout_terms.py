"""When merchants are paid: once a day at 06:00 UTC, at their bank at noon of the next working day.

All of it is business time. A payout of a Friday, Saturday or Sunday arrives on Monday; holidays of
banks are not known here. Never: decides how much.
"""

from datetime import UTC, date, datetime, time, timedelta

#: After A's batch of midnight was reconciled, with hours to spare; before banks open.
RUN_AT = time(6, 0)
#: When the money is at the merchant's bank, and our bank tells us.
PAID_AT = time(12, 0)
#: A bank sends a payout back within days; longer than this nobody here remembers it for.
RETURN_DAYS = 30
_SATURDAY = 5


def next_run_ms(after_ms: int) -> int:
    """The first daily run later than `after_ms`."""
    today = day_of(after_ms)
    run_ms = _at(today, RUN_AT)
    return run_ms if run_ms > after_ms else _at(today + timedelta(days=1), RUN_AT)


def value_date_of(created_ms: int) -> date:
    """The working day after the payout was made."""
    day = day_of(created_ms) + timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day += timedelta(days=1)
    return day


def paid_ms(value_date: str) -> int:
    """When our bank tells of it."""
    return _at(date.fromisoformat(value_date), PAID_AT)


def is_over(value_date: str, at_ms: int) -> bool:
    """Whether no bank sends it back any more."""
    return date.fromisoformat(value_date) + timedelta(days=RETURN_DAYS) < day_of(at_ms)


def day_of(at_ms: int) -> date:
    """The day of a business time, in UTC."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).date()


def _at(day: date, at: time) -> int:
    return int(datetime.combine(day, at, UTC).timestamp()) * 1000
