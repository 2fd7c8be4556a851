"""The settlement file of one date: the statements of both providers in one shape of ours.

Owns: the columns of data/settlement/settlement_YYYY-MM-DD.csv; minor units, signed.
"""

from collections.abc import Iterable

from payrail.domain.settlement import tables
from payrail.domain.settlement.lines import StatementLine

COLUMNS = (
    "payment_id",
    "operation_id",
    "type",
    "provider",
    "provider_reference",
    "merchant_id",
    "currency",
    "gross",
    "fee",
    "net",
    "occurred_at",
    "batch_id",
    "value_date",
)


def rendered(lines: Iterable[tuple[str, StatementLine]]) -> tuple[bytes, int]:
    """(bytes, lines) of the file: each line with the batch that its statement is of, sorted by
    batch, reference and type."""
    rows = sorted(lines, key=lambda pair: (pair[0], pair[1].provider_reference, pair[1].type))
    return tables.written(COLUMNS, (_row(line) for _, line in rows)), len(rows)


def _row(line: StatementLine) -> list[object]:
    return [
        line.payment_id,
        line.operation_id,
        line.type,
        line.provider,
        line.provider_reference,
        line.merchant_id,
        line.currency,
        line.gross,
        line.fee,
        line.net,
        line.occurred_at,
        line.batch_id,
        line.value_date,
    ]
