"""A small world of captures and the statement that fits it, to spoil one thing at a time."""

from collections.abc import Callable, Sequence

from msgspec import structs

from payrail.domain.fees import merchant_fee, provider_fee
from payrail.domain.settlement import bank, report
from payrail.domain.settlement.cutoffs import DAY_MS
from payrail.domain.settlement.lines import StatementLine
from payrail.domain.settlement.matching import Batch, Matcher, Window
from payrail.domain.settlement.ours import Booked, Ours
from payrail.domain.settlement.report import Report
from payrail.domain.timestamps import iso, parse_iso
from payrail.domain.words.settlement import BankRow

NOON_MS = parse_iso("2026-02-09T12:00:00.000Z")
MIDNIGHT_MS = parse_iso("2026-02-10T00:00:00.000Z")
DATE, NEXT = "2026-02-09", "2026-02-10"
FIRST = Batch("providerA", "providerA-2026-02-09-01", DATE, 0, MIDNIGHT_MS, "first.csv", "b.csv")
SECOND = Batch(
    "providerA",
    "providerA-2026-02-10-01",
    NEXT,
    MIDNIGHT_MS,
    MIDNIGHT_MS + DAY_MS,
    "second.csv",
    "b2.csv",
)
Lines = list[StatementLine]


def booked(number: int, amount: int = 5000, currency: str = "USD", *, payment: int = 0) -> Ours:
    """The capture of that number; several of one payment are told by `payment`."""
    about = payment or number
    return Ours(
        payment_id=f"pi_{about:04d}",
        capture_id=f"cap_{number:04d}",
        merchant_id="m_001",
        provider="providerA",
        provider_reference=f"pc_{number:04d}",
        reference=f"pi_{about:04d}.{number + 1}",
        currency=currency,
        gross=amount,
        fee=provider_fee("providerA", amount, currency),
        merchant_fee=merchant_fee(amount, currency),
        captured_ms=NOON_MS + number,
        seq=number,
        line=number,
    )


def stated(ours: Ours, line: int, batch: Batch = FIRST) -> StatementLine:
    """The line of a statement that fits a capture."""
    return StatementLine(
        file=batch.path,
        line=line,
        provider=ours.provider,
        batch_id=batch.id,
        provider_reference=ours.provider_reference,
        reference=ours.reference,
        operation_id=ours.capture_id,
        merchant_id=ours.merchant_id,
        type="capture",
        currency=ours.currency,
        gross=ours.gross,
        fee=ours.fee,
        net=ours.net,
        occurred_at=iso(ours.captured_ms - 1),
        value_date=batch.date,
    )


def world(amounts: Sequence[int]) -> tuple[Booked, Lines]:
    """Booked of these amounts, and the one statement that has them all."""
    ours = [booked(number, amount) for number, amount in enumerate(amounts, 1)]
    captures = {one.key: one for one in ours}
    return captures, [stated(one, line) for line, one in enumerate(ours, 2)]


def first_day(captures: Booked, lines: Lines) -> Report:
    """The report of the first day."""
    matcher = Matcher(Window(DATE, MIDNIGHT_MS, 0, {DATE: 10_000}), captures)
    matcher.today(FIRST, lines)
    return _ended(matcher, DATE, bank.rows_of(lines, FIRST.id, DATE))


def second_day(captures: Booked, first: Lines, second: Lines, known_then: int = 10_000) -> Report:
    """The report of the second day; `known_then` is how much was booked when the first ended."""
    window = Window(NEXT, SECOND.closed_ms, MIDNIGHT_MS, {DATE: known_then, NEXT: 20_000})
    matcher = Matcher(window, captures)
    matcher.earlier(FIRST, first)
    matcher.today(SECOND, second)
    return _ended(matcher, NEXT, bank.rows_of(second, SECOND.id, NEXT))


def _ended(matcher: Matcher, date: str, paid: list[BankRow]) -> Report:
    matcher.missing()
    matcher.resolve({})
    return report.made(date, [], matcher.found, paid)


def euros(line: StatementLine) -> StatementLine:
    return structs.replace(line, currency="EUR")


def less(line: StatementLine) -> StatementLine:
    return structs.replace(line, gross=line.gross - 10, net=line.net - 10)


def dearer(line: StatementLine) -> StatementLine:
    return structs.replace(line, fee=line.fee + 7, net=line.net - 7)


def converted(line: StatementLine) -> StatementLine:
    return structs.replace(line, rate="0.98", net=line.net - 100)


def misplaced(line: StatementLine) -> StatementLine:
    return structs.replace(line, batch_id="providerA-2026-02-08-01")


def taken_back(line: StatementLine) -> StatementLine:
    return structs.replace(line, type="capture_reversed", gross=0, fee=0, net=0)


def invented(line: StatementLine) -> StatementLine:
    return structs.replace(line, provider_reference="pc_invented", reference="pi_invented.1")


def refunded(line: StatementLine) -> StatementLine:
    return structs.replace(
        line, type="refund", provider_reference="re_1", gross=-line.gross, fee=0, net=-line.gross
    )


def charged_back(line: StatementLine) -> StatementLine:
    return structs.replace(refunded(line), type="chargeback", provider_reference="cb_1")


#: class -> what is done to one line of the statement
CHANGED: dict[str, Callable[[StatementLine], StatementLine]] = {
    "amount": less,
    "currency": euros,
    "fee": dearer,
    "fx": converted,
    "wrong_batch": misplaced,
    "wrong_state": taken_back,
}
#: class -> the line that is added
ADDED: dict[str, Callable[[StatementLine], StatementLine]] = {
    "missing_ours": invented,
    "duplicate": lambda line: line,
    "refund": refunded,
    "chargeback": charged_back,
}
