"""The statements of the two providers: written whole, read line by line by the names of columns.

Each provider's own columns stand in `statements_a` and `statements_b`. A file holds the lines of a
batch and, last, what it pays out: payouts are no movements of ours, so who reads lines never meets
one. Never: says what a line means for a payment.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from payrail.domain.settlement import statements_a, statements_b, tables
from payrail.domain.settlement.lines import StatementLine
from payrail.domain.words.settlement import BankRow

A_COLUMNS, B_COLUMNS = statements_a.COLUMNS, statements_b.COLUMNS
_FORMATS = {"providerA": statements_a, "providerB": statements_b}


def rendered(
    provider: str,
    lines: Iterable[StatementLine],
    paid: Sequence[BankRow] = (),
    closed_at: str = "1970-01-01T00:00:00.000Z",
) -> bytes:
    """The statement file of these lines, as `provider` writes it; `paid` leaves it for the bank."""
    form = _FORMATS[provider]
    paid_rows = (form.paid_out(row, closed_at) for row in paid)
    return tables.written(form.COLUMNS, chain(map(form.written, lines), paid_rows))


def read(provider: str, path: str, data: Iterable[bytes]) -> Iterator[StatementLine]:
    """The lines of a statement file. Raises StatementDamaged at one that cannot be."""
    return (found for found in _read(provider, path, data) if isinstance(found, StatementLine))


def payouts(provider: str, path: str, data: Iterable[bytes]) -> Iterator[BankRow]:
    """What a statement file pays out. Raises StatementDamaged as `read` does."""
    return (found for found in _read(provider, path, data) if isinstance(found, BankRow))


def _read(provider: str, path: str, data: Iterable[bytes]) -> Iterator[StatementLine | BankRow]:
    form = _FORMATS[provider]
    table = tables.Table(path, data, form.NEEDED)
    for row in table.rows():
        try:
            yield form.read(path, table.number, row)
        except (ValueError, KeyError, OverflowError) as error:
            why = str(error) if isinstance(error, ValueError) else "a value is not known here"
            raise table.damaged(f"{why}; write the line as the provider does") from None
