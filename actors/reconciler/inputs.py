"""What the reconciler reads: a prefix of the ledger, providers' statements, the bank's files.

Owns nothing. A file that cannot be used raises StatementDamaged with its path and line, or
LineDamaged for a line of the ledger. Never: compares, or writes.
"""

import errno
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from payrail.domain.books import LEDGER_BOOK
from payrail.domain.settlement import bank, statements
from payrail.domain.settlement.lines import StatementDamaged, StatementLine
from payrail.domain.settlement.matching import Batch
from payrail.domain.settlement.ours import decode_seq, split
from payrail.domain.words.settlement import BankRow, BatchClosed, Prefix
from payrail.runtime.ports import Fs

#: So much of the ledger is in memory at once.
READ_BYTES = 4 * 1024 * 1024
#: So much behind a prefix is looked at: what was booked together stands together.
BEYOND_BYTES = 64 * 1024
#: A folder, a link or a closed file stands where a statement should: people have to see to it.
_NO_FILE = frozenset((errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM))


class Ledger:
    """A prefix of a file of the ledger: its lines, and their hash once all were read."""

    def __init__(self, fs: Fs, size: int, path: str = LEDGER_BOOK) -> None:
        self._fs, self._size, self._path, self._hash = fs, size, path, hashlib.sha256()

    @property
    def sha256(self) -> str:
        """In hex, of what was read so far."""
        return self._hash.hexdigest()

    def lines(self) -> Iterator[bytes]:
        """Each line without its end. Only one reading makes the hash that of the prefix."""
        return split(self._chunks())

    def beyond(self) -> Iterator[bytes]:
        """The few lines just behind the prefix, as far as they are whole."""
        file = self._fs.open(self._path)
        try:
            whole, _, _ = file.pread(self._size, BEYOND_BYTES).rpartition(b"\n")
        finally:
            file.close()
        yield from whole.split(b"\n")

    def _chunks(self) -> Iterator[bytes]:
        if not self._size:
            return
        file = self._fs.open(self._path)
        try:
            at = 0
            while at < self._size:
                data = file.pread(at, min(READ_BYTES, self._size - at))
                if not data:
                    return  # shorter than it was: the hash tells
                self._hash.update(data)
                at += len(data)
                yield data
        finally:
            file.close()


def ledger_end(fs: Fs, path: str = LEDGER_BOOK) -> tuple[int, int, str]:
    """(bytes, last seq, hash) of the whole lines of a file of the ledger now."""
    if not fs.exists(path):
        return 0, 0, hashlib.sha256().hexdigest()
    digest, seen, last, rest = hashlib.sha256(), 0, b"", b""
    file = fs.open(path)
    try:
        while data := file.pread(seen + len(rest), READ_BYTES):
            whole, _, rest = (rest + data).rpartition(b"\n")
            if whole:
                digest.update(whole + b"\n")
                seen += len(whole) + 1
                last = whole.rpartition(b"\n")[2]
    finally:
        file.close()
    return seen, decode_seq(last).seq if last else 0, digest.hexdigest()


def prefix_of(fs: Fs, path: str) -> Prefix:
    """The same as it is kept."""
    size, seq, sha256 = ledger_end(fs, path)
    return Prefix(seq, size, sha256)


def batch_of(told: BatchClosed) -> Batch:
    """A batch in the words of the rules."""
    return Batch(
        told.provider,
        told.batch_id,
        told.date,
        told.opened_ms,
        told.closed_ms,
        told.path,
        told.bank_path,
    )


def statement_lines(fs: Fs, batch: Batch) -> Iterator[StatementLine]:
    """What the provider says about a batch. Raises StatementDamaged, also while it is read."""
    return statements.read(batch.provider, batch.path, _rows(fs, batch.path))


def _rows(fs: Fs, path: str) -> Iterator[bytes]:
    """The lines of a provider's file. Raises StatementDamaged when it is not there."""
    data = _whole(fs, path)
    return (line.removesuffix(b"\r") for line in data.removesuffix(b"\n").split(b"\n") if data)


def _whole(fs: Fs, path: str) -> bytes:
    """A file that people may have moved or replaced. Raises StatementDamaged for what trying again
    does not mend; OSError for what it may."""
    try:
        return fs.read(path)
    except FileNotFoundError:
        why = "the file is missing"
    except OSError as error:
        if error.errno not in _NO_FILE:
            raise
        why = f"the file cannot be read ({error.strerror})"
    raise StatementDamaged(path, 0, f"{why}; put it back from the provider")


def bank_rows(fs: Fs, today: Sequence[Batch]) -> list[BankRow]:
    """What the bank says about this date. Raises StatementDamaged."""
    paths = sorted({batch.bank_path for batch in today})
    return [row for path in paths for _, row in bank.read(path, _rows(fs, path))]


def files_read(
    fs: Fs,
    date: str,
    batches: Sequence[BatchClosed],
    *,
    through_seq: int,
    ledger_sha256: str,
    claims: Sequence[tuple[str, Prefix]],
) -> list[dict[str, Any]]:
    """What the report of `date` was made of: each file with its hash, as the report shows it."""
    ledger = {"path": LEDGER_BOOK, "through_seq": through_seq, "sha256": ledger_sha256}
    paths = [told.path for told in batches]
    paths += [told.bank_path for told in batches if told.date == date]
    files = [
        {"path": path, "sha256": hashlib.sha256(fs.read(path)).hexdigest()}
        for path in sorted(set(paths))
    ]
    rest = [
        {"path": path, "through_seq": prefix.through_seq, "sha256": prefix.sha256}
        for path, prefix in claims
        if prefix.size_bytes
    ]
    return [ledger, *rest, *files]
