"""Times as they stand in lines: what is read in haste is what the slow way reads."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from payrail.domain.timestamps import iso, parse_iso

SPELLINGS = (
    "2026-02-09T12:00:00.123Z",
    "2026-02-09T12:00:00Z",
    "2026-02-09 12:00:00.123Z",
    "2026-02-09T12:00:00.123+01:00",
    "20260209T120000.123.123Z",
    "2026-W07-1T12:00:00.123Z",
    "2026-02-30T12:00:00.123Z",
    "2026-02-09T12:00:00.\u0661\u0662\u0663Z",  # digits of another script
)


def slowly(text: str) -> int | None:
    """Milliseconds as the library reads them; None for what is no time with its zone."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def in_haste(text: str) -> int | None:
    try:
        return parse_iso(text)
    except ValueError:
        return None


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_time_is_read_as_the_library_reads_it(spelling: str):
    """Also one with a few characters wrong: what the library refuses is refused here."""
    chance = Random(spelling)
    for _ in range(400):
        text = list(spelling)
        for _ in range(chance.randint(0, 3)):
            text[chance.randrange(len(text))] = chance.choice("0123456789:-.TZ+W ")

        assert in_haste("".join(text)) == slowly("".join(text)), "".join(text)


def test_what_is_written_is_read_back():
    """Every millisecond comes back, in the first and in the last year that a line can tell."""
    chance = Random(1)
    times = [0, 253_402_300_799_999, *(chance.randrange(253_402_300_800_000) for _ in range(2_000))]

    assert [parse_iso(iso(ms)) for ms in times] == times
