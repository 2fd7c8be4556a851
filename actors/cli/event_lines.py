"""Events of the outbox: following them, choosing among them, and their lines for people.

Reads: data/outbox/events.jsonl, which need not be there yet.
Never: passes over a line that does not follow the one above.
"""

import select
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from payrail.domain.books import OUTBOX_BOOK
from payrail.domain.event_types import family_or_type
from payrail.domain.money import format_minor
from payrail.runtime.ports import Fs
from payrail.storage.books import Follower
from payrail.storage.lines import without_links

#: How long to wait before looking again: nobody rings for a book.
PAUSE_MS = 100
_GONE = select.POLLERR | select.POLLHUP | select.POLLNVAL
_MONEY, _GOOD, _BAD, _DOUBT, _DIM = "\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[33m", "\x1b[2m"
_OFF = "\x1b[0m"
#: How the last word of a type, or a state, is coloured; all others are plain.
_COLOURS = {
    **dict.fromkeys(("authorized", "captured", "settled", "succeeded", "paid", "won"), _GOOD),
    **dict.fromkeys(("declined", "failed", "lost", "charged_back", "breaker_opened"), _BAD),
    **dict.fromkeys(("unknown", "requires_action", "opened", "breaker_half_opened"), _DOUBT),
}


class _Told(msgspec.Struct):
    """The fields of an event that its line for people shows."""

    type: str
    timestamp: str
    correlation_id: str = ""
    data: dict[str, Any] = {}

    @property
    def object(self) -> dict[str, Any]:
        found = self.data.get("object")
        return found if isinstance(found, dict) else {}


_decode = msgspec.json.Decoder(_Told).decode
Wanted = Callable[[_Told], bool]


def event_lines(fs: Fs, wanted: Wanted, count: int, *, follow: bool) -> Iterator[bytes]:
    """The last `count` events that are wanted, then each that comes. Raises Corrupt."""
    book = Follower(fs, OUTBOX_BOOK)
    seen = (line for _, line in book.read() if wanted(_decode(line)))
    yield from deque(seen, maxlen=count)
    while follow and _has_reader(PAUSE_MS):
        yield from (line for _, line in book.read() if wanted(_decode(line)))


def wanted_events(kinds: Sequence[str], payment: str | None) -> Wanted:
    """Raises ValueError for a type that no event is ever of."""
    families = tuple(family_or_type(kind) for kind in kinds)

    def wanted(told: _Told) -> bool:
        of_kind = not families or f"{told.type}.".startswith(families)
        return of_kind and (payment is None or payment in _payments_of(told.object))

    return wanted


def _payments_of(about: dict[str, Any]) -> tuple[object, ...]:
    """The payment that an object is, or belongs to."""
    return tuple(about.get(name) for name in ("id", "payment_intent", "payment_id", "payment"))


def as_it_goes_out(line: bytes) -> str:
    """The event as it goes over HTTP."""
    return without_links(line).decode()


def for_people(*, in_colour: bool) -> Callable[[bytes], str]:
    def colour(text: str, code: str) -> str:
        return f"{code}{text}{_OFF}" if in_colour and code and text.strip() else text

    def readable(line: bytes) -> str:
        told = _decode(line)
        about = told.object
        state = str(about.get("state") or about.get("status") or "")
        columns = (
            colour(told.timestamp[:19].replace("T", " ") + told.timestamp[19:23], _DIM),
            colour(f"{told.type:<28}", _COLOURS.get(told.type.rpartition(".")[2], "")),
            f"{about.get('id') or '-':<20}",
            colour(f"{_amount(about):>16}", _MONEY),
            colour(f"{state or '-':<16}", _COLOURS.get(state, "")),
            colour(told.correlation_id or "-", _DIM),
        )
        return "  ".join(columns)

    return readable


def _amount(about: dict[str, Any]) -> str:
    """With its decimals, as people write it."""
    amount, currency = about.get("amount"), about.get("currency")
    if not isinstance(amount, int) or not isinstance(currency, str):
        return "-"
    return format_minor(amount, currency)


def _has_reader(pause_ms: int) -> bool:
    """Wait a while; False as soon as nobody reads our output any more, also when nothing comes."""
    try:
        output = sys.stdout.fileno()
    except (OSError, ValueError):  # A test's own stream: it is always read.
        output = -1
    ends = select.poll()
    if output >= 0:
        ends.register(output, 0)
    return not any(event & _GONE for _, event in ends.poll(pause_ms))
