"""Money that went back: what our books of refunds and disputes say is matched line by line."""

from typing import Any

import msgspec
import pytest

from payrail.domain.settlement import bank, report
from payrail.domain.settlement.lines import StatementLine
from payrail.domain.settlement.matching import Matcher, Window
from payrail.domain.settlement.our_claims import disputes, refunds
from payrail.domain.settlement.ours import Booked, Ours
from payrail.domain.timestamps import iso
from payrail.errors import LineDamaged
from tests.rules.recon_world import DATE, FIRST, MIDNIGHT_MS, NOON_MS, stated


def entry(number: int, type_: str, ref: str, amount: int = 5000, **data: Any) -> bytes:
    about = {"payment_id": "pi_0001", "provider": "providerA", "occurred_at": iso(NOON_MS), **data}
    fields = {"seq": number, "type": type_, "ref": ref, "merchant_id": "m_001"}
    fields |= {"timestamp": iso(NOON_MS), "amount": amount, "currency": "USD", "data": about}
    return msgspec.json.encode(fields)


def opened(number: int = 1, stage: str = "chargeback", fee: int = 1500) -> bytes:
    names: dict[str, Any] = {"reference": "pi_0001.1", "provider_reference": "dp_1"}
    return entry(number, "dispute.opened", "dp_ours", stage=stage, fee=fee, **names)


LIVES = {
    "won": [
        opened(),
        entry(2, "dispute.evidence_added", "dp_ours"),
        entry(3, "dispute.submitted", "dp_ours", fee=1500),
        entry(4, "dispute.won", "dp_ours", fee_returned=1500),
    ],
    "lost": [opened(), entry(2, "dispute.lost", "dp_ours")],
    "twice": [
        opened(),
        entry(2, "dispute.submitted", "dp_ours", fee=0),
        entry(3, "dispute.won", "dp_ours", fee_returned=0),
        entry(4, "dispute.lost", "dp_ours", second=True),
    ],
    "escalated": [
        opened(stage="inquiry", fee=0),
        entry(2, "dispute.submitted", "dp_ours", fee=0),
        opened(3),
    ],
    "inquiry": [opened(stage="inquiry", fee=0), entry(2, "dispute.closed", "dp_ours")],
}


@pytest.mark.parametrize(
    ("life", "moved"),
    [
        (
            "won",
            [
                ("chargeback", -5000, 1500),
                ("dispute_fee", 0, 1500),
                ("chargeback_reversed", 5000, -1500),
            ],
        ),
        ("lost", [("chargeback", -5000, 1500)]),
        (
            "twice",
            [
                ("chargeback", -5000, 1500),
                ("chargeback_reversed", 5000, 0),
                ("second_chargeback", -5000, 0),
            ],
        ),
        ("escalated", [("chargeback", -5000, 1500)]),
        ("inquiry", []),
    ],
)
def test_each_movement_of_a_dispute_is_a_line_of_its_own(
    life: str, moved: list[tuple[str, int, int]]
) -> None:
    """With the name that the provider gives it; an inquiry has none."""
    booked = disputes(LIVES[life])
    assert [(one.type, one.gross, one.fee) for one in booked.values()] == moved
    names = {(one.provider_reference, one.payment_id, one.due) for one in booked.values()}
    assert names <= {("dp_1", "pi_0001", 0)}


def test_a_refund_that_was_sent_back_is_a_line_beside_its_own() -> None:
    """Both under the provider's name for the refund; one that failed at once moved nothing."""
    names = {"reference": "pi_0001.3", "provider_reference": "rf_1"}
    lines = [
        entry(1, "refund.succeeded", "re_1", 700, succeeded_at=iso(NOON_MS), **names),
        entry(2, "refund.failed", "re_1", 700, was_succeeded=True, reference="pi_0001.3"),
        entry(3, "refund.failed", "re_2", 300, was_succeeded=False, reference="pi_0001.4"),
    ]
    moved = [(one.type, one.gross, one.provider_reference) for one in refunds(lines).values()]
    assert moved == [("refund", -700, "rf_1"), ("refund_failed", 700, "rf_1")]


def test_a_damaged_line_is_named() -> None:
    """File, line and remedy."""
    with pytest.raises(LineDamaged, match=r"data/ledger/disputes\.jsonl:1: .*payrail verify"):
        disputes([b'{"type":"dispute.won"}'])


def line_of(ours: Ours, number: int) -> StatementLine:
    found = stated(ours, number)
    return msgspec.structs.replace(found, type=ours.type)


def reported(booked: Booked, lines: list[StatementLine]) -> tuple[Matcher, report.Report]:
    window = Window(DATE, MIDNIGHT_MS, 0, {DATE: 9}, {DATE: 9}, {DATE: 9})
    matcher = Matcher(window, booked)
    matcher.today(FIRST, lines)
    matcher.missing()
    matcher.resolve({})
    made = report.made(DATE, [], matcher.found, bank.rows_of(lines, FIRST.id, DATE))
    return matcher, made


@pytest.mark.parametrize("life", LIVES)
def test_what_both_sides_say_alike_is_matched_and_settled_once(life: str) -> None:
    """Nothing is left unexplained, and each movement is a row of its own for the gateway."""
    booked = disputes(LIVES[life])
    lines = [line_of(ours, number) for number, ours in enumerate(booked.values(), 2)]
    matcher, made = reported(booked, lines)
    assert (made.breaks, made.counts["matched"]) == ([], len(booked))
    assert set(made.unexplained.values()) <= {0}
    rows = report.to_settle(matcher.found)
    assert {row.claim_key for row in rows} == {f"dp_ours {ours.type}" for ours in booked.values()}
    assert sum(row.net for row in rows) == sum(line.net for line in lines)


def test_a_chargeback_that_we_do_not_know_is_a_break() -> None:
    """So is one of another amount, and one that never came; each says what is at stake."""
    booked = disputes(LIVES["lost"])
    (line,) = [line_of(ours, 2) for ours in booked.values()]
    _, made = reported({}, [line])
    assert [(one.class_, one.difference) for one in made.breaks] == [("chargeback", -6500)]

    less = msgspec.structs.replace(line, gross=-4000, net=-5500)
    _, made = reported(booked, [less])
    assert [(one.class_, one.difference) for one in made.breaks] == [("amount", 1000)]
    assert made.breaks[0].ours is not None
    assert made.breaks[0].ours.file == "data/ledger/disputes.jsonl"
    assert made.unexplained == {"USD": 0}

    _, made = reported(booked, [])
    assert made.counts["expected"] == 1
