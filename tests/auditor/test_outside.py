"""Events that did not arrive and money that no paper explains are found by file and line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.auditor import handmade as hand
from tests.auditor import outside
from tests.auditor.audit import audit
from tests.auditor.delivered import DELIVERIES
from tests.auditor.outside import BANK, DEAD, PROVIDER, REPORT, STATEMENT, Outside, attempt, letter
from tests.auditor.report import Report

Plant = Callable[[Outside], object]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def audited(home: Path, house: Outside) -> Report:
    return audit(home, sink=house.lay(home), is_settled=True)


def places(report: Report) -> set[tuple[str, str, int]]:
    found = ((one.check, one.path, one.line) for one in report.findings)
    return {(check, Path(path).name, line) for check, path, line in found}


def test_a_day_that_was_settled_and_told_raises_no_alarm(home: Path):
    """One capture stated, settled and paid out, and all its events at the sink: nothing is found,
    and everything was looked at."""
    report = audited(home, Outside())

    assert [one for one in report.findings if one.check not in ("booked", "journal")] == []
    for check in ("deliveries", "every event at the sink", "statements", "bank files", "accounts"):
        assert report.looked_at[check] > 0


def _deliveries(*lines: hand.Fields) -> Plant:
    return lambda house: house.books[DELIVERIES].extend(lines)


def _drop(event: int) -> Plant:
    """The dispatcher says that it was received, and nobody heard it."""

    def plant(house: Outside) -> None:
        heard = house.as_booked()
        house.heard = [one for one in heard if one["webhook_id"] != f"evt_{event}"]

    return plant


def _heard(number: int, **fields: object) -> Plant:
    def plant(house: Outside) -> None:
        house.heard = house.as_booked()
        house.heard[number - 1].update(fields)

    return plant


def _text(path: str, old: str, new: str) -> Plant:
    return lambda house: house.texts.update({path: house.texts[path].replace(old, new)})


def _twice(path: str) -> Plant:
    def plant(house: Outside) -> None:
        head, first, *rest = house.texts[path].splitlines(keepends=True)
        house.texts[path] = "".join([head, first, first, *rest])

    return plant


def _settled_twice(house: Outside) -> None:
    again = {**house.books[hand.PAYMENTS][9], "seq": 12, "event_id": "evt_12"}
    house.books[hand.PAYMENTS].append(again)
    house.books[hand.OUTBOX].append({"seq": 12, "id": "evt_12", "merchant_id": None})


def _never_settled(house: Outside) -> None:
    house.books[hand.PAYMENTS][9].update(type="payment.capture_requested")


def _kept_by_us(house: Outside) -> None:
    house.books[hand.PAYMENTS][10]["postings"].pop()


LIES: dict[str, tuple[Plant, str, str, int]] = {
    "given up without a dead letter": (
        lambda house: house.books[DELIVERIES][2].update(status=404),
        "deliveries",
        "deliveries.jsonl",
        3,
    ),
    "received, and nobody heard it": (_drop(5), "every event at the sink", "events.jsonl", 5),
    "a 2xx that the sink never gave": (_drop(5), "deliveries", "deliveries.jsonl", 6),
    "an attempt left out": (
        lambda house: house.books[DELIVERIES][1].update(attempt=3),
        "deliveries",
        "deliveries.jsonl",
        2,
    ),
    "an attempt after the end": (
        _deliveries(attempt(2, 2, 204)),
        "deliveries",
        "deliveries.jsonl",
        12,
    ),
    "an attempt of no event": (
        _deliveries(attempt(99, 1, 204)),
        "deliveries",
        "deliveries.jsonl",
        12,
    ),
    "other bytes under the same id": (_heard(4, body_sha="x"), "sink", "sink.jsonl", 4),
    "another merchant's event": (_heard(4, merchant="m_002"), "sink", "sink.jsonl", 4),
    "a signature that does not hold": (_heard(4, refused="No match"), "sink", "sink.jsonl", 4),
    "one capture stated twice": (_twice(STATEMENT), "statements", Path(STATEMENT).name, 3),
    "another amount stated": (
        _text(STATEMENT, "10.99", "10.98"),
        "statements",
        Path(STATEMENT).name,
        2,
    ),
    "a statement of no capture": (
        _text(STATEMENT, "pi_1.2", "pi_9.2"),
        "statements",
        Path(STATEMENT).name,
        2,
    ),
    "another sum at the bank": (_text(BANK, "10.37", "10.38"), "bank files", Path(BANK).name, 2),
    "a payout that the bank has not": (
        _text(BANK, f"{outside.BATCH}", "providerA-2026-02-09-02"),
        "payouts",
        "payments.jsonl",
        11,
    ),
    "settled twice": (_settled_twice, "settled", "payments.jsonl", 12),
    "settled twice, as the accounts see it": (_settled_twice, "accounts", "payments.jsonl", 0),
    "captured and never settled": (_never_settled, "all settled", "payments.jsonl", 6),
    "a payout that moved no money": (_kept_by_us, "accounts", "payments.jsonl", 0),
    "a payout that is not what was stated": (
        _text(STATEMENT, "-10.37,-10.37", "-10.36,-10.36"),
        "provider payouts",
        Path(STATEMENT).name,
        0,
    ),
    "a payout that the truth has not": (
        lambda house: house.books[hand.TRUTH_A].pop(),
        "provider payouts",
        "payments.jsonl",
        11,
    ),
    "a payout of another amount": (
        lambda house: house.books[hand.TRUTH_A][2].update(amount=1),
        "provider payouts",
        Path(hand.TRUTH_A).name,
        3,
    ),
    "paid out twice": (
        lambda house: house.books[hand.TRUTH_A].append({**house.books[hand.TRUTH_A][2], "seq": 4}),
        "provider payouts",
        Path(hand.TRUTH_A).name,
        4,
    ),
    "a break without a drill": (
        _text(
            REPORT,
            '"breaks": []',
            '"breaks": [{"n": 1, "class": "amount", "payment_id": "pi_1"}]',
        ),
        "reports",
        Path(REPORT).name,
        0,
    ),
    "something unexplained": (
        _text(REPORT, '"unexplained": 0', '"unexplained": 3'),
        "reports",
        Path(REPORT).name,
        0,
    ),
}


@pytest.mark.parametrize("name", LIES)
def test_what_papers_and_sinks_contradict_is_found(home: Path, name: str):
    """Each lie of a book is named where an outsider's file says otherwise."""
    plant, check, path, line = LIES[name]
    house = Outside()
    plant(house)

    assert (check, path, line) in places(audited(home, house))


