"""Which payments a list wants: every filter of `GET /payment-intents`, as the query has it.

Filters are joined by "and"; both ends of a range belong to it. `email` is the whole address and `q`
a part of the id, of the customer's name or email or of a value of the metadata, both in any case.
What a row tells is compared first; the payment's own line is read for those that are left.
Never: repeats a value that was refused.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from actors.frontdoor.queries import bad_query, one_of, time_of
from actors.frontdoor.reads import Row, Words
from payrail.domain.money import AMOUNT_MINOR_MAX, known_currency
from payrail.domain.payment_view import PaymentState
from payrail.domain.providers import public_name

#: Their names, as the contract has them.
FILTERS = (
    "merchant",
    "state",
    "provider",
    "currency",
    "amount_min",
    "amount_max",
    "last4",
    "email",
    "created_from",
    "created_to",
    "q",
)
_TEXT_MAX = 100
_AMOUNT = re.compile(r"[0-9]{1,8}", re.ASCII)
_LAST4 = re.compile(r"[0-9]{4}", re.ASCII)
_MERCHANT = re.compile(r"m_[A-Za-z0-9_-]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFilter:
    """What is asked for; None: anything. `email` and `text` are case-folded."""

    merchant_id: str | None = None
    state: PaymentState | None = None
    provider: str | None = None
    currency: str | None = None
    amount_minor_min: int | None = None
    amount_minor_max: int | None = None
    last4: str | None = None
    created_from: str | None = None
    created_to: str | None = None
    email: str | None = None
    text: str | None = None

    def wants(self, row: Row, words: Callable[[Row], Words]) -> bool:
        """Whether the list has this payment; `words` reads its line, and only if it must."""
        if not self._wants_row(row):
            return False
        if self.email is None and (self.text is None or self.text in row.id.casefold()):
            return True
        said = words(row)
        if self.email is not None and _folded(said.email) != self.email:
            return False
        return self.text is None or _is_in(self.text, (row.id, *said.all))

    def _wants_row(self, row: Row) -> bool:
        return (
            self.merchant_id in (None, row.merchant_id)
            and self.state in (None, row.state)
            and self.provider in (None, row.provider)
            and self.currency in (None, row.currency)
            and self.last4 in (None, row.last4)
            and (self.amount_minor_min is None or row.amount >= self.amount_minor_min)
            and (self.amount_minor_max is None or row.amount <= self.amount_minor_max)
            and (self.created_from is None or row.created_at >= self.created_from)
            and (self.created_to is None or row.created_at <= self.created_to)
        )


def payment_filter(request: web.Request) -> PaymentFilter:
    """The filter that the query asks for. Raises RequestError 422."""
    low, high = _amount(request, "amount_min"), _amount(request, "amount_max")
    if low is not None and high is not None and low > high:
        raise bad_query("amount_min", "must not be above amount_max")
    since, until = time_of(request, "created_from"), time_of(request, "created_to")
    if since is not None and until is not None and since > until:
        raise bad_query("created_from", "must not be after created_to")
    return PaymentFilter(
        merchant_id=_merchant(request),
        state=one_of(request, "state", PaymentState),
        provider=_provider(request),
        currency=_currency(request),
        amount_minor_min=low,
        amount_minor_max=high,
        last4=_last4(request),
        created_from=since,
        created_to=until,
        email=_text(request, "email"),
        text=_text(request, "q"),
    )


def _merchant(request: web.Request) -> str | None:
    given = request.query.get("merchant")
    if given is not None and not _MERCHANT.fullmatch(given):
        raise bad_query("merchant", "must be the id of a merchant, such as m_001")
    return given


def _provider(request: web.Request) -> str | None:
    given = request.query.get("provider")
    try:
        return None if given is None else public_name(given)
    except KeyError:
        raise bad_query("provider", "must be one such as providerA") from None


def _currency(request: web.Request) -> str | None:
    given = request.query.get("currency")
    try:
        return None if given is None else known_currency(given)
    except ValueError:
        raise bad_query("currency", "must be an upper-case ISO 4217 code such as USD") from None


def _amount(request: web.Request, name: str) -> int | None:
    given = request.query.get(name)
    if given is None:
        return None
    if not _AMOUNT.fullmatch(given):
        message = f"must be whole minor units from 0 to {AMOUNT_MINOR_MAX}: 10.99 USD is 1099"
        raise bad_query(name, message)
    return int(given)


def _last4(request: web.Request) -> str | None:
    given = request.query.get("last4")
    if given is not None and not _LAST4.fullmatch(given):
        raise bad_query("last4", "must be the last four digits of the card, such as 4242")
    return given


def _text(request: web.Request, name: str) -> str | None:
    given = request.query.get(name)
    if given is not None and not 1 <= len(given) <= _TEXT_MAX:
        raise bad_query(name, f"must be of 1 to {_TEXT_MAX} characters")
    return _folded(given)


def _is_in(text: str, said: tuple[str, ...]) -> bool:
    return any(text in one.casefold() for one in said)


def _folded(text: str | None) -> str | None:
    return None if text is None else text.casefold()
