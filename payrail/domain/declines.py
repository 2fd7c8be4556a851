"""Declines: what a code means for the next try, and what the payer may be told.

    hard           stop: reported, blocked or revoked
    fix_data       the payer can mend it
    authenticate   the payer has to prove who they are
    soft           the same card may do later
    unspecified    the issuer said no, and not why
    technical      nobody decided anything

Reads: declines.csv beside this file, a table of our own words. People may change their copy of it:
a decline is tried at another provider only where they wrote `yes`, and nowhere by default. Of a
lost, stolen or suspected card the payer hears only that the bank declined.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

#: A longer table is a mistake.
ROWS_MAX = 5_000
MESSAGE_CHARS_MAX = 200
#: What holds for a code that is in no table.
UNSPECIFIED = "generic_decline"
#: The vault's words, not an issuer's: no provider was asked.
OF_THE_VAULT = frozenset({"token_used", "expired_token", "unknown_token", "vault_record_mismatch"})

COLUMNS = ("code", "class", "retry_elsewhere", "payer_message")
_YES_NO = {"yes": True, "no": False}


class DeclineClass(StrEnum):
    HARD = "hard"
    FIX_DATA = "fix_data"
    AUTHENTICATE = "authenticate"
    SOFT = "soft"
    UNSPECIFIED = "unspecified"
    TECHNICAL = "technical"


@dataclass(frozen=True, slots=True)
class Decline:
    """One row of the table."""

    code: str
    class_: DeclineClass
    retry_elsewhere: bool
    payer_message: str


Declines = Mapping[str, Decline]


def default_text() -> str:
    """The table as we ship it."""
    return files("payrail.domain").joinpath("declines.csv").read_text("utf-8")


@cache
def default_declines() -> Declines:
    """The table as we ship it, by code."""
    return read_declines(default_text())


def read_declines(text: str) -> Declines:
    """A table by code. Raises ValueError that names line and remedy, and never what stands there:
    anything may have been typed."""
    reader = csv.DictReader(text.splitlines(), strict=True)
    try:
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise ValueError(f"line 1: the head must be {','.join(COLUMNS)}")
        found: dict[str, Decline] = {}
        for row in reader:
            decline = _decline(row, reader.line_num)
            if decline.code in found:
                raise ValueError(f"line {reader.line_num}: this code has a row already: keep one")
            found[decline.code] = decline
            if len(found) > ROWS_MAX:
                raise ValueError(f"the table must have at most {ROWS_MAX} rows")
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: not a row of a CSV file") from error
    if UNSPECIFIED not in found:
        raise ValueError(f"the table needs a row for {UNSPECIFIED}: it stands for unknown codes")
    return found


def decline_of(code: str, table: Declines | None = None) -> Decline:
    """What holds for a code; for one that nobody knows, what holds for a plain no. A table from
    before a word of the vault's was there must not blame the bank for it."""
    rows = default_declines() if table is None else table
    fallback = default_declines()[code] if code in OF_THE_VAULT else rows[UNSPECIFIED]
    return rows.get(code) or fallback


def _decline(row: Mapping[str, str | None], line: int) -> Decline:
    values = [row.get(column) or "" for column in COLUMNS]
    code, class_, retry, message = values
    if len(row) != len(COLUMNS) or not all(values):
        raise ValueError(f"line {line}: a row has {len(COLUMNS)} columns, and none is empty")
    if not (code.isascii() and code.replace("_", "").isalnum() and code.islower()):
        raise ValueError(f"line {line}: a code has lower-case letters, digits and underscores")
    if class_ not in DeclineClass.__members__.values():
        raise ValueError(f"line {line}: a class is one of {', '.join(DeclineClass)}")
    if retry not in _YES_NO:
        raise ValueError(f"line {line}: retry_elsewhere is yes or no")
    if len(message) > MESSAGE_CHARS_MAX or not message.isprintable():
        raise ValueError(
            f"line {line}: a message is at most {MESSAGE_CHARS_MAX} printable characters"
        )
    return Decline(code, DeclineClass(class_), _YES_NO[retry], message)
