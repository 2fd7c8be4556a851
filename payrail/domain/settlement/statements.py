"""The statements of the two providers, each in its own columns.

A: an itemised payout reconciliation as card processors give it: signed major units,
`net = gross - fee`. B: settlement details as acquirers give them: debit and credit apart, the cost
in its parts, times in the provider's zone.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache

from payrail.domain.fees import PROVIDER_TARIFFS
from payrail.domain.money import exponent, half_even
from payrail.domain.settlement import tables
from payrail.domain.settlement.cutoffs import from_local, is_date, local_text
from payrail.domain.settlement.lines import (
    CAPTURE,
    CHARGEBACK,
    CHARGEBACK_REVERSED,
    DISPUTE_FEE,
    PAR,
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

A_COLUMNS = (
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
    "payment_metadata[reference]",
    "payment_metadata[merchant]",
)
B_COLUMNS = (
    "Company Account",
    "Merchant Account",
    "Psp Reference",
    "Merchant Reference",
    "Payment Method",
    "Creation Date",
    "TimeZone",
    "Type",
    "Modification Reference",
    "Gross Currency",
    "Gross Debit (GC)",
    "Gross Credit (GC)",
    "Exchange Rate",
    "Net Currency",
    "Net Debit (NC)",
    "Net Credit (NC)",
    "Commission (NC)",
    "Markup (NC)",
    "Scheme Fees (NC)",
    "Interchange (NC)",
    "Modification Merchant Reference",
    "Value Date",
    "Batch Number",
)
_A_TYPES = {
    CAPTURE: "charge",
    REFUND: "refund",
    REFUND_FAILED: "refund_failure",
    CHARGEBACK: "dispute",
    CHARGEBACK_REVERSED: "dispute_reversal",
    SECOND_CHARGEBACK: "dispute_second",
    DISPUTE_FEE: "fee",
    TAKEN_BACK: "charge_failure",
}
_B_TYPES = {
    CAPTURE: "Settled",
    REFUND: "Refunded",
    REFUND_FAILED: "RefundedReversed",
    CHARGEBACK: "Chargeback",
    CHARGEBACK_REVERSED: "ChargebackReversed",
    SECOND_CHARGEBACK: "SecondChargeback",
    DISPUTE_FEE: "Fee",
    TAKEN_BACK: "SettledReversed",
}
_A_READ = {name: kind for kind, name in _A_TYPES.items()}
_B_READ = {name: kind for kind, name in _B_TYPES.items()}
_A_NEEDED = (*(name for name in A_COLUMNS if name != "balance_transaction_id"),)
_B_NEEDED = (*B_COLUMNS[1:2], *B_COLUMNS[3:4], *B_COLUMNS[5:])


def rendered(provider: str, lines: Sequence[StatementLine]) -> bytes:
    """The statement file of these lines, as `provider` writes it."""
    if provider == "providerA":
        return tables.written(A_COLUMNS, map(_a_row, lines))
    return tables.written(B_COLUMNS, map(_b_row, lines))


def read(provider: str, path: str, data: Iterable[bytes]) -> Iterator[StatementLine]:
    """The lines of a statement file. Raises StatementDamaged at one that cannot be."""
    columns, parse = _FORMATS[provider]
    table = tables.Table(path, data, columns)
    for row in table.rows():
        try:
            yield parse(path, table.number, row)
        except (ValueError, KeyError, OverflowError) as error:
            why = str(error) if isinstance(error, ValueError) else "a value is not known here"
            raise table.damaged(f"{why}; write the line as the provider does") from None


def _a_row(line: StatementLine) -> list[str]:
    code = line.currency
    return [
        line.batch_id,
        f"{line.value_date} 00:00:00",
        _transaction(line),
        line.occurred_at,
        f"{line.value_date} 00:00:00",
        code.lower(),
        major(line.gross, code),
        major(line.fee, code),
        major(line.net, code),
        _A_TYPES[line.type],
        line.provider_reference,
        line.operation_id,
        line.rate,
        line.reference,
        line.merchant_id,
    ]


def _transaction(line: StatementLine) -> str:
    """A name of A's own for each line; the lines of one dispute are several."""
    name = f"txn_{line.provider_reference.partition('_')[2]}"
    return name if line.type in (CAPTURE, REFUND, CHARGEBACK) else f"{name}_{_A_TYPES[line.type]}"


