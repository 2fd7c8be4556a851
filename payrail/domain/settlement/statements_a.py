"""providerA's statement: an itemised payout reconciliation, as card processors give it.

Signed amounts in major units, `net = gross - fee`, times in UTC. The last lines are the payouts,
one for each currency: all lines of a file and currency come to nothing.
"""

from payrail.domain.settlement import cells
from payrail.domain.settlement.lines import (
    CAPTURE,
    CHARGEBACK,
    CHARGEBACK_REVERSED,
    DISPUTE_FEE,
    REFUND,
    REFUND_FAILED,
    SECOND_CHARGEBACK,
    TAKEN_BACK,
    StatementLine,
    major,
    minor,
    plain,
)
from payrail.domain.timestamps import iso, parse_iso
from payrail.domain.words.settlement import BankRow

COLUMNS = (
    "automatic_payout_id",
    "automatic_payout_effective_at_utc",
    "balance_transaction_id",
    "created_utc",
    "available_on_utc",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "description",
    "exchange_rate",
    "customer_id",
    "payment_intent_id",
    "charge_id",
    "charge_created_utc",
    "payment_method_type",
    "card_brand",
    "card_funding",
    "card_country",
    "payment_metadata[reference]",
    "payment_metadata[merchant]",
)
#: Columns that are read, in the order in which `read` takes them.
NEEDED = (
    "automatic_payout_id",
    "automatic_payout_effective_at_utc",
    "created_utc",
    "currency",
    "gross",
    "fee",
    "net",
    "reporting_category",
    "source_id",
    "description",
    "exchange_rate",
    "payment_metadata[reference]",
    "payment_metadata[merchant]",
)
TYPES = {
    CAPTURE: "charge",
    REFUND: "refund",
    REFUND_FAILED: "refund_failure",
    CHARGEBACK: "dispute",
    CHARGEBACK_REVERSED: "dispute_reversal",
    SECOND_CHARGEBACK: "dispute_second",
    DISPUTE_FEE: "fee",
    TAKEN_BACK: "charge_failure",
}
_PAYOUT = "payout"
_KINDS = {name: kind for kind, name in TYPES.items()}


def written(line: StatementLine) -> list[str]:
    """The row of a line."""
    code, charge = line.currency, line.charge
    return [
        line.batch_id,
        f"{line.value_date} 00:00:00",
        _transaction(line),
        _time(line.occurred_at),
        f"{line.available_on or line.value_date} 00:00:00",
        code.lower(),
        major(line.gross, code),
        major(line.fee, code),
        major(line.net, code),
        TYPES[line.type],
        line.provider_reference,
        line.operation_id,
        line.rate,
        "",
        line.payment_id,
        *((charge.id, _time(charge.at), "card") if charge is not None else ("", "", "")),
        *((charge.brand, charge.funding, charge.country) if charge is not None else ("", "", "")),
        line.reference,
        line.merchant_id,
    ]


def paid_out(row: BankRow, closed_at: str) -> list[str]:
    """The row of a payout: what the other lines of its currency come to, taken out again."""
    code, amount = row.currency, -row.amount
    name = f"{row.reference}-{code}".lower()
    found = dict.fromkeys(COLUMNS, "") | {
        "automatic_payout_id": row.reference,
        "automatic_payout_effective_at_utc": f"{row.value_date} 00:00:00",
        "balance_transaction_id": f"txn_{name}",
        "created_utc": _time(closed_at),
        "available_on_utc": f"{row.value_date} 00:00:00",
        "currency": code.lower(),
        "gross": major(amount, code),
        "fee": major(0, code),
        "net": major(amount, code),
        "reporting_category": _PAYOUT,
        "source_id": f"po_{name}",
        "description": "Payout to the bank",
        "exchange_rate": "1",
    }
    return [*found.values()]


def read(path: str, number: int, row: list[str]) -> StatementLine | BankRow:
    """The line or payout of a row. Raises ValueError."""
    (batch, effective, created, code, gross, fee, net, category, source, description,
     rate, reference, merchant) = row  # fmt: skip
    currency = code.upper()
    if category == _PAYOUT:
        paid = -minor(net, currency)
        return BankRow(cells.date(effective[:10]), paid, currency, plain(batch))
    return StatementLine(
        file=path,
        line=number,
        provider="providerA",
        batch_id=plain(batch),
        provider_reference=plain(source),
        reference=plain(reference),
        operation_id=plain(description),
        merchant_id=plain(merchant),
        type=cells.known(_KINDS, category, "reporting_category"),
        currency=currency,
        gross=minor(gross, currency),
        fee=minor(fee, currency),
        net=minor(net, currency),
        occurred_at=iso(parse_iso(f"{created[:10]}T{created[11:]}Z")),
        value_date=cells.date(effective[:10]),
        rate=cells.rate(rate),
    )


def _time(at: str) -> str:
    """An ISO time as A writes it: its columns say that they are UTC."""
    return f"{at[:10]} {at[11:-1]}"


def _transaction(line: StatementLine) -> str:
    """A name of A's own for each line; the lines of one dispute are several."""
    name = f"txn_{line.provider_reference.partition('_')[2]}"
    return name if line.type in (CAPTURE, REFUND, CHARGEBACK) else f"{name}_{TYPES[line.type]}"