def test_a_delivery_that_was_given_up_and_replayed_is_no_finding(home: Path):
    """With its dead letter the last failed attempt may stand, and attempts begin anew."""
    house = Outside()
    house.books[DELIVERIES][:2] = [attempt(1, 1, 500), attempt(1, 1, 204)]
    house.books[DEAD].append(letter(1))

    checks = {check for check, _, _ in places(audited(home, house))}

    assert not checks & {"deliveries", "dead letters", "every event at the sink"}


def test_the_sink_may_have_heard_more_than_the_book_tells(home: Path):
    """An attempt that a kill cut off has no line, and no finding."""
    house = Outside()
    heard = house.as_booked()
    house.heard = [heard[3], *heard]

    assert not {check for check, _, _ in places(audited(home, house))} & {"deliveries", "sink"}


def test_breaks_of_a_spoiled_statement_are_explained(home: Path):
    """Where the provider's journal says that a drill spoiled a line, breaks are what it is for."""
    house = Outside()
    LIES["a break without a drill"][0](house)
    LIES["another amount stated"][0](house)
    spoiled = {"rule_id": "flt_1", "kind": "amount", "seq": 2}
    done = {"type": "statement.finished", "written": {"injected": [spoiled]}}
    house.journals[PROVIDER][0]["events"] = [done]

    checks = {check for check, _, _ in places(audited(home, house))}

    assert not checks & {"reports", "statements", "bank files"}
    assert json.loads((home / REPORT).read_text())["breaks"]
