"""Milliseconds since 1970 UTC to and from the ISO form that stands in every line.

`2026-02-09T12:00:00.123Z`: always UTC, always three decimals, so that text sorts as time does.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
#: Most of what is read was made by `iso`, and many times lie in one second.
_OUR_CHARS = len("2026-02-09T12:00:00.123Z")


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def iso(ms: int) -> str:
    """The ISO form of a time in milliseconds."""
    seconds, rest = divmod(ms, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


#: What a time may be that is compared with those in lines: years of four digits, from 1970 on.
_WRITTEN_MS_MAX = 253_402_300_799_999
TIME_SPELLING = "must be an ISO time with its zone, such as 2026-02-09T12:00:00Z"


def as_written(text: str) -> str:
    """A time that people gave, in the form of our lines, with which it then compares as text.
    Raises ValueError with the spelling."""
    try:
        ms = parse_iso(text)
    except ValueError:
        raise ValueError(TIME_SPELLING) from None
    return iso(min(max(ms, 0), _WRITTEN_MS_MAX))


def parse_iso(text: str) -> int:
    """Milliseconds of an ISO time with zone. Raises ValueError, also when the zone is missing."""
    if len(text) == _OUR_CHARS and text[13] == text[16] == ":" and text[19::4] == ".Z":
        millis = text[20:23]
        if millis.isascii() and millis.isdigit():
            return _second_ms(text[:19]) + int(millis)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time needs its zone, for example 2026-02-09T12:00:00.123Z")
    return (moment - _EPOCH) // _MS


@lru_cache(maxsize=64)
def _second_ms(text: str) -> int:
    return (datetime.fromisoformat(f"{text}Z") - _EPOCH) // _MS
