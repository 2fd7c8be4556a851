"""Refunds and disputes by themselves: legal moves, the money of each entry, and no more paid back
than was captured.

The moves and the accounts are written down from the rules' page. A dispute's fee is what its entry
says; that the provider asked it is a matter of the truth and the statements.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from tests.auditor.files import Line
from tests.auditor.ledger import LEDGER, Payment
from tests.auditor.report import Report

IN_TRANSIT = "liability:refunds:in_transit"
INQUIRY = "inquiry"
#: (state before, entry) -> state after; None: there was none.
MOVES = {
    (None, "refund.requested"): "pending",
    ("pending", "refund.approved"): "approved",
    ("pending", "refund.rejected"): "rejected",
    ("pending", "refund.expired"): "expired",
    ("approved", "refund.submitted"): "sent",
    ("approved", "refund.failed"): "failed",
    ("sent", "refund.submitted"): "sent",
    ("sent", "refund.succeeded"): "succeeded",
    ("sent", "refund.failed"): "failed",
    ("succeeded", "refund.failed"): "failed",
    (None, "dispute.opened"): "opened",  # or an inquiry, by its stage
    ("inquiry", "dispute.opened"): "opened",
    ("inquiry", "dispute.evidence_added"): "inquiry",
    ("inquiry", "dispute.submitted"): "inquiry",
    ("inquiry", "dispute.closed"): "closed",
    ("opened", "dispute.evidence_added"): "opened",
    ("opened", "dispute.submitted"): "under_review",
    ("opened", "dispute.lost"): "lost",
    ("under_review", "dispute.won"): "won",
    ("under_review", "dispute.lost"): "lost",
    ("won", "dispute.lost"): "lost",
}
#: Effects in the truth that move money after a capture.
EFFECTS = {
    "refund": -1,
    "refund_failed": 1,
    "chargeback": -1,
    "chargeback_reversed": 1,
    "second_chargeback": -1,
    "dispute_fee": 0,
}
Money = Counter[str]  # by account


@dataclass(frozen=True, slots=True)
class Movement:
    """What one entry moves between a provider and us: a line of a statement."""

    entry: Line
    payment_id: str
    provider: str
    provider_reference: str
    effect: str
    gross: int
    fee: int = 0

    @property
    def net(self) -> int:
        return self.gross - self.fee


@dataclass(slots=True)
class Claim:
    """One refund or dispute as its entries tell it."""

    first: Line
    state: str
    stage: str = ""
    provider: str = ""
    provider_reference: str = ""
    countered_fee: int = 0


@dataclass(slots=True)
class _Walk:
    report: Report
    payments: dict[str, Payment]
    claims: dict[str, Claim] = field(default_factory=dict)
    movements: list[Movement] = field(default_factory=list)
    captured: Counter[str] = field(default_factory=Counter)
    gone: Counter[str] = field(default_factory=Counter)  # paid back or reserved, by payment
    disputed: Counter[str] = field(default_factory=Counter)  # open or lost, by payment
    lost: Counter[tuple[str, int]] = field(default_factory=Counter)  # not charged back yet
    named: dict[tuple[str, str], str] = field(default_factory=dict)  # dispute by provider's name

    def add(self, entry: Line, message: str) -> None:
        self.report.add("claims", entry.path, entry.number, f"{entry['ref']}: {message}")


def check_claims(
    books: dict[str, list[Line]], payments: dict[str, Payment], report: Report
) -> list[Movement]:
    """Every entry of refunds and disputes. Result: what moved between providers and us."""
    walk = _Walk(report, payments)
    files = [books.get(f"data/ledger/{name}.jsonl", []) for name in LEDGER]
    entries = sorted((line for lines in files for line in lines), key=lambda e: e["seq"] or 0)
    for entry in entries:
        kind = str(entry["type"])
        if kind == "payment.captured":
            walk.captured[entry["ref"]] += entry["amount"]
        elif kind == "payment.charged_back":
            _charged_back(walk, entry)
        elif kind.startswith(("refund.", "dispute.")):
            report.saw("claims")
            _step(walk, entry, kind)
    for (ident, amount), count in walk.lost.items():
        if count > 0:
            walk.add(walk.claims[ident].first, f"lost {amount}, and its payment knows nothing")
    return walk.movements


def _step(walk: _Walk, entry: Line, kind: str) -> None:
    claim, data = walk.claims.get(entry["ref"]), entry["data"] or {}
    before = claim.state if claim else None
    after = MOVES.get((before, kind))
    if after is None:
        walk.add(entry, f"{kind} cannot follow {before}")
        return
    if claim is None:
        claim = walk.claims[entry["ref"]] = Claim(entry, after)
        _new(walk, entry, kind)
    if kind == "dispute.opened":
        _open(walk, claim, entry, data)
        after = "inquiry" if claim.stage == INQUIRY else "opened"
    moved = _movement(claim, entry, kind, data, before)
    _count(walk, claim, entry, kind, before)
    _must_post(walk, entry, _money(claim, entry, kind, moved, before))
    if moved is not None:
        walk.movements.append(moved)
    claim.state = after


def _new(walk: _Walk, entry: Line, kind: str) -> None:
    payment_id = entry["data"]["payment_id"]
    if payment_id not in walk.payments:
        walk.add(entry, f"about {payment_id}, which was never created")
    taken = walk.gone[payment_id] + walk.disputed[payment_id]
    if kind == "refund.requested" and taken + entry["amount"] > walk.captured[payment_id]:
        left = walk.captured[payment_id] - taken
        walk.add(entry, f"{entry['amount']} to be refunded where {left} can be")


def _open(walk: _Walk, claim: Claim, entry: Line, data: dict[str, str]) -> None:
    claim.stage, claim.provider = data["stage"], data["provider"]
    claim.provider_reference = data["provider_reference"]
    name = claim.provider, claim.provider_reference
    if walk.named.setdefault(name, entry["ref"]) != entry["ref"]:
        walk.add(entry, f"{name[1]} is booked already, as {walk.named[name]}")


def _movement(
    claim: Claim, entry: Line, kind: str, data: dict[str, int], before: str | None
) -> Movement | None:
    """What the entry moves at the provider; None: nothing."""
    if kind == "refund.succeeded":
        claim.provider, claim.provider_reference = (
            entry["data"]["provider"],
            entry["data"]["provider_reference"],
        )
    amount = entry["amount"]
    fee, returned = data.get("fee", 0), data.get("fee_returned", 0)
    if kind == "dispute.submitted":
        claim.countered_fee += fee
    is_money = claim.stage != INQUIRY
    found = {
        "refund.succeeded": ("refund", -amount, 0),
        "refund.failed": ("refund_failed", amount, 0) if before == "succeeded" else None,
        "dispute.opened": ("chargeback", -amount, fee) if is_money else None,
        "dispute.submitted": ("dispute_fee", 0, fee) if is_money and fee else None,
        "dispute.won": ("chargeback_reversed", amount, -returned),
        "dispute.lost": ("second_chargeback", -amount, 0) if before == "won" else None,
    }.get(kind)
    if found is None:
        return None
    about = entry["data"]["payment_id"], claim.provider, claim.provider_reference
    return Movement(entry, *about, *found)


def _money(
    claim: Claim, entry: Line, kind: str, moved: Movement | None, before: str | None
) -> Money:
    """By account, what the entry has to post."""
    amount, merchant = entry["amount"], entry["merchant_id"]
    available, hold = f"liability:{merchant}:available", f"liability:{merchant}:dispute_hold"
    disputed = f"asset:{claim.provider}:disputed"
    money: Money = Counter()
    if moved is not None:
        money[f"asset:{claim.provider}:receivable"] += moved.net
    match kind:
        case "refund.approved":
            money.update({available: amount, IN_TRANSIT: -amount})
        case "refund.succeeded":
            money.update({IN_TRANSIT: amount})
        case "refund.failed":
            money.update({available: -amount})
            money.update({} if moved else {IN_TRANSIT: amount})
        case "dispute.opened" if moved:
            money.update({disputed: amount, available: amount + moved.fee, hold: -amount})
        case "dispute.submitted" if moved:
            money.update({available: moved.fee})
        case "dispute.won" if moved:
            money.update({disputed: -amount, hold: amount, available: moved.fee - amount})
        case "dispute.lost" if before == "won":
            money.update({available: amount})
        case "dispute.lost":
            money.update({hold: amount, disputed: -amount})
    return money


def _count(walk: _Walk, claim: Claim, entry: Line, kind: str, before: str | None) -> None:
    """What is gone or disputed of the payment from here on."""
    payment_id, amount = entry["data"]["payment_id"], entry["amount"]
    if amount != claim.first["amount"] and not (kind == "dispute.opened" and before == "inquiry"):
        walk.add(entry, f"{amount} where {claim.first['amount']} was begun")
    if kind == "refund.requested":
        walk.gone[payment_id] += amount
    elif kind in ("refund.rejected", "refund.expired", "refund.failed"):
        walk.gone[payment_id] -= amount
    elif kind == "dispute.opened" and claim.stage != INQUIRY:
        walk.disputed[payment_id] += amount
        claim.first = entry
    elif kind == "dispute.won":
        walk.disputed[payment_id] -= amount
        if entry["data"]["fee_returned"] != claim.countered_fee:
            walk.add(entry, f"the fee of its answer was {claim.countered_fee}")
    elif kind == "dispute.lost":
        walk.lost[entry["ref"], amount] += 1
        walk.disputed[payment_id] += amount if before == "won" else 0


def _charged_back(walk: _Walk, entry: Line) -> None:
    key = str((entry["data"] or {}).get("dispute_id")), int(entry["amount"])
    if walk.lost[key] < 1:
        walk.add(entry, f"charged back by {key[0]}, which did not lose {key[1]}")
    walk.lost[key] -= 1


def _must_post(walk: _Walk, entry: Line, money: Money) -> None:
    posted: Money = Counter()
    for posting in entry["postings"] or []:
        posted[posting["account"]] += posting["amount"]
    wanted = {account: amount for account, amount in money.items() if amount}
    if {account: amount for account, amount in posted.items() if amount} != wanted:
        walk.add(entry, f"{entry['type']} moves {dict(posted)}, its facts make {wanted}")


def by_effect(movements: list[Movement]) -> dict[tuple[str, str], list[Movement]]:
    """The movements of each claim, by its id and effect."""
    found: dict[tuple[str, str], list[Movement]] = defaultdict(list)
    for one in movements:
        found[str(one.entry["ref"]), one.effect].append(one)
    return found


def check_claim_truth(
    books: dict[str, list[Line]], movements: list[Movement], report: Report
) -> None:
    """Each movement really happened, once and for that amount; what happened is booked."""
    really: dict[tuple[str, str, str], list[Line]] = defaultdict(list)
    for provider in ("providerA", "providerB"):
        for line in books.get(f"data/providers/{provider}_truth.jsonl", []):
            if line["operation"] in EFFECTS:
                key = provider, line["provider_reference"] or "", line["operation"]
                really[key].append(line)
    if not any(books.get(f"data/providers/provider{x}_truth.jsonl") for x in "AB"):
        return  # a home without its providers
    for one in movements:
        found = really.pop((one.provider, one.provider_reference, one.effect), [])
        size = one.fee if one.effect == "dispute_fee" else abs(one.gross)
        report.saw("claims are true")
        if [(line["amount"], line["currency"]) for line in found] != [
            (size, one.entry["currency"])
        ]:
            message = f"{one.entry['ref']}: {one.effect}, and {one.provider} did no such thing once"
            report.add("claims are true", one.entry.path, one.entry.number, message)
    for (_, name, effect), lines in really.items():
        message = f"{name}: {effect} really happened, and is not in the ledger"
        report.add("claims are true", lines[0].path, lines[0].number, message)
