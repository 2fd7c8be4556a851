"""What the ledger says of one payment, and of all accounts together."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from msgspec import Struct

from payrail.audit.reading import Part
from payrail.domain.books import LEDGER_BOOK, REFUNDS_BOOK
from payrail.domain.ledger import Posting
from payrail.errors import Corrupt
from payrail.runtime.ports import Fs

#: The three files of the ledger, which share one gapless `seq`.
LEDGER_FILES = (LEDGER_BOOK, REFUNDS_BOOK, "data/ledger/disputes.jsonl")


class Row(Struct, kw_only=True):
    """An entry as a statement shows it."""

    seq: int
    event_id: str
    type: str
    ref: str
    merchant_id: str | None
    timestamp: str
    amount: int  # minor units
    currency: str
    data: dict[str, object]
    postings: list[Posting]
    correlation_id: str
    causation_id: str
    file: str = ""
    line: int = 0

    def is_about(self, ident: str) -> bool:
        """Whether it is an entry of that object, or of another about it."""
        return ident in (self.ref, self.data.get("payment_id"), self.data.get("payment_intent"))


@dataclass(frozen=True, slots=True)
class Balance:
    """Account by account, and what all of them sum to: zero in each currency."""

    accounts: dict[str, dict[str, int]]  # account -> currency -> minor units, debit positive
    trial: dict[str, int]  # currency -> minor units

    @property
    def is_zero(self) -> bool:
        return not any(self.trial.values())


_decode_row = msgspec.json.Decoder(Row).decode


def rows(fs: Fs) -> Iterator[Row]:
    """Every whole entry, file by file. Raises Corrupt at a line that is none."""
    for path in LEDGER_FILES:
        part = Part(fs, path)
        try:
            for number, _, line in part.lines():
                yield _row(path, number, line)
        finally:
            part.close()


def _row(path: str, number: int, line: bytes) -> Row:
    try:
        row = _decode_row(line)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Corrupt(path, number, f"not a ledger entry: {error}") from error
    row.file, row.line = path, number
    return row


def statement(fs: Fs, ident: str | None) -> list[Row]:
    """The entries about `ident`, or all for None, in the order of `seq`."""
    found = [row for row in rows(fs) if ident is None or row.is_about(ident)]
    return sorted(found, key=lambda row: row.seq)


def balance(fs: Fs, merchant_id: str | None = None, *, at: str | None = None) -> Balance:
    """All accounts, or what the entries of one merchant moved; with `at`, a time as lines have it,
    what entries up to then moved."""
    accounts: dict[str, dict[str, int]] = {}
    trial: dict[str, int] = {}
    for row in rows(fs):
        if merchant_id not in (None, row.merchant_id) or (at is not None and row.timestamp > at):
            continue
        for posting in row.postings:
            account = accounts.setdefault(posting.account, {})
            account[posting.currency] = account.get(posting.currency, 0) + posting.amount
            trial[posting.currency] = trial.get(posting.currency, 0) + posting.amount
    return Balance(dict(sorted(accounts.items())), dict(sorted(trial.items())))
