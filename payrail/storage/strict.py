"""The one parser for bytes from outside: HTTP bodies, webhooks, lines that people write by hand.

Refused, in this order: too long, a byte order mark, not UTF-8, nested too deep, not JSON, a number
of too many digits, a number that is not finite, a key twice, a control character or half a
surrogate pair in a string or key, also when written as an escape. U+0085, U+2028 and U+2029 are
among them: other tools take them for the end of a line.
Never: says a value in an error, since it may be a card number.
"""

import json
import math
import re
from typing import Any

from payrail.errors import MalformedJson

BYTES_MAX = 1_048_576
DEPTH_MAX = 32
DIGITS_MAX = 4300  # Above it, making a number out of text takes time that grows with its square.

_BOM = b"\xef\xbb\xbf"
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_REFUSED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
#: A key that may be named in an error: it reads as a word, so it is no card number.
_WORD = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}[0-9]{0,2}")


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, before its keys are compared."""


def parse(data: bytes, *, depth_max: int = DEPTH_MAX, bytes_max: int = BYTES_MAX) -> Any:
    """The value of strict JSON. Raises MalformedJson, which says what is wrong and where."""
    if len(data) > bytes_max:
        raise MalformedJson(f"longer than {bytes_max} bytes")
    if data.startswith(_BOM):
        raise MalformedJson("begins with a byte order mark; send UTF-8 without one")
    text = _decoded(data)
    _check_depth(text, depth_max)
    return _checked(_loaded(text), "$")


def canonical(value: Any) -> bytes:
    """One spelling for equal values: sorted keys, no spaces, UTF-8. For hashes of requests."""
    spelled = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return spelled.encode()


# The causes of these errors hold the whole document, so they are left behind before ours is raised.


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start
    raise MalformedJson(f"not UTF-8 at byte {at}")


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_Pairs, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        what, at = error.msg.partition(":")[0], error.pos
    raise MalformedJson(f"not JSON at character {at}: {what}")


def _whole_number(digits: str) -> int:
    if len(digits) > DIGITS_MAX:
        raise MalformedJson(f"a number has more than {DIGITS_MAX} digits")
    return int(digits)


def _check_depth(text: str, depth_max: int) -> None:
    """Count brackets outside strings, before a parser that would recurse for each of them."""
    depth = 0
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
        elif found[0] in "]}":
            depth -= 1
        if depth > depth_max:
            raise MalformedJson(
                f"nested deeper than {depth_max} levels at character {found.start()}"
            )


def _checked(value: Any, where: str) -> Any:
    if isinstance(value, _Pairs):
        return _object(value, where)
    if isinstance(value, list):
        return [_checked(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, str):
        _check_string(value, "the string", where)
    if isinstance(value, float) and not math.isfinite(value):
        raise MalformedJson(f"the number at {where} is not finite")
    return value


def _object(pairs: _Pairs, where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        _check_string(key, "a key", where)
        inner = f"{where}.{key if _WORD.fullmatch(key) else '?'}"
        if key in found:
            raise MalformedJson(f"the key {inner} is there twice")
        found[key] = _checked(value, inner)
    return found


def _check_string(text: str, what: str, where: str) -> None:
    refused = _REFUSED.search(text)
    if refused is not None:
        raise MalformedJson(f"{what} at {where} has U+{ord(refused[0]):04X}, which is not allowed")
