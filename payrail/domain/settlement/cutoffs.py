"""When a provider's batch ends, in business time: A at midnight UTC, B at 17:00 in Amsterdam.

A batch's date is the day, in the provider's own zone, of the last moment in it.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from payrail.domain.timestamps import parse_iso

DAY_MS = 86_400_000
#: An unsettled capture is expected for this long after the cut-off that it was due at.
GRACE_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class CutOffRule:
    """Local time of day in a zone. Neither lies in an hour that a change of clocks skips."""

    zone: str
    at: time


RULES = {
    "providerA": CutOffRule("UTC", time(0, 0)),
    "providerB": CutOffRule("Europe/Amsterdam", time(17, 0)),
}


@cache
def zone_of(provider: str) -> ZoneInfo:
    """The provider's own zone. Raises KeyError for an unknown provider."""
    return ZoneInfo(RULES[provider].zone)


def next_cut_off_ms(provider: str, after_ms: int) -> int:
    """The first cut-off later than `after_ms`."""
    rule, zone = RULES[provider], zone_of(provider)
    day = _local(provider, after_ms).date()
    while True:
        found = datetime.combine(day, rule.at, zone).astimezone(UTC)
        found_ms = int(found.timestamp()) * 1000
        if found_ms > after_ms:
            return found_ms
        day += timedelta(days=1)


def date_of(provider: str, closed_ms: int) -> str:
    """The date of a batch that ends before `closed_ms`."""
    return _local(provider, closed_ms - 1).date().isoformat()


def overdue_ms(provider: str, captured_ms: int) -> int:
    """From when on a capture that is in no statement is missing."""
    return next_cut_off_ms(provider, captured_ms) + GRACE_MS


def is_date(text: str) -> bool:
    """Whether this is a day as files are named: YYYY-MM-DD."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def local_text(provider: str, at: str) -> tuple[str, str]:
    """(time with milliseconds, abbreviation of the zone) of an ISO time, in the provider's zone."""
    at_ms = parse_iso(at)
    local = _local(provider, at_ms)
    return f"{local:%Y-%m-%d %H:%M:%S}.{at_ms % 1000:03d}", local.strftime("%Z")


def from_local(provider: str, text: str, abbreviation: str) -> int:
    """Milliseconds of a local time; the abbreviation tells summer from winter in the hour that
    comes twice. Raises ValueError."""
    naive = datetime.fromisoformat(text)
    if naive.tzinfo is not None:
        raise ValueError("a local time has no offset")
    for fold in (0, 1):
        local = naive.replace(tzinfo=zone_of(provider), fold=fold)
        if local.strftime("%Z") == abbreviation:
            whole = int(local.replace(microsecond=0).timestamp()) * 1000
            return whole + local.microsecond // 1000
    raise ValueError(f"{abbreviation[:8]!r} is no time zone of {provider} at that time")


def _local(provider: str, at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone_of(provider))
