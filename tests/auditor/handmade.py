"""A small home made by hand, as a house would leave it: two payments, one of them captured.

Bodies are plain dictionaries until `write` seals them, so that a test can plant its damage either
in what is said (and the chain holds) or in the bytes (and it does not).
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.auditor.files import GENESIS

Fields = dict[str, Any]

PAYMENTS = "data/ledger/payments.jsonl"
REFUNDS = "data/ledger/refunds.jsonl"
DISPUTES = "data/ledger/disputes.jsonl"
OUTBOX = "data/outbox/events.jsonl"
ACCESS = "data/vault/access_log.jsonl"
TRUTH_A = "data/providers/providerA_truth.jsonl"
TRUTH_B = "data/providers/providerB_truth.jsonl"
DEAD = "mailboxes/dlq/gateway.jsonl"
GATEWAY = "data/actors/gateway/journal.jsonl"
VAULT = "data/actors/vault/journal.jsonl"
CARD = "4242424242424242"


def sealed(fields: Fields, prev: str) -> bytes:
    """One line without its newline, ended by `prev` and its hash."""
    body = json.dumps({**fields, "prev": prev}, separators=(",", ":")).encode()[:-1]
    return b'%b,"hash":"%b"}' % (body, hashlib.sha256(body).hexdigest().encode())


def chained(bodies: list[Fields]) -> list[bytes]:
    lines: list[bytes] = []
    prev = GENESIS
    for fields in bodies:
        lines.append(sealed(fields, prev))
        prev = lines[-1][-66:-2].decode()
    return lines


def entry(seq: int, kind: str, ref: str, amount: int, **data: Any) -> Fields:
    postings = []
    if kind == "payment.captured":
        postings = [
            {"account": "asset:providerA:receivable", "amount": amount, "currency": "USD"},
            {"account": "liability:m_001:pending", "amount": -amount, "currency": "USD"},
        ]
    return {
        "seq": seq,
        "event_id": f"evt_{seq}",
        "type": kind,
        "ref": ref,
        "merchant_id": "m_001",
        "timestamp": f"2026-02-09T12:00:{seq:02d}.000Z",
        "amount": amount,
        "currency": "USD",
        "data": data,
        "postings": postings,
        "correlation_id": f"cor_{seq}",
        "causation_id": "frontdoor>gateway:1.1",
    }


_METHOD: Fields = {"payment_method": {"token": "tok_1", "last4": "4242"}}


def _call(k: int, payment: str = "pi_1") -> Fields:
    return {"provider": "providerA", "reference": f"{payment}.{k}"}


def _ledger() -> list[Fields]:
    return [
        entry(1, "payment.created", "pi_1", 1099, idempotency_key="c1", **_METHOD),
        entry(2, "payment.attempt_started", "pi_1", 1099, number=1, **_call(1)),
        entry(3, "payment.authorized", "pi_1", 1099, number=1, **_call(1)),
        entry(4, "payment.created", "pi_2", 700, idempotency_key="c2", **_METHOD),
        entry(5, "payment.capture_requested", "pi_1", 1099, capture_id="cap_1", **_call(2)),
        entry(6, "payment.captured", "pi_1", 1099, capture_id="cap_1", **_call(2)),
        entry(7, "payment.attempt_started", "pi_2", 700, number=1, **_call(1, "pi_2")),
        entry(8, "payment.declined", "pi_2", 700, number=1, **_call(1, "pi_2")),
    ]


def truth(seq: int, reference: str, operation: str, amount: int) -> Fields:
    return {
        "seq": seq,
        "at": "2026-02-09T12:00:03.000Z",
        "reference": reference,
        "operation": operation,
        "operation_id": reference,
        "amount": amount,
        "currency": "USD",
        "outcome": "approved",
    }


def access(seq: int, purpose: str, payment_id: str | None) -> Fields:
    charged = {"provider": "providerA", "reference": f"{payment_id}.1"} if payment_id else {}
    return {
        "seq": seq,
        "at": "2026-02-09T12:00:02.000Z",
        "who": "gateway",
        "token": "tok_1",
        "purpose": purpose,
        "payment_id": payment_id,
        "correlation_id": "cor_7" if payment_id == "pi_2" else "cor_2",
        "outcome": "allowed",
        "origin": "mailbox",
        "merchant_id": "m_001",
        **charged,
    }


def step(s: int, epoch: int, **more: Any) -> Fields:
    taken = {"from": "gateway", "id": f"opened:{s}", "kind": "opened", "n": 0}
    at = "2026-02-09T12:00:00.000Z"
    return {"s": s, "epoch": epoch, "at": at, "in": taken, "books": [], "out": [], **more}


def answer(operation: str, key: str, payment_id: str, status: int, amount: int) -> Fields:
    return {
        "at": "2026-02-09T12:00:09.000Z",
        "phase": "answer",
        "operation": operation,
        "key": key,
        "payment_id": payment_id,
        "status": status,
        "body_sha": f"sha of {operation} {payment_id}",
        "amount": amount,
        "currency": "USD",
        "merchant": "m_001",
    }


def _let_out(logged: list[Fields]) -> Fields:
    """What a step of the vault says that has written these lines: books and messages."""
    charges = [line for line in logged if line["purpose"] == "charge.authorize"]
    return {
        "books": [{"book": "access", "line": line} for line in logged],
        "out": [
            {
                "to": "provider-a",
                "n": n,
                "kind": "charge",
                "body": {"reference": line["reference"], "token": line["token"]},
            }
            for n, line in enumerate(charges, 1)
        ],
    }


class House:
    """The bodies of all files. `write` makes the home; `journals` are off until `journaled`."""

    def __init__(self) -> None:
        ledger = _ledger()
        events = [
            {"seq": e["seq"], "id": e["event_id"], "type": e["type"], "data": {}} for e in ledger
        ]
        self.books: dict[str, list[Fields]] = {
            PAYMENTS: ledger,
            OUTBOX: events,
            ACCESS: [
                access(1, "tokenize", None),
                access(2, "charge.authorize", "pi_1"),
                access(3, "charge.authorize", "pi_2"),
            ],
            TRUTH_A: [truth(1, "pi_1.1", "authorize", 1099), truth(2, "pi_1.2", "capture", 1099)],
            TRUTH_B: [],
            DEAD: [],
        }
        self.history: list[Fields] = [
            {**answer("capture", "k1", "pi_1", 0, 1099), "phase": "invoke"},
            answer("create", "c1", "pi_1", 201, 1099),
            answer("create", "c1", "pi_1", 201, 1099),
            answer("authorize", "a1", "pi_1", 200, 1099),
            answer("capture", "k1", "pi_1", 200, 1099),
            answer("create", "c2", "pi_2", 201, 700),
            answer("authorize", "a2", "pi_2", 402, 700),
        ]
        self.journals: dict[str, list[Fields]] = {}

    def claim(self, kind: str, ref: str, amount: int, money: dict[str, int], **more: Any) -> None:
        """Book an entry about a refund or a dispute of `pi_1`, with its event; `money` by
        account."""
        path = DISPUTES if kind.startswith("dispute.") else REFUNDS
        seq = len(self.books[OUTBOX]) + 1
        data = {"payment_id": "pi_1", "provider": "providerA", **more}
        made = entry(seq, kind, ref, amount, **data)
        made["postings"] = [
            {"account": account, "amount": part, "currency": "USD"}
            for account, part in money.items()
        ]
        self.books.setdefault(path, []).append(made)
        self.books[OUTBOX].append({"seq": seq, "id": f"evt_{seq}", "type": kind, "data": {}})

    def effect(self, reference: str, operation: str, amount: int, name: str) -> None:
        """A line of truth of provider A about a refund or a dispute, which it calls `name`."""
        line = truth(len(self.books[TRUTH_A]) + 1, reference, operation, amount)
        self.books[TRUTH_A].append({**line, "operation_id": name, "provider_reference": name})

    def journaled(self) -> None:
        """Give it journals: the gateway's has every book line, and one message to the vault."""
        posted = [
            {"book": path, "line": json.loads(line)}
            for path, bodies in self.books.items()
            for line in chained(bodies)
            if path != ACCESS
        ]
        logged = [json.loads(line) for line in chained(self.books[ACCESS])]
        sent = {"to": "vault", "n": 1}
        taken = {"from": "gateway", "id": "gateway>vault:1", "n": 1, "epoch": 1, "step": 2}
        self.journals = {
            GATEWAY: [step(1, 1), step(2, 1, books=posted, out=[sent]), step(3, 2)],
            VAULT: [step(1, 1), step(2, 1, **{"in": taken}, **_let_out(logged))],
        }

    def write(self, home: Path, damage: Callable[[Path], None] | None = None) -> Path:
        """Make the home; `damage` may then change its bytes. Result: the history."""
        for path, bodies in {**self.books, **self.journals}.items():
            (home / path).parent.mkdir(parents=True, exist_ok=True)
            (home / path).write_bytes(b"".join(line + b"\n" for line in chained(bodies)))
        if damage is not None:
            damage(home)
        history = home.parent / "history.jsonl"
        history.write_text("".join(json.dumps(fields) + "\n" for fields in self.history))
        return history
