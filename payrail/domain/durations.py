"""Durations as people write them: `90s`, `5m`, `2h`, `3d`, `1h30m`."""

import re

_UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000}
_SPELLED = re.compile(r"(?:([0-9]{1,6})d)?(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,8})s)?")
#: The same for documents: at least one part, and not all of them zeros.
DURATION_PATTERN = (
    r"^(?=.*[1-9])(?=.)(?:[0-9]{1,6}d)?(?:[0-9]{1,6}h)?(?:[0-9]{1,6}m)?(?:[0-9]{1,8}s)?$"
)
#: Nobody waits longer for a dispute, a hold or a payout; more is a slip of the finger.
DURATION_MS_MAX = 400 * _UNIT_MS["d"]
SPELLING = "must be a duration from 1s to 400d, such as 90s, 5m, 2h, 3d or 1h30m"


def duration_ms(text: str) -> int:
    """The milliseconds of a duration, larger units first. Raises ValueError with the spelling."""
    found = _SPELLED.fullmatch(text)
    parts = zip(found.groups(), _UNIT_MS.values(), strict=True) if found else ()
    total_ms = sum(int(count) * unit_ms for count, unit_ms in parts if count)
    if not 0 < total_ms <= DURATION_MS_MAX:
        raise ValueError(SPELLING)
    return total_ms


def spelled(duration_ms: int) -> str:
    """A duration as people write it, in whole seconds: `3d2h`, `-5s`, `0s`."""
    rest_ms, parts = abs(duration_ms), ""
    for unit, unit_ms in _UNIT_MS.items():
        count, rest_ms = divmod(rest_ms, unit_ms)
        parts += f"{count}{unit}" if count else ""
    sign = "-" if parts and duration_ms < 0 else ""
    return f"{sign}{parts or '0s'}"
