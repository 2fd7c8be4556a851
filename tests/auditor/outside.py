"""What stands around the small home made by hand: an endpoint at a sink, a statement, a bank.

pi_1's capture of 1099 is stated, settled and paid out; every event arrived, one at the second try.
Texts are plain until `lay`, so that a test can plant its damage in any of them.
"""

import hashlib
import json
from pathlib import Path

from tests.auditor import handmade as hand
from tests.auditor.delivered import CHANGES, DELIVERIES
from tests.auditor.handmade import Fields, House

SETTLEMENT = "data/settlement/settlement_2026-02-09.csv"
STATEMENT = "data/providers/statements/providerA/providerA-2026-02-09-01.csv"
BANK = "data/providers/statements/providerA/bank_2026-02-09.csv"
REPORT = "data/reconciliation/reconciliation_report_2026-02-09.json"
DEAD = "mailboxes/dlq/dispatcher.jsonl"
PROVIDER = "data/actors/provider-a/journal.jsonl"
BATCH, CAPTURE = "providerA-2026-02-09-01", "cap_1"
GROSS, COST, PRICE = 1099, 62, 67
_NET, _DUE = GROSS - COST, GROSS - PRICE


def _entry(seq: int, kind: str, amount: int, moves: dict[str, int], **data: object) -> Fields:
    made = hand.entry(seq, kind, "pi_1", amount, provider="providerA", **data)
    made["postings"] = [
        {"account": account, "amount": amount, "currency": "USD"}
        for account, amount in moves.items()
    ]
    return made


def _money() -> list[Fields]:
    receivable, transit = "asset:providerA:receivable", "asset:providerA:payout_in_transit"
    pending, available = "liability:m_001:pending", "liability:m_001:available"
    fees = {pending: PRICE, "income:gateway_fee": -PRICE}
    fees |= {"expense:providerA:fee": COST, receivable: -COST}
    named = {"capture_id": CAPTURE, "batch_id": BATCH}
    settled = {transit: _NET, receivable: -_NET, pending: _DUE, available: -_DUE}
    costs = {"provider_fee": COST, "merchant_fee": PRICE}
    paid = {"asset:bank": _NET, transit: -_NET}
    return [
        _entry(9, "fee.charged", PRICE, fees, **named, **costs),
        _entry(10, "payment.settled", GROSS, settled, **named),
        _entry(11, "provider.payout_received", _NET, paid, **named),
    ]


def attempt(event: int, number: int, status: int | None, *, again: bool = False) -> Fields:
    """One line of the book of deliveries, without its `seq`."""
    return {
        "event_id": f"evt_{event}",
        "endpoint_id": "we_1",
        "attempt": number,
        "status": status,
        "next_at": "2026-02-09T12:00:31.000Z" if again else None,
    }


def letter(event: int) -> Fields:
    """A dead letter about a delivery that was given up."""
    body = {"endpoint_id": "we_1", "event": [event, f"evt_{event}"]}
    return {"id": f"dl_{event}", "why": "exhausted", "message": {"body": body}}


class Outside(House):
    """The same two payments with everything around them."""

    def __init__(self) -> None:
        super().__init__()
        ledger, events = self.books[hand.PAYMENTS], self.books[hand.OUTBOX]
        ledger += _money()
        events += [{"seq": e["seq"], "id": e["event_id"], "type": e["type"]} for e in ledger[8:]]
        for event in events:
            event["merchant_id"] = None if event["seq"] == 11 else "m_001"
        added = {"endpoint_id": "we_1", "merchant_id": "m_001", "events": [], "after_seq": 0}
        self.books[CHANGES] = [{"seq": 1, "type": "endpoint.added", **added}]
        tries = [attempt(1, 1, 500, again=True), attempt(1, 2, 204)]
        self.books[DELIVERIES] = tries + [attempt(n, 1, 204) for n in range(2, 11)]
        self.books[DEAD] = []
        self.books[hand.TRUTH_A].append(hand.truth(3, BATCH, "payout", _NET))
        done = {"type": "statement.finished", "written": {"injected": []}}
        self.journals = {PROVIDER: [hand.step(1, 1, events=[done])]}
        self.texts = {
            SETTLEMENT: "payment_id,operation_id,type,gross\npi_1,cap_1,capture,1099\n",
            STATEMENT: "reporting_category,currency,gross,net,description,"
            "payment_metadata[reference]\ncharge,usd,10.99,10.37,cap_1,pi_1.2\n"
            "payout,usd,-10.37,-10.37,,\n",
            BANK: f"value_date,amount,currency,reference\n2026-02-09,10.37,USD,{BATCH}\n",
            REPORT: json.dumps({"breaks": [], "totals": {"USD": {"unexplained": 0}}}),
        }
        self.heard: list[Fields] | None = None  # None: what the book of deliveries says

    def lay(self, home: Path) -> Path:
        """Make the home. Result: what the sink heard."""
        self.write(home)
        for path, text in self.texts.items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_text(text)
        sink = home.parent / "sink.jsonl"
        heard = self.heard if self.heard is not None else self.as_booked()
        sink.write_text("".join(json.dumps(fields) + "\n" for fields in heard))
        return sink

    def as_booked(self) -> list[Fields]:
        """What a sink heard that gave the answers in the book of deliveries."""
        lines = hand.chained(self.books[hand.OUTBOX])
        bodies = {
            event["id"]: hashlib.sha256(line.split(b',"prev"')[0] + b"}").hexdigest()
            for event, line in zip(self.books[hand.OUTBOX], lines, strict=True)
        }
        return [
            {
                "merchant": "m_001",
                "webhook_id": line["event_id"],
                "body_sha": bodies.get(line["event_id"], ""),
                "status": line["status"] or 0,
            }
            for line in self.books[DELIVERIES]
        ]
