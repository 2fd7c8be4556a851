"""One line of a statement in our own words, whichever provider wrote it, and what may damage one.

Amounts are minor units, signed from our side: a capture is positive, a refund negative.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from msgspec import Struct

from payrail.domain.money import exponent
from payrail.errors import PayRailError

CAPTURE, REFUND, CHARGEBACK, TAKEN_BACK = "capture", "refund", "chargeback", "capture_reversed"
#: A refund that the cardholder's bank sent back; a chargeback that was won, and one after that; a
#: fee for the answer to one, which has no gross.
REFUND_FAILED, CHARGEBACK_REVERSED = "refund_failed", "chargeback_reversed"
SECOND_CHARGEBACK, DISPUTE_FEE = "second_chargeback", "dispute_fee"
#: Types of lines by the file of the ledger that has what they are about; else it is a capture.
REFUNDED = frozenset({REFUND, REFUND_FAILED})
DISPUTED = frozenset({CHARGEBACK, CHARGEBACK_REVERSED, SECOND_CHARGEBACK, DISPUTE_FEE})
#: The rate of a line whose payment is settled in its own currency.
PAR = "1"
#: A line that is longer is no line of a statement.
LINE_CHARS_MAX = 4_096
#: More digits than any amount of ours has; guards against numbers that are made to hurt.
AMOUNT_CHARS_MAX = 24
_AMOUNT = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,3})?", re.ASCII)
_PLAIN = re.compile(r"[ -~]{0,200}", re.ASCII)


class StatementDamaged(PayRailError):
    """A statement or bank file says something it cannot say; names file, line and remedy."""

    def __init__(self, path: str, line: int, why: str) -> None:
        super().__init__(f"{path}:{line}: {why}")
        self.path, self.line, self.why = path, line, why


class ChargeOf(Struct, frozen=True, omit_defaults=True, gc=False):
    """The charge that a line is about, as its provider knows it: what columns show of it."""

    id: str  # the provider's own name for it
    at: str  # ISO, business time
    brand: str = ""
    funding: str = ""
    country: str = ""
    is_available_at_once: bool = False  # its money need not wait for the end of its batch


class StatementLine(Struct, frozen=True, gc=False):
    """A line of a batch. `line` counts from 1, the head of the file included."""

    file: str
    line: int
    provider: str
    batch_id: str
    provider_reference: str
    reference: str  # ours, <payment>.<k>
    operation_id: str
    merchant_id: str
    type: str
    currency: str
    gross: int
    fee: int
    net: int
    occurred_at: str
    value_date: str
    rate: str = PAR
    # Of one that is written; nobody reads it back.
    charge: ChargeOf | None = None
    available_on: str = ""  # a date; empty: the value date

    @property
    def payment_id(self) -> str:
        return self.reference.rpartition(".")[0]

    @property
    def place(self) -> str:
        """What it is known by: each line is one movement of money, though two say the same."""
        return f"{self.file}:{self.line}"

    @property
    def key(self) -> tuple[str, str, str]:
        """What a line is matched on."""
        return self.provider, self.provider_reference, self.type


@cache
def places_of(currency: str) -> int:
    """As `money.exponent`, for files of many lines. Raises ValueError."""
    return exponent(currency)


def major(amount_minor: int, currency: str) -> str:
    """`1099` USD as `10.99`, `500` JPY as `500`."""
    places = places_of(currency)
    sign, size = "-" if amount_minor < 0 else "", abs(amount_minor)
    if places == 0:
        return f"{sign}{size}"
    whole, part = divmod(size, 10**places)
    return f"{sign}{whole}.{part:0{places}d}"


def minor(text: str, currency: str) -> int:
    """`10.99` USD as 1099. Raises ValueError for what is no amount of that currency."""
    if len(text) > AMOUNT_CHARS_MAX or not _AMOUNT.fullmatch(text):
        raise ValueError("an amount is written like 10.99, in major units")
    places = places_of(currency)
    whole, _, part = text.partition(".")
    if len(part) > places:
        raise ValueError(f"an amount in {currency} has at most {places} decimal places")
    size = int(whole.lstrip("-") + part.ljust(places, "0"))
    return -size if text.startswith("-") else size


def plain(text: str) -> str:
    """A text of a statement. Raises ValueError for one that is no name or reference."""
    if not _PLAIN.fullmatch(text):
        raise ValueError("a text is up to 200 printable ASCII characters")
    return text


def text_lines(path: str, lines: Iterable[bytes]) -> Iterator[str]:
    """The lines of a CSV file as text. Raises StatementDamaged for what is none."""
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_CHARS_MAX:
            raise StatementDamaged(path, number, "the line is too long to be one of a statement")
        if b"\0" in line or (b"\r" in line and not line.endswith((b"\r", b"\r\n"))):
            raise StatementDamaged(path, number, "the line holds a control character")
        try:
            yield line.decode("ascii")
        except UnicodeDecodeError:
            raise StatementDamaged(path, number, "the line is not plain ASCII text") from None
