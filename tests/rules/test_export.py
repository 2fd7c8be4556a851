"""The ledger in the words of other tools: nothing lost, joined or damaged."""

import csv
import io
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payrail.audit.export import FORMATS
from payrail.audit.export_names import beancount_account, decimal, plain
from payrail.audit.export_reading import ROOTS, LedgerBook
from payrail.audit.statement import LEDGER_FILES
from payrail.domain.timestamps import TIME_SPELLING, as_written
from payrail.errors import Corrupt
from payrail.runtime.sim import SimFs
from tests.rules.ledger_lines import entry, moved, write

bounded = settings(max_examples=200, deadline=None)
PAYMENTS, REFUNDS, DISPUTES = LEDGER_FILES
#: As Beancount has it: a root of its own, then parts that begin with a capital or a digit.
BEANCOUNT_NAME = re.compile(
    r"(Assets|Liabilities|Equity|Income|Expenses)(:[A-Z0-9][A-Za-z0-9-]*)+", re.ASCII
)
parts = st.one_of(
    st.sampled_from(
        ["m_001", "M_001", "m-001", "x_6d", "X", "x", "usd", "USD", "Usd", "providerA"]
    ),
    st.text("abxXAU01_-.", min_size=1, max_size=5),
    st.text(min_size=1, max_size=3).filter(lambda text: ":" not in text),
)
accounts = st.builds(
    lambda root, rest: ":".join((root, *rest)),
    st.sampled_from(ROOTS),
    st.lists(parts, min_size=1, max_size=3),
)


def exported(fs: SimFs, form: str) -> str:
    book = LedgerBook(fs)
    survey = book.judge()
    return "".join(FORMATS[form](survey, book.entries()))


@bounded
@given(st.lists(accounts, min_size=2, max_size=20, unique=True))
def test_no_two_accounts_become_one(names: list[str]) -> None:
    """Each account has a name of its own in Beancount, which Beancount takes."""
    spelled = [beancount_account(name) for name in names]

    assert len(set(spelled)) == len(names)
    assert all(BEANCOUNT_NAME.fullmatch(name) for name in spelled)


def test_accounts_stay_readable() -> None:
    """The accounts of the house are spelled as an accountant expects them."""
    assert beancount_account("liability:m_001:payout_in_transit") == (
        "Liabilities:M-001:Payout-in-transit"
    )
    assert beancount_account("equity:fx:USD") == "Equity:Fx:USD"


@bounded
@given(st.integers(-(10**15), 10**15), st.sampled_from([("JPY", 0), ("USD", 2), ("KWD", 3)]))
def test_amounts_have_the_decimals_of_their_currency(
    amount_minor: int, currency: tuple[str, int]
) -> None:
    """No minor unit is lost in a decimal, and there are as many places as ISO 4217 says."""
    code, places = currency
    spelled = decimal(amount_minor, code)

    assert int(spelled.replace(".", "")) == amount_minor
    assert len(spelled.partition(".")[2]) == places


@bounded
@given(st.text(max_size=20))
def test_no_id_ends_a_comment_or_a_quotation(text: str) -> None:
    """Whatever an id holds, it stays one word of ASCII, and different ids stay different."""
    assert re.fullmatch(r"[A-Za-z0-9_.:>%-]*", plain(text), re.ASCII)
    assert plain(text).count("%") == sum(len(c.encode()) for c in text if plain(c) != c)


def test_three_files_are_one_book_in_the_order_of_seq() -> None:
    """Entries of payments, refunds and disputes come out merged, as they stand, the same twice."""
    fs = SimFs()
    write(fs, PAYMENTS, moved(1), entry(4))
    write(fs, REFUNDS, moved(2, 500))
    write(fs, DISPUTES, moved(3, 7, "JPY"))
    lines = [line for path in LEDGER_FILES for line in fs.read(path).decode().splitlines()]

    out = exported(fs, "jsonl")
    assert [json.loads(line)["seq"] for line in out.splitlines()] == [1, 2, 3, 4]
    assert sorted(out.splitlines()) == sorted(lines)
    assert json.loads(exported(fs, "json")) == [json.loads(line) for line in out.splitlines()]
    for form in FORMATS:
        assert exported(fs, form) == exported(fs, form)


