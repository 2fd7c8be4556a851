"""Card numbers: what can be told from the digits alone, and how to find and hide them in text.

Reads: bins.csv beside this file, a table of our own; a likeness to a real issuer's is chance.
Never: keeps a number, or puts one into an error.
"""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

PAN_DIGITS_MIN = 13  # Source: ISO/IEC 7812-1, as the networks use it.
PAN_DIGITS_MAX = 19
BIN_DIGITS = 6
#: No card is printed for longer than this; a later year is a slip of the pen.
EXPIRY_YEARS_MAX = 20

UNKNOWN = "unknown"
# (brand, digits looked at, lowest, highest). The first that fits wins.
_BRANDS = (
    ("amex", 2, 34, 34),
    ("amex", 2, 37, 37),
    ("visa", 1, 4, 4),
    ("mastercard", 2, 51, 55),
    ("mastercard", 4, 2221, 2720),
    ("discover", 4, 6011, 6011),
    ("discover", 3, 644, 649),
    ("discover", 2, 65, 65),
    ("diners", 3, 300, 305),
    ("diners", 4, 3095, 3095),
    ("diners", 2, 36, 36),
    ("diners", 2, 38, 39),
    ("jcb", 4, 3528, 3589),
    ("unionpay", 2, 62, 62),
    ("unionpay", 2, 81, 81),
)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _luhn_sum(digits: str) -> int:
    total = sum(int(digit) for digit in digits[-1::-2])
    return total + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])


def luhn_ok(number: str) -> bool:
    """Whether the last digit is the check digit of the others."""
    return _is_digits(number) and _luhn_sum(number) % 10 == 0


def luhn_digit(body: str) -> str:
    """The check digit that makes `body` a valid number. Raises ValueError for non-digits."""
    if not _is_digits(body):
        raise ValueError("a card number has digits only")
    return str(-_luhn_sum(body + "0") % 10)


def brand_of(number: str) -> str:
    """visa, mastercard, amex, discover, diners, jcb, unionpay or unknown."""
    if not _is_digits(number):
        return UNKNOWN
    for brand, digits, lowest, highest in _BRANDS:
        if len(number) >= digits and lowest <= int(number[:digits]) <= highest:
            return brand
    return UNKNOWN


def pan_ok(number: str) -> bool:
    """Whether this is a card number at all: 13 to 19 digits, the last of them right."""
    return PAN_DIGITS_MIN <= len(number) <= PAN_DIGITS_MAX and luhn_ok(number)


def cvc_length_ok(brand: str, cvc: str) -> bool:
    """Four digits on amex, three elsewhere; either where the brand is not known."""
    if not _is_digits(cvc):
        return False
    return len(cvc) in {"amex": (4,), UNKNOWN: (3, 4)}.get(brand, (3,))


def expiry_ok(month: int, year: int, now_year: int, now_month: int) -> bool:
    """Whether a card is good now: through the last day of its month."""
    if not 1 <= month <= 12 or year > now_year + EXPIRY_YEARS_MAX:
        return False
    return (year, month) >= (now_year, now_month)


def bin_of(number: str) -> str:
    """The first six digits: who issued the card."""
    return number[:BIN_DIGITS]


def last4(number: str) -> str:
    """The last four digits: all of a number that people may see."""
    return number[-4:]


@dataclass(frozen=True, slots=True)
class BinRow:
    """One row of bins.csv."""

    bin6: str
    brand: str
    country: str  # ISO 3166-1 alpha-2
    funding: str  # credit | debit | prepaid


@cache
def bin_table() -> dict[str, BinRow]:
    """bins.csv by its first column, in the file's order."""
    text = files("payrail.domain").joinpath("bins.csv").read_text("utf-8")
    return {row["bin6"]: BinRow(**row) for row in csv.DictReader(text.splitlines())}


def country_of(bin6: str) -> str | None:
    """The country of an issuer, None when the table does not know it."""
    row = bin_table().get(bin6)
    return row.country if row else None


# Digits with at most one space or dash between two of them, at least as many as a number has.
_CANDIDATE = re.compile(r"[0-9](?:[ -]?[0-9]){12,}")
_GROUP = re.compile(r"[0-9]+")
_HEX_WORD = re.compile(r"[0-9A-Fa-f]*")
#: From here on, a word of hex digits is a hash, and a run of digits inside it is no card.
_HASH_CHARS_MIN = 32


def find_pans(text: str) -> list[str]:
    """Card numbers in `text`, digits only: plain, or in groups parted by single spaces or dashes.

    Not taken for one: a number that begins with 0 or 1, which no network here issues (times in
    milliseconds do), digits inside a hash, and a plain run of more than 19 digits.
    """
    return [number for _start, _end, number in _spans(text)]


def mask_pans(text: str) -> str:
    """`text` with every card number shown as stars and its last four digits."""
    # Masking leaves four digits, which may join their neighbours: again, until nothing is found.
    while spans := list(_spans(text)):
        for start, end, number in reversed(spans):
            text = f"{text[:start]}{'*' * (len(number) - 4)}{last4(number)}{text[end:]}"
    return text


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    for candidate in _CANDIDATE.finditer(text):
        groups = [match.span() for match in _GROUP.finditer(text, *candidate.span())]
        first = 0
        while first < len(groups):
            behind = _number_end(text, groups, first)
            if behind > first:
                start, end = groups[first][0], groups[behind - 1][1]
                yield start, end, _digits(text, groups[first:behind])
            first = max(behind, first + 1)


def _number_end(text: str, groups: list[tuple[int, int]], first: int) -> int:
    """The index behind the longest number that begins with group `first`; `first` if none does."""
    found, length = first, 0
    for index in range(first, len(groups)):
        length += groups[index][1] - groups[index][0]
        if length > PAN_DIGITS_MAX:
            break
        number = _digits(text, groups[first : index + 1])
        if number[0] not in "01" and pan_ok(number):
            found = index + 1
    if found > first and _in_hash(text, groups[first][0], groups[found - 1][1]):
        return first
    return found


def _digits(text: str, groups: list[tuple[int, int]]) -> str:
    return "".join(text[start:end] for start, end in groups)


def _in_hash(text: str, start: int, end: int) -> bool:
    head = text[max(0, start - 64) : start]
    before = _HEX_WORD.match(head[::-1])
    behind = _HEX_WORD.match(text, end)
    hex_chars = end - start + sum(len(part.group()) for part in (before, behind) if part)
    return hex_chars >= _HASH_CHARS_MIN
