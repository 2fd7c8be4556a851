"""The bank's own file: what really arrived, one line for each batch and currency."""

from collections.abc import Iterable, Iterator, Sequence

from payrail.domain.settlement import tables
from payrail.domain.settlement.cutoffs import is_date
from payrail.domain.settlement.lines import StatementLine, major, minor, plain
from payrail.domain.words.settlement import BankRow

COLUMNS = ("value_date", "amount", "currency", "reference", "counterparty")


def rows_of(lines: Iterable[StatementLine], batch_id: str, value_date: str) -> list[BankRow]:
    """What a batch of these lines pays out, by currency; nothing where it comes to nothing."""
    sums: dict[str, int] = {}
    for line in lines:
        sums[line.currency] = sums.get(line.currency, 0) + line.net
    return [BankRow(value_date, sums[code], code, batch_id) for code in sorted(sums) if sums[code]]


def rendered(provider: str, rows: Sequence[BankRow]) -> bytes:
    """The bank file of these rows."""
    return tables.written(
        COLUMNS,
        (
            [row.value_date, major(row.amount, row.currency), row.currency, row.reference, provider]
            for row in rows
        ),
    )


def read(path: str, data: Iterable[bytes]) -> Iterator[tuple[int, BankRow]]:
    """(line, row) of a bank file. Raises StatementDamaged."""
    table = tables.Table(path, data, COLUMNS[:4])
    for value_date, amount, currency, reference in table.rows():
        try:
            if not is_date(value_date):
                raise ValueError("a date is written YYYY-MM-DD")
            row = BankRow(value_date, minor(amount, currency), currency, plain(reference))
        except ValueError as error:
            raise table.damaged(f"{error}; write the line as the bank does") from None
        yield table.number, row
