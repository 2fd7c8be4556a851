"""providerB's statement: settlement details, as acquirers give them.

Debit and credit stand apart without a sign, the cost in its parts, times in the provider's zone.
The last lines are the payouts, one for each currency: net debits and credits of a file come to
nothing.
"""

from payrail.domain.fees import PROVIDER_TARIFFS
from payrail.domain.money import exponent, half_even
from payrail.domain.settlement import cells
from payrail.domain.settlement.cutoffs import from_local, local_text
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
from payrail.domain.timestamps import iso
from payrail.domain.words.settlement import BankRow

_COMPANY = "PayRail"
COLUMNS = (
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
    "Payment Method Variant",
    "Modification Merchant Reference",
    "Batch Number",
    "Value Date",
)
#: Columns that are read, in the order in which `read` takes them.
NEEDED = (
    "Merchant Account",
    "Merchant Reference",
    *COLUMNS[5:20],
    *COLUMNS[21:],
)
TYPES = {
    CAPTURE: "Settled",
    REFUND: "Refunded",
    REFUND_FAILED: "RefundedReversed",
    CHARGEBACK: "Chargeback",
    CHARGEBACK_REVERSED: "ChargebackReversed",
    SECOND_CHARGEBACK: "SecondChargeback",
    DISPUTE_FEE: "Fee",
    TAKEN_BACK: "SettledReversed",
}
_PAYOUT = "MerchantPayout"
_KINDS = {name: kind for kind, name in TYPES.items()}
#: Brands by the names that this provider has for ways to pay.
METHODS = {"mastercard": "mc", "unionpay": "cup"}


def written(line: StatementLine) -> list[str]:
    """The row of a line."""
    code, charge = line.currency, line.charge
    created, zone = local_text("providerB", line.occurred_at)
    method = METHODS.get(charge.brand, charge.brand) if charge is not None else ""
    return [
        _COMPANY,
        line.merchant_id,
        charge.id if charge is not None else line.provider_reference,
        line.reference,
        method or "card",
        created,
        zone,
        TYPES[line.type],
        line.provider_reference,
        code,
        *_apart(line.gross, code),
        line.rate,
        code,
        *_apart(line.net, code),
        *(major(part, code) for part in _cost(line)),
        f"{method}{charge.funding}" if charge is not None else "",
        line.operation_id,
        line.batch_id,
        line.value_date,
    ]


def paid_out(row: BankRow, closed_at: str) -> list[str]:
    """The row of a payout: what the other lines of its currency come to, taken out again."""
    created, zone = local_text("providerB", closed_at)
    debit, credit = _apart(-row.amount, row.currency)
    found = dict.fromkeys(COLUMNS, "") | {
        "Company Account": _COMPANY,
        "Creation Date": created,
        "TimeZone": zone,
        "Type": _PAYOUT,
        "Modification Reference": f"{row.reference}-{row.currency}",
        "Net Currency": row.currency,
        "Net Debit (NC)": debit,
        "Net Credit (NC)": credit,
        "Batch Number": row.reference,
        "Value Date": row.value_date,
    }
    return [*found.values()]


def read(path: str, number: int, row: list[str]) -> StatementLine | BankRow:
    """The line or payout of a row. Raises ValueError."""
    (merchant, reference, created, zone, kind, modification, currency, debit, credit, rate,
     net_currency, net_debit, net_credit, commission, markup, scheme, interchange, operation,
     batch, value_date) = row  # fmt: skip
    net = _together(net_debit, net_credit, net_currency)
    if kind == _PAYOUT:
        return BankRow(cells.date(value_date), -net, net_currency, plain(batch))
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
        type=cells.known(_KINDS, kind, "Type"),
        currency=currency,
        gross=_together(debit, credit, currency),
        fee=sum(minor(cost, currency) for cost in costs if cost),
        net=net,
        occurred_at=iso(from_local("providerB", created, zone)),
        value_date=cells.date(value_date),
        rate=cells.rate(rate),
    )


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
    """(commission, markup, scheme fees, interchange): the parts of the fee. It is rounded once, so
    that the markup takes what rounding leaves. A fee of a dispute has no parts."""
    if not line.fee or line.type != CAPTURE:
        return line.fee, 0, 0, 0
    tariff = PROVIDER_TARIFFS["providerB"]
    shares = dict(tariff.shares)
    fixed = tariff.fixed_minor[exponent(line.currency)]
    gross = abs(line.gross)
    interchange = half_even(gross, shares["interchange"])
    scheme = half_even(gross, shares["scheme"])
    return fixed, line.fee - fixed - interchange - scheme, scheme, interchange
