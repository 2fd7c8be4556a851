"""What the console understands of the API's answers; what it does not know it does not mind.

Every field beside an id has a default: a page about a payment must not die of a field that is new,
or of one that a later version leaves out.
"""

from typing import Any

import msgspec
from msgspec import Struct


class Card(Struct, frozen=True):
    brand: str = ""
    last4: str = ""
    bin: str = ""


class Attempt(Struct, frozen=True):
    number: int = 0
    provider: str = ""
    outcome: str = ""
    code: str | None = None
    latency_ms: int | None = None
    at: str = ""


class Capture(Struct, frozen=True):
    id: str = ""
    amount: int = 0
    provider_reference: str = ""
    settled_at: str | None = None


class Pending(Struct, frozen=True):
    operation: str = ""
    reference: str = ""
    since: str = ""


class NextAction(Struct, frozen=True):
    """Where the cardholder is sent: a path of the API."""

    url: str = ""
    expires_at: str | None = None


class Payment(Struct, frozen=True):
    id: str
    state: str = ""
    amount: int = 0
    amount_authorized: int = 0
    amount_capturable: int = 0
    amount_captured: int = 0
    amount_settled: int = 0
    amount_refunded: int = 0
    amount_disputed: int = 0
    amount_charged_back: int = 0
    currency: str = ""
    merchant_id: str | None = None
    payment_method: Card = Card()
    customer: dict[str, Any] | None = None
    capture_method: str = ""
    provider: str | None = None
    attempts: list[Attempt] = []
    captures: list[Capture] = []
    decline_code: str | None = None
    capture_before: str | None = None
    pending_operation: Pending | None = None
    next_action: NextAction | None = None
    metadata: dict[str, Any] = {}
    created_at: str = ""
    updated_at: str = ""


class Payments(Struct, frozen=True):
    data: list[Payment] = []
    next_cursor: str | None = None


class Posting(Struct, frozen=True):
    account: str = ""
    amount: int = 0
    currency: str = ""


class Entry(Struct, frozen=True):
    seq: int = 0
    event_id: str = ""
    type: str = ""
    ref: str = ""
    timestamp: str = ""
    amount: int | None = None
    currency: str | None = None
    postings: list[Posting] = []
    correlation_id: str = ""
    hash: str = ""


class Ledger(Struct, frozen=True):
    """Entries as they stand in the books."""

    entries: list[msgspec.Raw] = []


class Subject(Struct, frozen=True):
    """What an event is about, as far as a line of activity shows it."""

    id: str = ""
    object: str = ""
    state: str = ""
    amount: int | None = None
    currency: str | None = None


class About(Struct, frozen=True):
    object: Subject = Subject()


class Event(Struct, frozen=True):
    id: str
    seq: int
    type: str = ""
    timestamp: str = ""
    merchant_id: str | None = None
    data: About = About()


class Events(Struct, frozen=True):
    data: list[Event] = []
    has_more: bool = False
    next_cursor: str | None = None


class Window(Struct, frozen=True):
    seconds: int = 0
    calls: int = 0
    failures: int = 0
    failures_in_a_row: int = 0


class Breaker(Struct, frozen=True):
    state: str = "CLOSED"
    opened_at: str | None = None
    window: Window | None = None
    next_probe_at: str | None = None


class Provider(Struct, frozen=True):
    id: str
    actor: str = ""
    state: str = ""
    health: str = ""
    breaker: Breaker = Breaker()


class Providers(Struct, frozen=True):
    data: list[Provider] = []


class Balance(Struct, frozen=True):
    account: str
    currency: str
    amount: int


class Balances(Struct, frozen=True):
    data: list[Balance] = []


class ActorRow(Struct, frozen=True):
    name: str
    state: str = ""
    epoch: int = 0
    restarts: int = 0
    backlog: int = 0


class Health(Struct, frozen=True):
    status: str = ""
    actors: list[ActorRow] = []


class Refusal(Struct, frozen=True):
    """The words of a problem."""

    code: str = ""
    detail: str = ""
