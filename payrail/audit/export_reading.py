"""Read the ledger for an export: three files as one book in the order of `seq`, as it stood.

The book is gone through twice, at the sizes that the files had: the first time to judge and count
it, the second time to write it. So the head of an export can name every account, and a book of any
length needs no more memory than its accounts do.
Never: exports a line that is damaged, or one that stands behind a missing one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from heapq import merge
from typing import NamedTuple

import msgspec
from msgspec import Struct

from payrail.audit.reading import Part
from payrail.audit.statement import LEDGER_FILES
from payrail.domain.ledger import Posting, must_balance
from payrail.domain.money import exponent
from payrail.errors import Corrupt
from payrail.runtime.ports import Fs
from payrail.storage.lines import is_whole

ROOTS = ("asset", "liability", "equity", "income", "expense")


class Entry(Struct, frozen=True):
    """As much of a ledger entry as tools for bookkeeping take."""

    seq: int
    event_id: str
    type: str
    ref: str
    merchant_id: str | None
    timestamp: str
    postings: list[Posting]
    correlation_id: str
    causation_id: str


class Found(NamedTuple):
    """An entry, the bytes of its line, and where they stand."""

    entry: Entry
    line: bytes
    path: str
    number: int


@dataclass(slots=True)
class Survey:
    """What a book holds, up to its end or to the first entry that is not there yet."""

    entry_count: int = 0
    posted_count: int = 0  # entries that move money
    through_seq: int = 0
    stopped_at: Found | None = None  # the first entry behind a missing one
    first_day: date = date.max  # of entries that move money, UTC
    last_day: date = date.min
    #: account -> currency -> minor units, debit positive
    accounts: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def currencies(self) -> list[str]:
        return sorted({currency for sums in self.accounts.values() for currency in sums})


_decode = msgspec.json.Decoder(Entry).decode


class LedgerBook:
    """The ledger's files at the sizes they had when this was made. Close it."""

    def __init__(self, fs: Fs) -> None:
        self._fs = fs
        self._parts: Sequence[Part] = [Part(fs, path) for path in LEDGER_FILES]
        self.survey = Survey()

    def judge(self) -> Survey:
        """Go through all of it. Raises Corrupt for damage, with file and line.

        A house at work may have grown one file between the looks at two: an entry that is missing
        is looked for once more. One that is still missing is damage.
        """
        first = self._surveyed()
        if first.stopped_at is not None:
            for part in self._parts:
                part.grow(self._fs)
            again = self._surveyed()
            if again.through_seq == first.through_seq:
                raise _gap(first.stopped_at, first.through_seq)
        return self.survey

    def entries(self) -> Iterator[Found]:
        """What was judged, in the order of `seq`."""
        for found in self._found():
            if found.entry.seq > self.survey.through_seq:
                return
            yield found

    def close(self) -> None:
        for part in self._parts:
            part.close()

    def _found(self) -> Iterator[Found]:
        return merge(*map(_read, self._parts), key=lambda found: found.entry.seq)

    def _surveyed(self) -> Survey:
        self.survey = survey = Survey()
        for found in self._found():
            if found.entry.seq != survey.through_seq + 1:
                survey.stopped_at = found
                break
            _count(survey, found)
        survey.accounts = dict(sorted(survey.accounts.items()))
        return survey


def _read(part: Part) -> Iterator[Found]:
    for number, _, line in part.lines():
        if not is_whole(line):
            raise Corrupt(part.path, number, "the line's bytes do not match its hash")
        try:
            entry = _decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Corrupt(part.path, number, f"not a ledger entry: {error}") from error
        yield Found(entry, line, part.path, number)


def _count(survey: Survey, found: Found) -> None:
    """Take in an entry. Raises Corrupt for one whose postings no tool could take."""
    entry = found.entry
    survey.entry_count += 1
    survey.through_seq = entry.seq
    if not entry.postings:
        return
    survey.posted_count += 1
    try:
        must_balance(entry.postings)
        day = date.fromisoformat(entry.timestamp[:10])
        for posting in entry.postings:
            _add(survey, posting)
    except ValueError as error:
        raise Corrupt(found.path, found.number, str(error)) from error
    survey.first_day, survey.last_day = min(survey.first_day, day), max(survey.last_day, day)


def _add(survey: Survey, posting: Posting) -> None:
    sums = survey.accounts.get(posting.account)
    if sums is None:
        _must_be_account(posting.account)
        sums = survey.accounts[posting.account] = {}
    if posting.currency not in sums:
        exponent(posting.currency)
    sums[posting.currency] = sums.get(posting.currency, 0) + posting.amount


def _must_be_account(account: str) -> None:
    """Raises ValueError for a name that another tool would read as something else."""
    root, *parts = account.split(":")
    is_plain = all(part.isprintable() and part == part.strip() for part in parts)
    if root not in ROOTS or not all(parts) or not parts or not is_plain or ";" in account:
        raise ValueError(f"an account begins with one of {', '.join(ROOTS)} and has plain parts")
    if "  " in account:
        raise ValueError("an account's name has no two blanks in a row")


def _gap(behind: Found, seq: int) -> Corrupt:
    what = f"entry {behind.entry.seq} does not follow entry {seq}"
    return Corrupt(behind.path, behind.number, what)
