"""The ledger in the words of other tools: hledger, Beancount, JSON and CSV.

An accountant can check the books with programs that we did not write. The same ledger gives the
same bytes. Only entries that move money are transactions; JSON has all entries, as they stand.
Amounts are decimals for hledger and Beancount; minor units, debit positive, in JSON and CSV.
Pure: what was read goes in (`payrail.audit.export_reading`), text comes out.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from payrail.audit.export_names import beancount_account, decimal, link, plain
from payrail.audit.export_reading import Entry, Found, Survey
from payrail.domain.money import exponent

Renderer = Callable[[Survey, Iterable[Found]], Iterator[str]]

#: The columns of the CSV, which has a line for each posting.
CSV_COLUMNS = (
    *("seq", "posting", "timestamp", "event_id", "type", "ref", "merchant_id"),
    *("account", "amount", "currency", "correlation_id", "causation_id"),
)


def hledger(survey: Survey, entries: Iterable[Found]) -> Iterator[str]:
    """A journal that holds in `hledger check --strict` and `hledger check ordereddates`."""
    yield "".join(f"; {line}\n" for line in _summary(survey))
    yield "\ndecimal-mark .\n"
    for currency in survey.currencies:  # The mark shows how many decimals there are, also none.
        shown = decimal(1000 * 10 ** exponent(currency), currency)
        yield f"commodity {shown}{'' if '.' in shown else '.'} {currency}\n"
    yield from (f"account {account}\n" for account in survey.accounts)
    for found in entries:
        if found.entry.postings:
            yield _hledger_transaction(found.entry)


def beancount(survey: Survey, entries: Iterable[Found]) -> Iterator[str]:
    """A ledger that holds in `bean-check`. Each account says its own name among its metadata, and
    at the end stand our balances, for Beancount to compare with its own."""
    yield "".join(f"; {line}\n" for line in _summary(survey))
    yield '\noption "title" "PayRail"\n'
    for currency in survey.currencies:
        yield f'option "operating_currency" "{currency}"\n'
    if not survey.accounts:
        return
    opened = survey.first_day.isoformat()
    yield "".join(f"{opened} commodity {currency}\n" for currency in survey.currencies)
    for account, sums in survey.accounts.items():
        yield f"{opened} open {beancount_account(account)} {','.join(sorted(sums))}\n"
        yield f'  account: "{account}"\n'
    for found in entries:
        if found.entry.postings:
            yield _beancount_transaction(found.entry)
    yield "\n"
    yield from _beancount_balances(survey)


def json_document(survey: Survey, entries: Iterable[Found]) -> Iterator[str]:
    """One array of all entries, a line each, with the bytes that they have in their files."""
    before = "[\n"
    for found in entries:
        yield before + found.line.decode()
        before = ",\n"
    yield "[]\n" if survey.entry_count == 0 else "\n]\n"


def json_lines(_survey: Survey, entries: Iterable[Found]) -> Iterator[str]:
    """All entries, a line each: the three files of the ledger merged."""
    return (f"{found.line.decode()}\n" for found in entries)


def csv_lines(_survey: Survey, entries: Iterable[Found]) -> Iterator[str]:
    """A line for each posting."""
    yield _csv_line(CSV_COLUMNS)
    for found in entries:
        for number, posting in enumerate(found.entry.postings, 1):
            entry = found.entry
            yield _csv_line(
                (
                    *(entry.seq, number, entry.timestamp, entry.event_id, entry.type, entry.ref),
                    *(entry.merchant_id, posting.account, posting.amount, posting.currency),
                    *(entry.correlation_id, entry.causation_id),
                )
            )


FORMATS: dict[str, Renderer] = {
    "hledger": hledger,
    "beancount": beancount,
    "json": json_document,
    "jsonl": json_lines,
    "csv": csv_lines,
}


def _summary(survey: Survey) -> tuple[str, ...]:
    without = survey.entry_count - survey.posted_count
    return (
        f"PayRail ledger, entries 1 to {survey.through_seq}"
        if survey.entry_count
        else "PayRail ledger, no entries",
        f"{survey.posted_count} of them move money and are transactions here;"
        f" {without} move none and are left out",
        "Days are UTC. Debits are positive, credits negative.",
    )


def _hledger_transaction(entry: Entry) -> str:
    head = f"{entry.timestamp[:10]} * ({plain(entry.event_id)}) {_title(entry)}"
    tags = ", ".join(f"{name}:{value}" for name, value in _marks(entry))
    rows = [
        f"    {posting.account}  {decimal(posting.amount, posting.currency)} {posting.currency}"
        for posting in entry.postings
    ]
    return "\n".join(("", head, f"    ; {tags}", *rows, ""))


def _beancount_transaction(entry: Entry) -> str:
    head = f'{entry.timestamp[:10]} * "{_title(entry)}" ^{link(entry.ref)}'
    marks = [f'  {name}: "{value}"' for name, value in _marks(entry)]
    rows = [
        f"  {beancount_account(posting.account)}"
        f"  {decimal(posting.amount, posting.currency)} {posting.currency}"
        for posting in entry.postings
    ]
    return "\n".join(("", head, *marks, *rows, ""))


def _beancount_balances(survey: Survey) -> Iterator[str]:
    """Beancount compares at the beginning of a day: the one after the last. Without `~`, it would
    let pass what differs by less than a minor unit or two."""
    day = (survey.last_day + timedelta(days=1)).isoformat()
    for account, sums in survey.accounts.items():
        for currency, amount_minor in sorted(sums.items()):
            amount, none = decimal(amount_minor, currency), decimal(0, currency)
            yield f"{day} balance {beancount_account(account)}  {amount} ~ {none} {currency}\n"


def _title(entry: Entry) -> str:
    return f"{plain(entry.type)} {plain(entry.ref)}"


def _marks(entry: Entry) -> list[tuple[str, str]]:
    """What leads back from a transaction to its entry and to what caused it."""
    marks = (
        ("seq", str(entry.seq)),
        ("event_id", entry.event_id),
        ("type", entry.type),
        ("ref", entry.ref),
        ("merchant_id", entry.merchant_id or ""),
        ("correlation_id", entry.correlation_id),
        ("timestamp", entry.timestamp),
    )
    return [(name, plain(value)) for name, value in marks if value]


def _csv_line(cells: Iterable[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()
