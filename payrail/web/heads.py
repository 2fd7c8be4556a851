"""What the head of a request says: whose key it carries and which id it is about.

Never: looks for a key in the query, where it would end up in histories and logs.
"""

import re

from aiohttp import web

from payrail.errors import RequestError

_BEARER = re.compile(r"bearer +([!-~]{1,256})", re.IGNORECASE | re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)


def bearer(request: web.BaseRequest) -> str:
    """The key of `Authorization: Bearer …`. Raises RequestError 401 when there is no such one."""
    given = request.headers.getall("Authorization", ())
    found = _BEARER.fullmatch(given[0].strip()) if len(given) == 1 else None
    if found is None:
        raise unauthenticated("Send one key as `Authorization: Bearer <key>`.")
    return found[1]


def unauthenticated(detail: str) -> RequestError:
    """The refusal of a request whose asker is not known."""
    return RequestError(
        401, "unauthenticated", detail, headers={"WWW-Authenticate": 'Bearer realm="payrail"'}
    )


def path_id(request: web.Request, name: str = "id") -> str:
    """An id out of the path. Raises RequestError 404 for text that no id of ours can be, so that
    `..%2F` and the like never reach a file name or a book."""
    return plain_id(request.match_info.get(name, ""))


def plain_id(given: str) -> str:
    """An id that came some other way, such as in a query. Raises RequestError 404 likewise."""
    if not _ID.fullmatch(given) or ".." in given:
        raise RequestError(404, "not-found", "There is nothing under this id.")
    return given
