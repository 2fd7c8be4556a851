"""The words of a question's query, read strictly: pages, whole numbers, times.

What cannot be meant is 422 that names the parameter and the remedy. Never: repeats a value.
"""

import re

from aiohttp import web

from payrail.domain.timestamps import TIME_SPELLING, as_written
from payrail.errors import RequestError

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


def bad_query(name: str, message: str) -> RequestError:
    """422 that names the parameter; never repeats its value."""
    return RequestError(
        422,
        "validation-error",
        f"The query's {name} {message}.",
        errors=[{"field": name, "message": message}],
    )
