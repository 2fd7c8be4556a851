"""Names and numbers as other tools spell them.

hledger takes our accounts as they are. Beancount wants five roots of its own, and parts that begin
with a capital or a digit and hold letters, digits and dashes: `liability:m_001:pending` becomes
`Liabilities:M-001:Pending`. Two accounts never become one.
"""

import re
from functools import lru_cache

from payrail.domain.money import exponent

_BEANCOUNT_ROOTS = {
    "asset": "Assets",
    "liability": "Liabilities",
    "equity": "Equity",
    "income": "Income",
    "expense": "Expenses",
}
#: `providerA`, `m_001`: the first letter becomes a capital, which no capital follows.
_WORDS = re.compile(r"(?!x_)[a-z](?:[a-z0-9][A-Za-z0-9]*)?(?:_[A-Za-z0-9]+)*", re.ASCII)
#: `USD`: stays as it is, and begins with two capitals.
_CODE = re.compile(r"[A-Z]{2}[A-Z0-9]*", re.ASCII)
_UNPLAIN = re.compile(r"[^A-Za-z0-9_.:>-]", re.ASCII)
_UNLINKED = re.compile(r"[%:>]", re.ASCII)
#: Accounts whose spelling is kept at hand; a book has some for each merchant.
_KNOWN_MAX = 4096


@lru_cache(maxsize=_KNOWN_MAX)
def beancount_account(account: str) -> str:
    """The account as Beancount takes it. Raises KeyError for a root that is none of ours."""
    root, *parts = account.split(":")
    return ":".join((_BEANCOUNT_ROOTS[root], *map(_part, parts)))


def _part(part: str) -> str:
    if _WORDS.fullmatch(part):
        return part[0].upper() + part[1:].replace("_", "-")
    if _CODE.fullmatch(part):
        return part
    return f"X-{part.encode().hex()}"  # No word comes to that: those that begin with x_ come here.


def plain(text: str) -> str:
    """Letters, digits and `_ . : > -` as they are, all else as `%` and hex: ids pass unchanged, and
    nothing ends a comment, a tag or a quotation."""
    return _UNPLAIN.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)


def link(ref: str) -> str:
    """What joins the transactions of one payment in Beancount, which takes fewer characters."""
    return _UNLINKED.sub("-", plain(ref))


def decimal(amount_minor: int, currency: str) -> str:
    """`1099` of USD is `10.99`, of JPY `1099`, of KWD `1.099`. Raises ValueError."""
    places = exponent(currency)
    if places == 0:
        return str(amount_minor)
    whole, part = divmod(abs(amount_minor), 10**places)
    return f"{'-' if amount_minor < 0 else ''}{whole}.{part:0{places}d}"
