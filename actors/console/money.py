"""Amounts for people, and what the books say by currency. Pure; no float."""

from collections.abc import Iterable
from dataclasses import dataclass

from actors.console.shapes import Balance
from payrail.domain.money import format_minor
from payrail.domain.postings import turned


def amount_text(amount_minor: int, currency: str) -> str:
    """`1,234.50` of 123450 minor units of USD; the bare number of a currency nobody knows."""
    try:
        plain = format_minor(abs(amount_minor), currency).partition(" ")[0]
    except ValueError:
        plain = str(abs(amount_minor))
    whole, dot, part = plain.partition(".")
    sign = "−" if amount_minor < 0 else ""
    return f"{sign}{int(whole):,}{dot}{part}"


@dataclass(frozen=True, slots=True)
class Books:
    """One currency of the books, in minor units. `off`: what all accounts sum to; 0 when right."""

    currency: str
    due: int  # from the providers
    bank: int
    owed: int  # to merchants
    earned: int
    cost: int
    off: int


def books_of(balances: Iterable[Balance]) -> list[Books]:
    """By currency, sorted."""
    by_currency: dict[str, list[Balance]] = {}
    for balance in balances:
        by_currency.setdefault(balance.currency, []).append(balance)
    return [_books(currency, rows) for currency, rows in sorted(by_currency.items())]


def _books(currency: str, rows: list[Balance]) -> Books:
    def total(begin: str, end: str = "") -> int:
        return sum(
            row.amount
            for row in rows
            if row.account.startswith(begin) and row.account.endswith(end)
        )

    return Books(
        currency=currency,
        due=total("asset:", ":receivable") + total("asset:", ":payout_in_transit"),
        bank=total("asset:bank"),
        owed=total("liability:"),
        earned=total("income:"),
        cost=total("expense:"),
        off=sum(_signed(row) for row in rows),
    )


def _signed(row: Balance) -> int:
    """Debits positive, credits negative, as the ledger has them."""
    return turned(row.account, row.amount)
