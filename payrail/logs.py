"""Logs: one JSON line an event, with the correlation id of what it was done for.

Owns: data/logs/<actor>.jsonl, through the stream that it is given. What is logged passes one last
wall: card numbers and keys are masked at any depth, fields that name a secret are dropped, errors
are told without the values of their variables and refused shapes without what was sent.
Never: stops an actor because a log cannot be written.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Protocol

import msgspec
import structlog
from pydantic import ValidationError

from payrail.domain.cards import find_pans, mask_pans
from payrail.runtime.ports import File

#: Fields that are dropped, wherever they stand.
FORBIDDEN = frozenset({"number", "cvc", "cvv", "pan", "secret", "authorization"})
_TEXT_CHARACTERS_MAX = 4_096
_ITEMS_MAX = 200
_DEPTH_MAX = 12
_FRAMES_MAX = 20
_CAUSES_MAX = 4
#: Shorter integers are times in milliseconds or amounts, never cards.
_CARD_LIKE_MIN = 10**13
#: What proves a key of ours, signs a webhook or answers a challenge; the id before that proof
#: may be told.
_KEY = re.compile(
    r"((?:sk|pk)_[a-z]{1,16}_(?:[A-Za-z0-9_-]{1,64}_)?)[0-9a-f]{32,64}|(whsec_)[A-Za-z0-9+/=]{16,}"
    r"|(chl_)[a-z2-7]{32}"
)
_KEYS_BEGIN = ("sk_", "pk_", "whsec_", "chl_")

#: Set once per request and once per message; every line logged under it carries it.
correlation: ContextVar[str | None] = ContextVar("correlation", default=None)


class Stream(Protocol):
    """Where lines go: an unbuffered binary stream, or `LogFile`."""

    def write(self, data: bytes, /) -> object: ...


class LogFile:
    """A file of the house as a stream."""

    def __init__(self, file: File) -> None:
        self._file = file

    def write(self, data: bytes, /) -> object:
        return self._file.append(data)


class _Sink:
    """What structlog calls a logger: writes finished lines, each with one write."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def msg(self, line: bytes) -> None:
        try:
            self._stream.write(line)
        except OSError:
            pass  # A full disk is told by what must be written, not by the log.

    debug = info = warning = error = critical = msg


class _Bridge(logging.Handler):
    """Lines of libraries that log the common way; theirs are sentences, so they stand in `text`."""

    def __init__(self, log: Any) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level = "error" if record.levelno >= logging.ERROR else "warning"
        getattr(self._log, level)(
            "library.said", logger=record.name, text=record.getMessage(), exc_info=record.exc_info
        )


def make_logger(actor: str, stream: Stream, *, level: int = logging.INFO) -> Any:
    """A logger of one actor: `log.info("payment.captured", payment_id=…, amount_minor=…)`."""
    return structlog.wrap_logger(
        _Sink(stream),
        processors=_processors(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        actor=actor,
    ).bind()


def configure_logging(actor: str, stream: Stream, *, level: int = logging.INFO) -> Any:
    """As `make_logger`, for the whole process: libraries that log are led here as well."""
    log = make_logger(actor, stream, level=level)
    root = logging.getLogger()
    for old in [handler for handler in root.handlers if isinstance(handler, _Bridge)]:
        root.removeHandler(old)
    root.addHandler(_Bridge(log))
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    return log


def masked(text: str) -> str:
    """`text` without card numbers and without what makes a key one: people paste both anywhere."""
    if any(beginning in text for beginning in _KEYS_BEGIN):
        text = _KEY.sub(lambda found: f"{found[found.lastindex or 0]}***", text)
    return mask_pans(text)


def cleaned(value: Any, depth: int = 0) -> Any:
    """`value` as builtins, safe to write: see the top of this file."""
    if isinstance(value, str):
        return _cleaned_text(value)
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if abs(value) < _CARD_LIKE_MIN else _cleaned_number(value)
    if depth >= _DEPTH_MAX:
        return "…"
    if isinstance(value, Mapping):
        return _cleaned_mapping(value, depth)
    if isinstance(value, list | tuple | set | frozenset):
        return [cleaned(item, depth + 1) for item in list(value)[:_ITEMS_MAX]]
    if isinstance(value, bytes):
        return cleaned(value.decode("utf-8", "replace"), depth)
    if isinstance(value, BaseException):
        return _message_of(value)
    return f"<{type(value).__name__}>"  # Its repr could tell anything.


def told(error: BaseException) -> dict[str, Any]:
    """An error for a log or a dead letter: type, message, where, and its causes."""
    chain: list[dict[str, Any]] = []
    current: BaseException | None = error
    while current is not None and len(chain) < _CAUSES_MAX:
        chain.append(
            {
                "type": type(current).__name__,
                "message": _message_of(current),
                "where": _where(current.__traceback__),
            }
        )
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)
    return {**chain[0], "causes": chain[1:]} if len(chain) > 1 else chain[0]


def _processors() -> list[Any]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _with_correlation,
        _with_error,
        _with_wall,
    ]


def _with_correlation(_: Any, __: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    current = correlation.get()
    if current is not None:
        line.setdefault("correlation_id", current)
    return line


def _with_error(_: Any, __: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Turn `exc_info` (an error, True, or what `sys.exc_info()` gives) into `error`."""
    given = line.pop("exc_info", None)
    error = sys.exc_info()[1] if given is True else given
    error = error[1] if isinstance(error, tuple) else error
    if isinstance(error, BaseException):
        line["error"] = told(error)
    return line


def _with_wall(_: Any, __: str, line: MutableMapping[str, Any]) -> bytes:
    ordered = {name: line.pop(name) for name in ("at", "level", "event") if name in line}
    return msgspec.json.encode(cleaned({**ordered, **line})) + b"\n"


def _cleaned_mapping(value: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    return {
        name: cleaned(item, depth + 1)
        for name, item in ((cleaned(str(key)), value[key]) for key in list(value)[:_ITEMS_MAX])
        if name.lower() not in FORBIDDEN
    }


def _cleaned_text(value: str) -> str:
    """Masked before it is cut, so that no number is cut in two; lone surrogates become `?`."""
    text = masked(value[: 2 * _TEXT_CHARACTERS_MAX])[:_TEXT_CHARACTERS_MAX]
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _cleaned_number(value: int) -> int | str:
    """A long integer: masked when it is a card number, as text when JSON readers would round it."""
    text = str(value) if abs(value) < 10**40 else "<int>"
    if find_pans(text):
        return mask_pans(text)
    return value if abs(value) < 2**63 else text


def _message_of(error: BaseException) -> str:
    """What the error says; a refused shape tells fields and rules, never what was sent."""
    if isinstance(error, ValidationError):
        found = error.errors(include_input=False, include_url=False, include_context=False)
        text = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found)
        return _cleaned_text(text)
    try:
        return _cleaned_text(str(error))
    except Exception:
        return "<an error that cannot be told>"


def _where(frames: TracebackType | None) -> list[str]:
    """The innermost frames, outermost first: file, line, function; never their variables."""
    stack = traceback.extract_tb(frames)[-_FRAMES_MAX:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in stack]
