"""One provider as an actor: what comes in, and which of its rooms decides it.

The same class plays `provider-a` and `provider-b`; they differ in name, key and truth.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from actors.provider import (
    afterwards,
    batches,
    dispute_calls,
    door,
    faultfile,
    fraud_warnings,
    notices,
)
from actors.provider import state as provider_state
from actors.provider.answers import Table
from actors.provider.asks import answer_ask
from actors.provider.batches import Clerk
from actors.provider.calls import Desk, take, take_up
from actors.provider.drilling import clear, inject, spent_on, told_of
from actors.provider.seals import Unseal
from actors.provider.state import Order, ProviderState
from actors.provider.truth import truth_book
from payrail.domain.fault_rules import FaultRule
from payrail.domain.messages import (
    Ask,
    Charge,
    ClaimHold,
    ClearFaults,
    InjectFault,
    ReverseHold,
    TakeUp,
)
from payrail.domain.testcards import outcome_for
from payrail.domain.words.disputes import (
    CardholderDisputes,
    DisputeCall,
    IssuerRules,
    IssuerWarns,
)
from payrail.domain.words.providers import (
    NoticeDue,
    NoticePosted,
    RefundCapture,
    ReplyDue,
    SentBackDue,
)
from payrail.domain.words.settlement import CloseBatch, CutOff, StatementWritten
from payrail.runtime.actor import BookSpec, Message, Moment, Step


class Provider:
    """The actor `provider-a` or `provider-b`; see `payrail.runtime.actor.Actor`."""

    peers: Sequence[str] = ("vault", "gateway", "frontdoor", "reconciler")

    def __init__(
        self,
        name: str,
        public_name: str,
        *,
        unseal: Unseal,
        seed: int,
        test_cards: Table = outcome_for,
        faults: Mapping[str, FaultRule] | None = None,
    ) -> None:
        """`faults`: the rules of faults.toml, by id."""
        self.name = name
        self.books: Mapping[str, BookSpec] = {"truth": truth_book(public_name)}
        self._path = f"data/actors/{name}/state.json"
        self._desk = Desk(public_name, seed, unseal, test_cards)
        self._clerk = Clerk(public_name, seed)
        self._file_faults = faults or {}

    def fresh(self) -> ProviderState:
        return ProviderState()

    def opened(self, state: ProviderState, moment: Moment) -> Step:
        """Go on posting what nobody took, and writing the statement that was under way; begin the
        drills that are new in faults.toml."""
        step = batches.opened(self._clerk, state.batching, moment)
        step.errands.extend(notices.under_way(state, self._desk))
        step.events.extend(faultfile.news(state, self._file_faults))
        return step

    def apply(self, state: ProviderState, event: Struct) -> None:
        provider_state.apply(state, event)

    def read_event(self, line: bytes) -> Struct:
        return provider_state.read_event(line)

    def documents(self, state: ProviderState) -> dict[str, Any]:
        return provider_state.documents(state, self._path)

    def load(self, documents: Mapping[str, bytes]) -> ProviderState:
        return provider_state.load(documents, self._path)

    def decide(self, state: ProviderState, message: Message, moment: Moment) -> Step:
        match message.body:
            case Charge() | ClaimHold() | RefundCapture() | ReverseHold() as call:
                return self._take(state, order_of(call, message.deadline_ms), message, moment)
            case TakeUp() as timer:
                return self._take_up(state, timer, message, moment)
            case DisputeCall():
                return dispute_calls.called(self._desk, state, message, moment)
            case CardholderDisputes() | IssuerRules():
                return dispute_calls.in_time(self._desk, state, message, moment)
            case IssuerWarns():
                return fraud_warnings.warned(self._desk, state, message, moment)
            case SentBackDue():
                return afterwards.sent_back(self._desk, state, message, moment)
            case NoticePosted() | NoticeDue() | ReplyDue():
                return self._notice(state, message, moment)
            case Ask() as ask:
                return answer_ask(state, ask, self._desk.provider, self._desk.seed)
            case CutOff() | CloseBatch() | StatementWritten():
                return self._batch(state, message, moment)
            case InjectFault() as drill:
                return inject(state, drill, message, moment)
            case ClearFaults() as order:
                return clear(state, order, message)
        if isinstance(message.body, door.Question):
            return door.at_the_door(self._desk, state, message, moment)
        raise ValueError(f"{self.name} has no answer to {message.kind}")

    def _take(self, state: ProviderState, order: Order, message: Message, moment: Moment) -> Step:
        step = afterwards.set_off(state, take(self._desk, state, order, moment), moment)
        return notices.with_notice(self._desk, state, order, step, message, moment)

    def _take_up(
        self, state: ProviderState, timer: TakeUp, message: Message, moment: Moment
    ) -> Step:
        step = afterwards.set_off(state, take_up(self._desk, state, timer, moment), moment)
        waiting = state.waiting.get(timer.reference)
        if waiting is None:
            return step
        order, at_the_door = waiting.order, waiting.asker is not None
        step = notices.with_notice(
            self._desk, state, order, step, message, moment, at_the_door=at_the_door
        )
        return door.answered_late(self._desk, state, step, message, waiting)

    def _batch(self, state: ProviderState, message: Message, moment: Moment) -> Step:
        clerk, batching, faults = self._clerk, state.batching, state.faults
        match message.body:
            case CutOff():
                return batches.cut_off(clerk, batching, faults, message, moment)
            case CloseBatch():
                return batches.close_extra(clerk, batching, faults, message, moment)
        used, left = spent_on(state, message.body)
        step = batches.finished(clerk, batching, left, message, moment)
        return told_of(step, used, message.body)

    def _notice(self, state: ProviderState, message: Message, moment: Moment) -> Step:
        match message.body:
            case NoticePosted() as posted if message.kind == "notice.taken":
                return notices.taken(state, posted, self._desk)
            case NoticePosted() as posted:
                return notices.failed(state, posted, moment)
            case ReplyDue() as timer:
                return notices.reply_due(state, timer, self._desk.provider)
        return notices.due(state, message.body, self._desk)


_OPERATIONS = {ClaimHold: "capture", RefundCapture: "refund", ReverseHold: "reverse"}


def order_of(
    call: Charge | ClaimHold | RefundCapture | ReverseHold, deadline_ms: int | None
) -> Order:
    """The four calls in one shape. A charge has no operation id of its own: its reference is."""
    if isinstance(call, Charge):
        return Order(
            operation="authorize",
            reference=call.reference,
            payment_id=call.payment_id,
            merchant_id=call.merchant_id,
            operation_id=call.reference,
            amount=call.amount,
            currency=call.currency,
            token=call.token,
            sealed=call.sealed,
            capture=call.capture,
            authenticated=call.authenticated,
            deadline_ms=deadline_ms,
            fault=call.fault,
        )
    return Order(
        operation=_OPERATIONS[type(call)],
        reference=call.reference,
        payment_id=call.payment_id,
        merchant_id=call.merchant_id,
        operation_id=call.operation_id,
        amount=call.amount,
        currency=call.currency,
        authorization=call.authorization,
        deadline_ms=deadline_ms,
        fault=call.fault,
    )
