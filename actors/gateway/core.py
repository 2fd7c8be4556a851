"""The gateway as an actor: which room decides what, which books it keeps, what it snapshots."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from actors.gateway import (
    breakers,
    canaries,
    card_news,
    carried_faults,
    cases,
    challenge_answers,
    challenges,
    commands,
    dispute_facts,
    disputes,
    dry_run,
    folds,
    holds,
    idempotency,
    notices,
    outcomes,
    parked_facts,
    payouts,
    people,
    refunds,
    rule_files,
    rules_taken,
    settled,
    snapshots,
)
from actors.gateway import endpoints as webhooks
from actors.gateway.booking import (
    ACCESS,
    DISPUTES,
    LEDGER,
    OUTBOX,
    REFUNDS,
    ledger_book,
    read_outbox,
)
from actors.gateway.facts import read_event
from actors.gateway.settings import Rules
from actors.gateway.state import GatewayState
from payrail.domain.access import read_record
from payrail.domain.books import (
    ACCESS_BOOK,
    DISPUTES_BOOK,
    LEDGER_BOOK,
    OUTBOX_BOOK,
    REFUNDS_BOOK,
)
from payrail.domain.ledger import read_entry
from payrail.domain.messages import (
    AskAgain,
    AttemptTimeout,
    AuthorizePayment,
    BreakerPause,
    CancelPayment,
    CapturePayment,
    CardKnown,
    CardRefused,
    Command,
    CreatePayment,
    Outcome,
)
from payrail.domain.words.access import (
    AddKey,
    AddMerchant,
    AddUser,
    DeactivateUser,
    RevokeKey,
    RotateKey,
)
from payrail.domain.words.cards import CardForgotten, CardNews
from payrail.domain.words.cases import CloseCase
from payrail.domain.words.disputes import (
    AcceptDispute,
    AddEvidence,
    CreateDispute,
    RuleDispute,
    SubmitDispute,
)
from payrail.domain.words.dry_run import DryRun
from payrail.domain.words.endpoints import (
    AddEndpoint,
    DeleteEndpoint,
    DisableEndpoint,
    RotateEndpointSecret,
    SwitchEndpoint,
    UpdateEndpoint,
)
from payrail.domain.words.kinds import RECONCILER
from payrail.domain.words.payments import AnswerChallenge, ChallengeExpiry, HoldExpiry
from payrail.domain.words.payouts import (
    CreatePayout,
    PayoutPaidDue,
    PayoutsDue,
    ResolvePayout,
)
from payrail.domain.words.providers import ParkedNoticeDue, ProviderNotice
from payrail.domain.words.refunds import ApproveRefund, CreateRefund, RefundExpiry, RejectRefund
from payrail.domain.words.rules import RulesFound
from payrail.domain.words.settlement import AskBooks, BooksWhole, PaymentsSettled
from payrail.errors import RequestError
from payrail.runtime.actor import BookSpec, Message, Moment, Post, Send, Step

PEERS = ("frontdoor", "vault", "provider-a", "provider-b", "dispatcher", "reconciler")

_Decision = Callable[[GatewayState, Message, Moment, Rules], Step]

#: What others and timers tell, decided by rules that people made.
_TOLD: dict[type, _Decision] = {
    Outcome: outcomes.outcome,
    CardRefused: outcomes.card_refused,
    ProviderNotice: notices.notice,
    ParkedNoticeDue: notices.parked_due,
    HoldExpiry: holds.expired,
    RulesFound: rules_taken.found,
    DryRun: dry_run.shown,
    ChallengeExpiry: challenges.expired,
    PayoutsDue: payouts.run,
    PayoutPaidDue: payouts.paid_due,
}
_COMMANDS: dict[type, _Decision] = {
    CreatePayment: commands.create,
    AuthorizePayment: commands.authorize,
    CapturePayment: commands.capture,
    CancelPayment: commands.cancel,
    AnswerChallenge: challenge_answers.answer,
    CreateRefund: refunds.create,
    ApproveRefund: refunds.approve,
    RejectRefund: refunds.reject,
    CloseCase: cases.close,
    CreatePayout: payouts.create,
    ResolvePayout: payouts.resolve,
    CreateDispute: disputes.create,
    AddEvidence: disputes.add_evidence,
    SubmitDispute: disputes.submit,
    AcceptDispute: disputes.accept,
    RuleDispute: disputes.resolve,
    AddEndpoint: webhooks.add,
    UpdateEndpoint: webhooks.update,
    SwitchEndpoint: webhooks.switch,
    RotateEndpointSecret: webhooks.rotate,
    DeleteEndpoint: webhooks.delete,
    AddMerchant: people.add_merchant,
    AddUser: people.add_user,
    DeactivateUser: people.deactivate_user,
    AddKey: people.add_key,
    RotateKey: people.rotate_key,
    RevokeKey: people.revoke_key,
}


_DISPUTES: dict[str, _Decision] = {
    "dispute.fact": dispute_facts.fact,
    "dispute.notice": dispute_facts.notice,
    "dispute.parked": dispute_facts.parked_due,
    "dispute.due": dispute_facts.due,
    "dispute.wait": disputes.waited,
}


def _read_ledger(line: bytes) -> Struct:
    return read_entry(line)[1]


class Gateway:
    """See `payrail.runtime.actor.Actor`."""

    name = "gateway"
    books: Mapping[str, BookSpec] = {
        LEDGER: ledger_book(LEDGER_BOOK, _read_ledger),
        REFUNDS: ledger_book(REFUNDS_BOOK, _read_ledger),
        DISPUTES: ledger_book(DISPUTES_BOOK, _read_ledger),
        OUTBOX: BookSpec(OUTBOX_BOOK, read_outbox, "outbox"),
        ACCESS: BookSpec(ACCESS_BOOK, read_record, "access"),
    }

    def __init__(
        self, rules: Rules, peers: Sequence[str] = PEERS, files: Sequence[RulesFound] = ()
    ):
        """`files`: the rule files as this incarnation found them; without any, `rules` stand."""
        self._rules, self._files = rules, files
        self._in_force: tuple[tuple[str, ...], Rules] = ((), rules)
        self.peers = peers

    def rules(self, state: GatewayState) -> Rules:
        """What is decided by: the settings, and the texts in force. Made once for each change."""
        ended = canaries.is_over(state)
        texts = (*(kept.sha256 for kept in state.rules.values()), *(["canary"] if ended else []))
        if texts != self._in_force[0]:
            known = {name: kept.text for name, kept in state.rules.items()}
            made = rule_files.with_texts(self._rules, known)
            self._in_force = texts, canaries.without(made) if ended else made
        return self._in_force[1]

    def fresh(self) -> GatewayState:
        return GatewayState()

    def opened(self, state: GatewayState, moment: Moment) -> Step:
        """Show how providers, endpoints and people stand, and take rules that changed. The first
        house with `--demo` books its merchants, users and keys."""
        records = people.first(state, self._rules.demo, moment)
        step = rules_taken.opened(state, self._files, moment, self._rules)
        step.posts = [Post(ACCESS, record) for record in records]
        if not self._files:
            step.shows += breakers.views(state, self._rules.providers, moment)
        step.shows += webhooks.view(state)
        step.shows += people.views(state.people.after(records))
        payouts.opened(state, moment, step)
        card_news.opened(step, moment)
        return step

    def decide(self, state: GatewayState, message: Message, moment: Moment) -> Step:
        rules = self.rules(state)
        told = _DISPUTES.get(message.kind, self._decided)
        step = told(state, message, moment, rules)
        return notices.woken(state, parked_facts.woken(state, step, moment), moment)

    def _decided(self, state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
        told = _TOLD.get(type(message.body))
        if told is not None:
            return told(state, message, moment, rules)
        match message.body:
            case Command():
                return self._command(state, message, moment, rules)
            case CardKnown() as known:
                return card_news.known(state, known)
            case CardNews() as news:
                return card_news.told(state, news)
            case CardForgotten() as forgotten:
                return card_news.forgotten(state, forgotten)
            case AttemptTimeout():
                return outcomes.timed_out(state, message, moment)
            case AskAgain():
                return outcomes.ask_again(state, message, moment)
            case RefundExpiry():
                return refunds.expired(state, message, moment)
            case BreakerPause():
                return breakers.pause_over(state, message, moment)
            case AskBooks(id=ident):
                # Whoever is answered is so after our books were mended.
                return Step(out=[Send(RECONCILER, "books.whole", BooksWhole(ident))])
            case PaymentsSettled():
                return settled.settled(state, message, moment)
            case DisableEndpoint():
                return webhooks.disable(state, message, moment)
        raise NotImplementedError(message.kind)

    def _command(self, state: GatewayState, message: Message, moment: Moment, rules: Rules) -> Step:
        idempotency.must_not_outlive_its_key(message, moment)
        again = idempotency.seen_before(state, message, moment)
        if again is not None:
            return again
        try:
            step = _COMMANDS[type(message.body)](state, message, moment, rules)
        except RequestError as refusal:
            if not idempotency.is_kept(refusal):
                raise
            return idempotency.kept_refusal(refusal, message, moment)
        return carried_faults.carried(step, message.body.fault)

    def apply(self, state: GatewayState, event: Struct) -> None:
        folds.apply(state, event)

    def read_event(self, line: bytes) -> Struct:
        return read_event(line)

    def documents(self, state: GatewayState) -> dict[str, Any]:
        return snapshots.documents(state)

    def load(self, documents: Mapping[str, bytes]) -> GatewayState:
        return snapshots.load(documents)