def _a_line(path: str, number: int, row: list[str]) -> StatementLine:
    (batch, _effective, created, available, code, gross, fee, net, category, source, description,
     rate, reference, merchant) = row  # fmt: skip
    currency = code.upper()
    return StatementLine(
        file=path,
        line=number,
        provider="providerA",
        batch_id=plain(batch),
        provider_reference=plain(source),
        reference=plain(reference),
        operation_id=plain(description),
        merchant_id=plain(merchant),
        type=_known(_A_READ, category, "reporting_category"),
        currency=currency,
        gross=minor(gross, currency),
        fee=minor(fee, currency),
        net=minor(net, currency),
        occurred_at=iso(parse_iso(created)),
        value_date=_date(available[:10]),
        rate=_rate(rate),
    )


def _b_row(line: StatementLine) -> list[str]:
    code = line.currency
    created, zone = local_text("providerB", line.occurred_at)
    return [
        "PayRail",
        line.merchant_id,
        line.provider_reference,
        line.reference,
        "card",
        created,
        zone,
        _B_TYPES[line.type],
        line.provider_reference,
        code,
        *_apart(line.gross, code),
        line.rate,
        code,
        *_apart(line.net, code),
        *(major(part, code) for part in _cost(line)),
        line.operation_id,
        line.value_date,
        line.batch_id,
    ]


def _b_line(path: str, number: int, row: list[str]) -> StatementLine:
    (merchant, reference, created, zone, kind, modification, currency, debit, credit, rate,
     net_currency, net_debit, net_credit, commission, markup, scheme, interchange, operation,
     value_date, batch) = row  # fmt: skip
    if net_currency != currency:
        raise ValueError("gross and net are of different currencies, which we have not agreed on")
    costs = (commission, markup, scheme, interchange)
    return StatementLine(
        file=path,
        line=number,
        provider="providerB",
        batch_id=plain(batch),
        provider_reference=plain(modification),
        reference=plain(reference),
        operation_id=plain(operation),
        merchant_id=plain(merchant),
        type=_known(_B_READ, kind, "Type"),
        currency=currency,
        gross=_together(debit, credit, currency),
        fee=sum(minor(cost, currency) for cost in costs if cost),
        net=_together(net_debit, net_credit, currency),
        occurred_at=iso(from_local("providerB", created, zone)),
        value_date=_date(value_date),
        rate=_rate(rate),
    )


_FORMATS: dict[str, tuple[Sequence[str], Callable[[str, int, list[str]], StatementLine]]] = {
    "providerA": (_A_NEEDED, _a_line),
    "providerB": (_B_NEEDED, _b_line),
}


def _apart(amount_minor: int, currency: str) -> tuple[str, str]:
    """(debit, credit): one of them is empty."""
    text = major(abs(amount_minor), currency)
    return (text, "") if amount_minor < 0 else ("", text)


def _together(debit: str, credit: str, currency: str) -> int:
    taken = minor(debit, currency) if debit else 0
    given = minor(credit, currency) if credit else 0
    if taken < 0 or given < 0 or (debit and credit):
        raise ValueError("an amount stands either as debit or as credit, without a sign")
    return given - taken


def _cost(line: StatementLine) -> tuple[int, int, int, int]:
    """(commission, markup, scheme fees, interchange): the parts of B's fee. The fee is rounded
    once, so that the markup takes what rounding leaves. A fee of a dispute has no parts."""
    if not line.fee or line.type != CAPTURE:
        return line.fee, 0, 0, 0
    tariff = PROVIDER_TARIFFS["providerB"]
    shares = dict(tariff.shares)
    fixed = tariff.fixed_minor[exponent(line.currency)]
    gross = abs(line.gross)
    interchange = half_even(gross, shares["interchange"])
    scheme = half_even(gross, shares["scheme"])
    return fixed, line.fee - fixed - interchange - scheme, scheme, interchange


def _known(table: dict[str, str], name: str, column: str) -> str:
    if name not in table:
        raise ValueError(f"{column} must be one of {', '.join(table)}")
    return table[name]


@lru_cache(maxsize=64)
def _date(text: str) -> str:
    if not is_date(text):
        raise ValueError("a date is written YYYY-MM-DD")
    return text


@lru_cache(maxsize=64)
def _rate(text: str) -> str:
    whole, _, part = text.partition(".")
    if not (0 < len(text) <= 12 and (whole + part).isascii() and (whole + part).isdigit()):
        raise ValueError("an exchange rate is a plain decimal number, 1 for none")
    return text.rstrip("0").rstrip(".") if part else text


__all__ = ["A_COLUMNS", "B_COLUMNS", "PAR", "read", "rendered"]
