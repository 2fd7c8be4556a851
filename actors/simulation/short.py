"""A short way to the actors for simulated shops: requests become questions, without HTTP."""

import hashlib
import re
from collections.abc import Callable
from typing import Any

import msgspec

from actors.simulation.house import SimHouse
from actors.simulation.shops import Answer, Request
from actors.simulation.witness import EDGES
from actors.vault.keys import Card
from payrail.domain import cards, disputes, refunds
from payrail.domain.ledger import read_entry
from payrail.domain.messages import (
    AuthorizePayment,
    CancelPayment,
    CapturePayment,
    CreatePayment,
    ReplyLine,
    StoreCard,
)
from payrail.domain.words.disputes import (
    AcceptDispute,
    AddEvidence,
    CreateDispute,
    RuleDispute,
    SubmitDispute,
)
from payrail.domain.words.payouts import CreatePayout, ResolvePayout
from payrail.domain.words.refunds import ApproveRefund, CreateRefund, RejectRefund
from payrail.domain.words.settlement import RunReconciliation, RunSettlement
from payrail.storage.lines import complete_lines, is_whole

_COMMANDS: list[tuple[str, str, Callable[..., msgspec.Struct]]] = [
    (r"/payment-intents", "payment.create", CreatePayment),
    (r"/payment-intents/([^/]+)/authorize", "payment.authorize", AuthorizePayment),
    (r"/payment-intents/([^/]+)/capture", "payment.capture", CapturePayment),
    (r"/payment-intents/([^/]+)/cancel", "payment.cancel", CancelPayment),
    (r"/refunds", "refund.create", CreateRefund),
    (r"/refunds/([^/]+)/approve", "refund.approve", ApproveRefund),
    (r"/refunds/([^/]+)/reject", "refund.reject", RejectRefund),
    (r"/disputes", "dispute.create", CreateDispute),
    (r"/disputes/([^/]+)/evidence", "dispute.evidence", AddEvidence),
    (r"/disputes/([^/]+)/submit", "dispute.submit", SubmitDispute),
    (r"/disputes/([^/]+)/accept", "dispute.accept", AcceptDispute),
    (r"/disputes/([^/]+)/resolve", "dispute.resolve", RuleDispute),
    (r"/payouts", "payout.create", CreatePayout),
    (r"/payouts/([^/]+)/resolve", "payout.resolve", ResolvePayout),
]
_decode_reply = msgspec.json.Decoder(ReplyLine).decode


class ShortDoor:
    """Sends what shops ask, and finds what was answered."""

    def __init__(self, house: SimHouse) -> None:
        self.house = house
        self._asked = 0
        self._offsets: dict[tuple[str, str], int] = {}
        self._replies: dict[str, Answer] = {}

    def send(self, request: Request) -> str:
        """Ask; result: the question's name."""
        self._asked += 1
        re_ = f"q{self._asked}"
        if request.method == "GET":
            self._replies[re_] = self._seen(request)
        elif request.path == "/tokenize":
            self._tokenize(request, re_)
        elif request.path == "/settlements":
            run = RunSettlement(user_id="cli", idempotency_key=request.key)
            self.house._append("settle.run", run, re_, "reconciler")
        elif request.path == "/reconciliations":
            again = RunReconciliation(user_id="cli", idempotency_key=request.key)
            self.house._append("reconcile.run", again, re_, "reconciler")
        else:
            self.house._append(*_order(request), re_, "gateway")
        return re_

    def receiver(self, request: Request) -> str:
        if request.path == "/tokenize":
            return "vault"
        is_run = request.path in ("/settlements", "/reconciliations")
        return "reconciler" if is_run else "gateway"

    def answer(self, re_: str) -> Answer | None:
        """What was answered, when it was."""
        self._collect()
        return self._replies.get(re_)

    def _collect(self) -> None:
        for edge in EDGES:
            for name in self.house.actors:
                path = f"mailboxes/{edge}/{name}.jsonl"
                start = self._offsets.get((edge, name), 0)
                if self.house.fs.size(path) <= start:
                    continue
                data = self.house.bytes_of(path)[start:]
                lines, rest = complete_lines(data)
                self._offsets[edge, name] = start + len(data) - len(rest)
                for line in lines:
                    if is_whole(line):
                        reply = _decode_reply(line)
                        self._replies[reply.re] = Answer(reply.status, bytes(reply.body))
                        self.house.witness.see(line)

    def _tokenize(self, request: Request, re_: str) -> None:
        body, keys = dict(request.body or {}), self.house.keys
        token = f"tok_{hashlib.sha256(re_.encode()).hexdigest()[:32]}"
        number = str(body["number"])
        stored = keys.encrypt(token, Card(number, 12, 2040, "A B"))
        order = StoreCard(
            token=token,
            merchant_id=request.merchant,
            who="usr",
            origin="http",
            brand=cards.brand_of(number),
            bin=cards.bin_of(number),
            last4=cards.last4(number),
            fingerprint=keys.fingerprint(request.merchant, number),
            exp_month=12,
            exp_year=2040,
            key_id=stored.key_id,
            ciphertext=stored.ciphertext,
        )
        self.house._append("card.store", order, re_, "vault")

    def _seen(self, request: Request) -> Answer:
        """An object as its entries tell it."""
        ref = request.path.rpartition("/")[2]
        view: Any = None
        for path in ("refunds", "disputes"):
            data = self.house.bytes_of(f"data/ledger/{path}.jsonl")
            for line in complete_lines(data)[0]:
                entry = read_entry(line)[1]
                if entry.ref == ref:
                    fold = refunds.fold if path == "refunds" else disputes.fold
                    view = fold(view, entry)
        return Answer(200, msgspec.json.encode({"state": view.state if view else ""}))


def _order(request: Request) -> tuple[str, msgspec.Struct]:
    for pattern, kind, make in _COMMANDS:
        found = re.fullmatch(pattern, request.path)
        if found:
            fields = dict(request.body or {})
            about = {"id": found[1]} if found.groups() else {}
            spelled = msgspec.json.encode(fields, order="deterministic")
            what = f"{request.path}\n".encode()
            head = {
                "merchant_id": request.merchant,
                "user_id": f"usr_{request.merchant.replace('_', '')}_{request.role}",
                "role": request.role,
                "idempotency_key": request.key,
                "request_hash": hashlib.sha256(what + spelled).hexdigest(),
                "fields": fields,
                "route": f"{request.method} {request.path}",
            }
            return kind, make(**about, **fields, **head)
    raise LookupError(request.path)
