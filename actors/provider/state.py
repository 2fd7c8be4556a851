"""What a provider knows: its operations, what it refused for good, and its drills.

Owns: data/actors/<name>/state.json.
Never: holds a card number. A charge that waits to be taken up keeps its seal, unopened.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from actors.provider import batches
from actors.provider.batches import (
    BatchEnded,
    Batching,
    BatchingBegan,
    StatementBegun,
    StatementFinished,
)
from actors.provider.disputes import Dispute, DisputeMoved, DisputeOpened, fold_dispute
from actors.provider.owed import (
    HELD,
    Notice,
    NoticeBegun,
    NoticeOwed,
    NoticePutOff,
    NoticeTaken,
    fold_notice,
)
from actors.provider.rules import spent
from actors.provider.truth import Truth
from payrail.domain.fault_rules import FaultRule
from payrail.domain.settlement.lines import ChargeOf
from payrail.domain.testcards import Later
from payrail.domain.timestamps import iso
from payrail.domain.words.providers import Action
from payrail.errors import LineDamaged
from payrail.runtime.actor import Asker

#: Why a call waits that its provider has said to be received: a refund of a test card, a name.
PENDING_REFUND, PENDING_NAME = "pending", "name:PENDING"
PENDING = (PENDING_REFUND, PENDING_NAME)


class Order(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call for money: a charge, a capture or a reversal in one shape."""

    operation: str  # authorize | capture | refund | reverse
    reference: str  # our key for it; the same one is the same call
    payment_id: str
    merchant_id: str
    operation_id: str
    amount: int
    currency: str
    token: str | None = None  # of a charge
    sealed: str | None = None  # of a charge
    capture: bool = False  # of a charge: capture at once
    authenticated: str | None = None  # of a charge: the action that its cardholder passed
    authorization: str | None = None  # of the others: the reference of the charge
    deadline_ms: int | None = None  # wire time
    correlation_id: str = ""  # of a call at the inner door
    fault: FaultRule | None = None  # what its request wants to go wrong


class CardShown(Struct, frozen=True, omit_defaults=True):
    """What a provider shows of the card of a charge."""

    last4: str
    exp_month: int
    exp_year: int
    funding: str = ""  # credit | debit | prepaid, where the BIN is known
    country: str = ""


class Charged(Struct, frozen=True, omit_defaults=True):
    """How a charge stood when a call about it ended: its answer says this, also much later."""

    captured: int = 0
    reversed: int = 0
    refunded: int = 0


class Operation(Struct, omit_defaults=True):
    """A call that is finished; of an approved charge also what became of its hold."""

    operation: str
    payment_id: str
    merchant_id: str
    token: str | None
    amount: int  # what really happened, whatever was asked for
    currency: str
    result: str  # approved | declined | requires_action
    code: str
    provider_reference: str | None
    is_documented: bool
    captured: int = 0
    reversed: int = 0
    refunded: int = 0
    asked: int = 0  # the amount that was asked for
    authorization: str | None = None  # whose hold a capture, refund or reversal is about
    later: str | None = None  # what a test card does after its charge
    brand: str = ""  # of the card of a charge
    operation_id: str = ""  # the asker's own name for it
    action: Action | None = None  # what its cardholder is to do; nothing was charged
    authenticated: str | None = None  # the action that let this charge happen
    at_ms: int = 0  # business time of its end
    card: CardShown | None = None  # of a charge
    after: Charged = Charged()
    correlation_id: str = ""  # of the first call, where it came by the inner door
    number: int | None = None  # of the refusal at providerB, where a name asked for it

    @property
    def as_charge(self) -> ChargeOf:
        """A charge as the lines about it show it."""
        return ChargeOf(
            id=self.provider_reference or "",
            at=iso(self.at_ms),
            brand=self.brand,
            funding=self.card.funding if self.card else "",
            country=self.card.country if self.card else "",
            is_available_at_once=self.later == Later.FUNDS_AT_ONCE,
        )

    @property
    def left(self) -> int:
        """What is still held, in minor units."""
        return self.amount - self.captured - self.reversed

    @property
    def refundable(self) -> int:
        """What was captured and not paid back, in minor units."""
        return self.captured - self.refunded


class Waiting(Struct, frozen=True, omit_defaults=True):
    """A call that was taken in and not answered. `due_ms` None: it never answers by itself."""

    order: Order
    is_documented: bool
    due_ms: int | None
    fence: bool  # an ask before `due_ms` refuses it for good
    fault: str
    name: str = ""  # the provider's own, where it was told already
    asker: Asker | None = None  # who waits at the inner door

    @property
    def is_pending(self) -> bool:
        """Whether it was told that it waits, and ends by itself without being asked."""
        return self.fault in PENDING


class OperationFinished(Struct, frozen=True, tag_field="type", tag="operation.finished"):
    reference: str
    done: Operation
    authorization: str | None = None  # whose hold a capture or reversal takes from


class RefundSentBack(Struct, frozen=True, tag_field="type", tag="refund.sent_back"):
    """The cardholder's bank did not take a refund that had succeeded."""

    reference: str
    code: str


class CallTakenIn(Struct, frozen=True, tag_field="type", tag="call.taken_in"):
    """A call hangs, or is taken up later."""

    waiting: Waiting


class ReferenceFenced(Struct, frozen=True, tag_field="type", tag="reference.fenced"):
    """This reference is refused for good."""

    reference: str


class CallRefused(Struct, frozen=True, tag_field="type", tag="call.refused"):
    """A call that waited is refused when its time comes: fenced or expired by then."""

    reference: str


