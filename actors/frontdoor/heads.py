"""What a command's head and body may not say: keys that are none, and numbers of cards.

Whatever passes here is written to mailboxes and books in clear, so a card number must not.
"""

import hashlib
import re
from typing import Any

from aiohttp import web

from payrail.domain.cards import UNKNOWN, brand_of, find_pans, pan_ok
from payrail.domain.testcards import TEST_CARDS
from payrail.errors import RequestError
from payrail.storage.strict import canonical
from payrail.web.access import Caller

KEY_HEADER = "Idempotency-Key"
_BARE = re.compile(r"[ -~]{1,255}")
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\]){1,255})"')
_ESCAPED = re.compile(r'\\(["\\])')
_PAYMENT = re.compile(r"pi_[a-z0-9]{16}")
_PLAIN_RUN = re.compile(r"(?<![0-9])[0-9]{13,19}(?![0-9])")
#: As it is printed on a card; dates and counters joined by dashes are grouped otherwise.
_PRINTED = re.compile(
    r"(?<![0-9])(?:[0-9]{4}(?:([ -])[0-9]{4})(?:\1[0-9]{4}){2}|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5})"
    r"(?![0-9])"
)
#: A random key, a hash or a UUID: a run of digits inside is chance, unless it is a number that
#: the test cards made known.
_HEX_KEY = re.compile(r"[0-9A-Fa-f]{32,}|(?=[0-9]*[A-Fa-f])[0-9A-Fa-f]{16,}")
#: Lengths that the networks really issue: order numbers and times of other lengths are let pass.
_LENGTHS = {"amex": (15,), "diners": (14, 16), "visa": (13, 16, 19)}
_LENGTHS_OTHERWISE = (16,)


def idempotency_key(request: web.Request) -> str:
    """The key without its quotes. Raises RequestError 400 when it is missing or is none."""
    given = request.headers.getall(KEY_HEADER, [])
    if not given or not given[0]:
        raise RequestError(
            400, "idempotency-key-missing", "Send an Idempotency-Key, new for each thing you want."
        )
    key = _unquoted(given[0]) if len(given) == 1 else None
    if key is None or _holds_card(key):
        raise RequestError(
            400,
            "idempotency-key-invalid",
            "An Idempotency-Key is 1 to 255 printable ASCII characters, bare or in quotes, sent"
            " once, and holds no card number.",
        )
    return key


def command_head(
    request: web.Request, caller: Caller, key: str, given: dict[str, Any]
) -> dict[str, Any]:
    """What every command says about its asker and its request.

    Raises RequestError 422 for a body that holds a card number.
    """
    spelled = must_hold_no_card(given)
    what = f"{request.method}\n{request.path}\n".encode()
    return {
        "merchant_id": caller.merchant_id,
        "user_id": caller.user_id,
        "role": caller.role,
        "idempotency_key": key,
        "request_hash": hashlib.sha256(what + spelled).hexdigest(),
        "fields": given,
        "route": f"{request.method} {request.path}",
    }


def payment_id(request: web.Request) -> str:
    """The payment's id out of the path. Raises RequestError 404 for what cannot be one."""
    given = request.match_info["id"]
    if not _PAYMENT.fullmatch(given):
        raise no_such("payment")
    return given


def no_such(what: str) -> RequestError:
    """The same for what never was and for what belongs to somebody else."""
    return RequestError(404, "not-found", f"There is no such {what}.")


def must_hold_no_card(fields: dict[str, Any]) -> bytes:
    """The canonical spelling of a body. Raises RequestError 422 when a card number stands in it."""
    spelled = canonical(fields)
    if any(_is_issued(number) for number in find_pans(spelled.decode())):
        raise RequestError(
            422,
            "validation-error",
            "A card number stands in the body. Send it to the vault's /tokenize, and the token"
            " here.",
            errors=[{"field": "", "message": "holds a card number"}],
        )
    return spelled


def _unquoted(text: str) -> str | None:
    if text.startswith('"'):
        found = _QUOTED.fullmatch(text)
        text = _ESCAPED.sub(r"\1", found[1]) if found else ""
    return text if _BARE.fullmatch(text) else None


def _holds_card(key: str) -> bool:
    printed = (re.sub("[ -]", "", found[0]) for found in _PRINTED.finditer(key))
    numbers = [*_PLAIN_RUN.findall(key), *printed]
    if _HEX_KEY.fullmatch(key.replace("-", "")):
        return any(number in TEST_CARDS for number in numbers)
    return any(pan_ok(number) and _is_issued(number) for number in numbers)


def _is_issued(number: str) -> bool:
    brand = brand_of(number)
    return brand != UNKNOWN and len(number) in _LENGTHS.get(brand, _LENGTHS_OTHERWISE)
