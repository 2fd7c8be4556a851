"""The words of a question's query, read strictly: pages, whole numbers, times.

What cannot be meant is 422 that names the parameter and the remedy. Never: repeats a value.
"""

import re
from enum import StrEnum
from typing import TypeVar

from aiohttp import web

from payrail.domain.timestamps import TIME_SPELLING, as_written
from payrail.web.questions import bad_query

__all__ = ["bad_query", "limit_of", "one_of", "payment_of", "place_of", "time_of"]

E = TypeVar("E", bound=StrEnum)

_PAYMENT = re.compile(r"pi_[a-z0-9]{16}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)


def limit_of(request: web.Request, default: int, most: int) -> int:
    """How long a page may be."""
    limit = place_of(request, "limit", default)
    if not 1 <= limit <= most:
        raise bad_query("limit", f"must be from 1 to {most}")
    return limit


def place_of(request: web.Request, name: str, default: int) -> int:
    """Where to go on, or a like number of ours."""
    given = request.query.get(name)
    if given is None:
        return default
    if not _NUMBER.fullmatch(given):
        raise bad_query(name, "must be a whole number as it was given by us")
    return int(given)


def one_of(request: web.Request, name: str, kinds: type[E]) -> E | None:
    """One of a closed list of words, None when it is left out."""
    given = request.query.get(name)
    try:
        return None if given is None else kinds(given)
    except ValueError:
        known = ", ".join(kind.value for kind in kinds)
        raise bad_query(name, f"must be one of {known}") from None


def payment_of(request: web.Request) -> str | None:
    """The payment that rows must be about, None when none was given."""
    given = request.query.get("payment_intent")
    if given is not None and not _PAYMENT.fullmatch(given):
        raise bad_query("payment_intent", "must be a payment's id, such as pi_0123456789abcdef")
    return given


def time_of(request: web.Request, name: str) -> str | None:
    """The time as lines have it, None when none was given."""
    given = request.query.get(name)
    if given is None:
        return None
    if not given.isascii():  # Python takes any sign between date and time.
        raise bad_query(name, TIME_SPELLING)
    try:
        return as_written(given)
    except ValueError as error:
        raise bad_query(name, str(error)) from None