class FaultInjected(Struct, frozen=True, tag_field="type", tag="fault.injected"):
    id: str
    rule: FaultRule
    user_id: str


class FaultUsed(Struct, frozen=True, tag_field="type", tag="fault.used"):
    id: str


class FaultsCleared(Struct, frozen=True, tag_field="type", tag="faults.cleared"):
    user_id: str


class FaultsRead(Struct, frozen=True, tag_field="type", tag="faults.read"):
    """What faults.toml holds, by id: rules that are gone from it end."""

    ids: list[str]


Event = (
    OperationFinished
    | RefundSentBack
    | CallTakenIn
    | ReferenceFenced
    | CallRefused
    | FaultInjected
    | FaultUsed
    | FaultsCleared
    | FaultsRead
    | DisputeOpened
    | DisputeMoved
    | NoticeOwed
    | NoticeBegun
    | NoticePutOff
    | NoticeTaken
    | BatchingBegan
    | BatchEnded
    | StatementBegun
    | StatementFinished
)


class ProviderState(Struct):
    operations: dict[str, Operation] = {}  # by reference
    waiting: dict[str, Waiting] = {}  # by reference
    fenced: dict[str, bool] = {}  # by reference
    faults: dict[str, FaultRule] = {}  # by id, oldest first
    file_faults: list[str] = []  # ids of those in faults.toml, also of used and cleared ones
    disputes: dict[str, Dispute] = {}  # by reference
    dispute_names: dict[str, str] = {}  # a dispute's other names -> its reference
    notices: dict[str, Notice] = {}  # by id; those that nobody took yet
    batching: Batching = field(default_factory=Batching)
    held_notice: str = ""  # id of the one that waits for another to overtake it
    actions: dict[str, str] = {}  # that no charge has used -> reference of the charge that asked


_decode_event: Callable[[bytes], Struct] = msgspec.json.Decoder(Event).decode
_decode_state = msgspec.json.Decoder(ProviderState).decode


def read_event(line: bytes) -> Struct:
    """An event of a provider. Raises LineDamaged."""
    try:
        return _decode_event(line)
    except msgspec.MsgspecError as error:
        raise LineDamaged(f"not an event of a provider: {error}") from error


def apply(state: ProviderState, event: Struct) -> None:
    """Fold one event. Of the truth only its lines are counted: the events say all that it says."""
    match event:
        case OperationFinished():
            _finish(state, event)
        case CallTakenIn(waiting=waiting):
            state.waiting[waiting.order.reference] = waiting
        case ReferenceFenced(reference=reference):
            state.fenced[reference] = True
        case CallRefused(reference=reference):
            state.waiting.pop(reference, None)
        case FaultInjected(id=rule_id, rule=rule):
            state.faults[rule_id] = rule
        case FaultUsed(id=rule_id) if rule_id in state.faults:
            _use(state, rule_id)
        case FaultsCleared():
            state.faults.clear()
        case FaultsRead(ids=ids):
            for gone in set(state.file_faults) - set(ids):
                state.faults.pop(gone, None)
            state.file_faults = list(ids)
        case DisputeOpened() | DisputeMoved() | RefundSentBack():
            _fold_afterwards(state, event)
        case NoticeOwed() | NoticeBegun() | NoticePutOff() | NoticeTaken():
            _fold_notice(state, event)
        case Truth() | BatchingBegan() | BatchEnded() | StatementBegun() | StatementFinished():
            batches.fold(state.batching, event)


def _fold_notice(
    state: ProviderState, event: NoticeOwed | NoticeBegun | NoticePutOff | NoticeTaken
) -> None:
    fold_notice(state.notices, event)
    if isinstance(event, NoticeOwed):
        if event.notice.state == HELD:
            state.held_notice = event.notice.id
    elif event.id == state.held_notice:
        state.held_notice = ""


def _finish(state: ProviderState, event: OperationFinished) -> None:
    state.operations[event.reference] = msgspec.structs.replace(event.done)
    state.waiting.pop(event.reference, None)
    state.actions.pop(event.done.authenticated or "", None)
    if event.done.action is not None:
        state.actions[event.done.action.id] = event.reference
    hold = state.operations.get(event.authorization or "")
    if hold is None or event.done.result != "approved":
        return
    if event.done.operation == "capture":
        hold.captured += event.done.amount
    elif event.done.operation == "refund":
        hold.refunded += event.done.amount
    else:
        hold.reversed += event.done.amount


def _fold_afterwards(
    state: ProviderState, event: DisputeOpened | DisputeMoved | RefundSentBack
) -> None:
    """What comes after a call went well: its holder disputes it, or a bank sends it back."""
    if not isinstance(event, RefundSentBack):
        fold_dispute(state.disputes, state.dispute_names, event)
        return
    refund = state.operations[event.reference]
    refund.result, refund.code = "declined", event.code
    state.operations[refund.authorization or ""].refunded -= refund.amount


def _use(state: ProviderState, rule_id: str) -> None:
    rest = spent(state.faults[rule_id])
    if rest is None:
        del state.faults[rule_id]
    else:
        state.faults[rule_id] = rest  # In its place: the oldest rule stays the first.


def documents(state: ProviderState, path: str) -> dict[str, Any]:
    """The state as its one document."""
    return {path: msgspec.structs.asdict(state)}


def load(found: Mapping[str, bytes], path: str) -> ProviderState:
    """The state that `documents` wrote. Raises LineDamaged."""
    try:
        return _decode_state(found[path])
    except (KeyError, msgspec.MsgspecError) as error:
        raise LineDamaged(f"not the document of a provider: {error}") from error
