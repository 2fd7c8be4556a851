"""Bodies of requests: JSON objects of bounded size, read strictly and checked against a model.

Checks, in this order: content type (415), size (413), JSON (400), object and model (422).
Never: repeats what was sent. A field's name is told, since it is what has to be mended.
"""

import asyncio
from typing import Any, TypeVar

from aiohttp import hdrs, web
from pydantic import BaseModel, ConfigDict, ValidationError

from payrail.domain.cards import mask_pans
from payrail.errors import MalformedJson, RequestError
from payrail.storage import strict

#: Far more than any body of ours; a message to an actor may not be longer either.
BODY_BYTES_MAX = 16 * 1024
#: How long a client may take to send so little.
_BODY_SECONDS_MAX = 10.0
#: A body with more mistakes than this is not a slip; the first ones tell enough.
_ERRORS_MAX = 20
_FIELD_CHARACTERS_MAX = 100
#: pydantic's messages for these repeat a value that was sent.
_TELLING = frozenset({"union_tag_invalid", "assertion_error"})


class Body(BaseModel):
    """Base of every request body: no unknown fields, no conversions, no inputs in its errors."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


B = TypeVar("B", bound=BaseModel)


async def read_json(
    request: web.Request,
    model: type[B],
    bytes_max: int = BODY_BYTES_MAX,
    *,
    empty_ok: bool = False,
) -> B:
    """The request's body as `model`. Raises RequestError."""
    return checked(model, await read_object(request, bytes_max, empty_ok=empty_ok))


async def read_object(
    request: web.Request, bytes_max: int = BODY_BYTES_MAX, *, empty_ok: bool = False
) -> dict[str, Any]:
    """The body's JSON object as it was sent; `empty_ok`: no body at all is `{}`."""
    if empty_ok and not request.can_read_body:
        return {}
    _must_be_json(request)
    data = await read_bytes(request, bytes_max)
    if empty_ok and not data:
        return {}
    try:
        found = strict.parse(data)
    except MalformedJson as error:
        raise RequestError(400, "malformed-json", str(error)) from None
    if not isinstance(found, dict):
        raise _invalid([{"field": "", "message": "The body must be a JSON object."}])
    return found


async def read_bytes(request: web.Request, bytes_max: int = BODY_BYTES_MAX) -> bytes:
    """The raw body. Raises RequestError 413 as soon as it is known to be longer, 408 when it does
    not come."""
    if (request.content_length or 0) > bytes_max:
        raise _too_large(bytes_max)
    content = request.content
    if content.is_eof():  # It came with its head: nothing to wait for.
        data = content.read_nowait()
        if len(data) > bytes_max:
            raise _too_large(bytes_max)
        return data
    try:
        async with asyncio.timeout(_BODY_SECONDS_MAX):
            return await _read_slowly(request, bytes_max)
    except TimeoutError:
        raise RequestError(
            408, "request-timeout", "The body did not come in time.", retryable=True
        ) from None


def checked(model: type[B], fields: dict[str, Any]) -> B:
    """`fields` as `model`. Raises RequestError 422 that names each field and what it must be."""
    try:
        return model.model_validate(fields, strict=True)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise _invalid([_complaint(dict(one)) for one in found[:_ERRORS_MAX]]) from None


async def read_checked(
    request: web.Request, model: type[B], bytes_max: int, *, empty_ok: bool = False
) -> dict[str, Any]:
    """The body as it was sent, once `model` has taken it. Raises RequestError 4xx."""
    given = await read_object(request, bytes_max, empty_ok=empty_ok)
    checked(model, given)
    return given


async def _read_slowly(request: web.Request, bytes_max: int) -> bytes:
    data = bytearray()
    while chunk := await request.content.readany():
        data += chunk
        if len(data) > bytes_max:
            raise _too_large(bytes_max)
    return bytes(data)


def _must_be_json(request: web.Request) -> None:
    kind = request.headers.get(hdrs.CONTENT_TYPE, "").partition(";")[0].strip().lower()
    if kind != "application/json" or hdrs.CONTENT_ENCODING in request.headers:
        raise RequestError(
            415, "unsupported-media-type", "Send `Content-Type: application/json`, not compressed."
        )


def _complaint(found: dict[str, Any]) -> dict[str, str]:
    message = "is not one of the known kinds" if found["type"] in _TELLING else found["msg"]
    field = mask_pans(".".join(str(part) for part in found["loc"]))
    return {
        "field": field[:_FIELD_CHARACTERS_MAX],
        "message": message.removeprefix("Value error, "),
    }


def _invalid(errors: list[dict[str, str]]) -> RequestError:
    return RequestError(
        422, "validation-error", "The body does not have the shape it must have.", errors=errors
    )


def _too_large(bytes_max: int) -> RequestError:
    return RequestError(413, "body-too-large", f"A body here has at most {bytes_max} bytes.")
