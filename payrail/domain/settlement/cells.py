"""Cells of a statement: dates, rates, names, as both providers' files have them.

Never: guesses what a cell means; what it cannot mean is a ValueError that says how it is written.
"""

from collections.abc import Mapping
from functools import lru_cache

from payrail.domain.settlement.cutoffs import is_date


def known(table: Mapping[str, str], name: str, column: str) -> str:
    """Our word for a provider's. Raises ValueError."""
    if name not in table:
        raise ValueError(f"{column} must be one of {', '.join(table)}")
    return table[name]


@lru_cache(maxsize=64)
def date(text: str) -> str:
    """A day. Raises ValueError."""
    if not is_date(text):
        raise ValueError("a date is written YYYY-MM-DD")
    return text


@lru_cache(maxsize=64)
def rate(text: str) -> str:
    """An exchange rate, without zeros that say nothing. Raises ValueError."""
    whole, _, part = text.partition(".")
    if not (0 < len(text) <= 12 and (whole + part).isascii() and (whole + part).isdigit()):
        raise ValueError("an exchange rate is a plain decimal number, 1 for none")
    return text.rstrip("0").rstrip(".") if part else text