def test_csv_has_a_line_for_each_posting() -> None:
    """Amounts are minor units, debit positive; an entry that moves nothing has no line."""
    fs = SimFs()
    write(fs, PAYMENTS, entry(1), moved(2, 1234, "KWD", merchant_id=None))

    rows = list(csv.DictReader(io.StringIO(exported(fs, "csv"))))
    assert [(row["seq"], row["posting"], row["account"], row["amount"]) for row in rows] == [
        ("2", "1", "asset:providerA:receivable", "1234"),
        ("2", "2", "liability:m_001:pending", "-1234"),
    ]
    assert (rows[0]["currency"], rows[0]["merchant_id"]) == ("KWD", "")


def test_a_transaction_leads_back_to_its_entry() -> None:
    """Date, event, type, object and correlation id stand in each transaction; the head says how
    many entries move no money."""
    fs = SimFs()
    write(fs, PAYMENTS, entry(1), moved(2))

    for form in ("hledger", "beancount"):
        text = exported(fs, form)
        assert "1 of them move money and are transactions here; 1 move none" in text
        for word in ("2026-02-09 *", "evt_2", "payment.captured", "pi_1", "cor_1", "10.99 USD"):
            assert word in text, (form, word)


def test_an_empty_ledger_is_an_empty_book() -> None:
    """A house in which nothing happened yet exports, and its JSON is an empty list."""
    assert json.loads(exported(SimFs(), "json")) == []
    assert exported(SimFs(), "jsonl") == ""
    assert exported(SimFs(), "csv").count("\n") == 1
    assert "no entries" in exported(SimFs(), "hledger")


def test_an_entry_that_comes_between_two_looks_is_waited_for() -> None:
    """A house at work grows one file after another was looked at: that is no damage, and what is
    exported has no hole."""
    fs = SimFs()
    write(fs, PAYMENTS, moved(1), moved(3))
    book = LedgerBook(fs)
    write(fs, REFUNDS, moved(2))
    write(fs, PAYMENTS, moved(5))

    survey = book.judge()
    assert [found.entry.seq for found in book.entries()] == [1, 2, 3]
    assert (survey.through_seq, survey.entry_count) == (3, 3)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (moved(3), "entry 3 does not follow entry 1"),
        (moved(1), "entry 1 does not follow entry 1"),
        (entry(2, ("asset:bank", 5, "USD")), "do not balance"),
        (entry(2, ("assets:bank", 5, "USD"), ("asset:bank", -5, "USD")), "an account begins with"),
        (entry(2, ("asset:a  b", 5, "USD"), ("asset:bank", -5, "USD")), "two blanks"),
        (moved(2, 5, "XAU"), "ISO 4217"),
        (moved(2, timestamp="yesterday"), "yesterday"),
        ({"seq": 2}, "not a ledger entry"),
    ],
)
def test_what_no_book_may_hold_is_named_by_file_and_line(wrong: dict[str, Any], why: str) -> None:
    """An export of a damaged ledger ends before its first line, and says where to look."""
    fs = SimFs()
    write(fs, PAYMENTS, moved(1), wrong)

    with pytest.raises(Corrupt, match=why) as told:
        LedgerBook(fs).judge()
    assert (told.value.path, told.value.line) == (PAYMENTS, 2)


def test_a_changed_byte_is_damage() -> None:
    """An amount that was changed by hand is not exported, though the line still reads well."""
    fs = SimFs()
    write(fs, PAYMENTS, moved(1))
    fs.replace(PAYMENTS, fs.read(PAYMENTS).replace(b"1099", b"1098"))

    with pytest.raises(Corrupt, match="do not match its hash"):
        LedgerBook(fs).judge()


def test_a_time_compares_as_lines_have_it() -> None:
    """Any zone and precision comes to the form of the ledger's timestamps; no zone is no time."""
    assert as_written("2026-02-09T13:00:00.1239+01:00") == "2026-02-09T12:00:00.123Z"
    assert as_written("0001-01-01T00:00:00+14:00") == "1970-01-01T00:00:00.000Z"
    assert as_written("9999-12-31T23:59:59-14:00") == "9999-12-31T23:59:59.999Z"
    for wrong in ("", "now", "2026-02-09", "2026-02-09T12:00:00", "2026-02-30T12:00:00Z"):
        with pytest.raises(ValueError, match=re.escape(TIME_SPELLING)):
            as_written(wrong)
