"""The vault decides who may use a card and why; every answer leaves a line in the access log.

The line is in the journal before the card leaves: no purpose, no card; no log, no card.
A refusal is a step of its own, with its line, and never an exception that would leave none.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct

from actors.vault import deletion, usage
from actors.vault import state as vault_state
from actors.vault.access import PURPOSES, Wanted, access_line
from actors.vault.cardkeys import RecordMismatch
from actors.vault.cipher import Card
from actors.vault.refusals import CardWithheld, problem_of
from actors.vault.rotating import Rotator
from actors.vault.seals import ProviderKeyMissing, ProviderSeals
from actors.vault.state import EncryptedCard, TokenRecord, VaultState
from actors.vault.tokens import store, token_view
from actors.vault.worklist import CARDS_MAX, CardMover
from payrail.domain.messages import (
    PROVIDERS,
    CardRefused,
    Charge,
    ChargeCard,
    LookUpCard,
    StoreCard,
)
from payrail.domain.providers import actor_of, public_name
from payrail.domain.words.cards import AskCards, CardNews, CardShredded, DeleteCard
from payrail.domain.words.vault_keys import (
    EncryptAgain,
    KeyDropped,
    KeyMade,
    LookAtKeys,
    RotateKeys,
)
from payrail.runtime.actor import BookSpec, Message, Moment, Send, Step, answer

#: What each wish may be given for.
PURPOSES_OF = {
    "last4": ("support.last4",),
    "metadata": ("tokenize", "support.last4"),
    "sealed": ("charge.authorize",),
}


class CardOpener(CardMover, Protocol):
    """Collaborator of the vault: `cipher.VaultKeys`."""

    def open_card(self, token: str, stored: EncryptedCard) -> Card:
        """The card of `token`. Raises RecordMismatch."""

    def must_hold(self, cards: Iterable[EncryptedCard]) -> None:
        """Raises VaultSealed when the file of per-card keys is missing or too short for them."""


class Vault:
    """The actor `vault`; see `payrail.runtime.actor.Actor`."""

    name = "vault"
    books: Mapping[str, BookSpec] = {"access": vault_state.ACCESS_BOOK}
    peers: Sequence[str] = ("gateway", "vault.http", "frontdoor", *PROVIDERS)

    def __init__(
        self, cards: CardOpener, seals: ProviderSeals, *, moved_at_once: int = CARDS_MAX
    ) -> None:
        self._cards = cards
        self._seals = seals
        self._rotator = Rotator(cards, moved_at_once)

    def fresh(self) -> VaultState:
        return VaultState()

    def opened(self, state: VaultState, moment: Moment) -> Step:
        self._cards.must_hold(state.cards.values())
        step = self._rotator.opened(state, moment)
        step.errands += deletion.opened(state)
        return step

    def apply(self, state: VaultState, event: Struct) -> None:
        vault_state.apply(state, event)

    def read_event(self, line: bytes) -> Struct:
        return vault_state.read_event(line)

    def documents(self, state: VaultState) -> dict[str, Any]:
        return vault_state.documents(state)

    def load(self, documents: Mapping[str, bytes]) -> VaultState:
        return vault_state.load(documents)

    def decide(self, state: VaultState, message: Message, moment: Moment) -> Step:
        match message.body:
            case StoreCard() as order:
                return store(state, order, message, moment)
            case ChargeCard() as order:
                return self._charge(state, order, message, moment)
            case AskCards(id=ident):
                return Step(out=[Send("gateway", "cards.told", CardNews(ident))])
            case LookUpCard() as wish:
                return self._look_up(state, wish, message, moment)
            case RotateKeys() | LookAtKeys() | KeyMade() | EncryptAgain() | KeyDropped():
                return self._rotator.decide(state, message, moment)
            case DeleteCard() as order:
                return deletion.delete(state, order, message, moment)
            case CardShredded() as done:
                return deletion.shredded(state, done)
        raise ValueError(f"the vault has no answer to {message.kind}")

    def _charge(
        self, state: VaultState, order: ChargeCard, message: Message, moment: Moment
    ) -> Step:
        """Hand the card, sealed, to the provider; what remains of the deadline goes with it."""
        wanted = Wanted(
            who=message.sender,
            origin="mailbox",
            token=order.token,
            purpose=order.purpose,
            payment_id=order.payment_id,
            provider=order.provider,
            reference=order.reference,
        )
        line = access_line(message, moment, wanted, state.owner_of(order.token))
        try:
            _must_suit("sealed", order.purpose)
            record = _find(state, order.token, order.merchant_id)
            usage.must_serve(record, order.payment_id, moment)
            sealed = self._sealed(state, order.token, order.provider, order.reference)
        except CardWithheld as withheld:
            refused = CardRefused(order.payment_id, order.reference, withheld.code)
            return Step(
                posts=[line(f"refused:{withheld.code}")],
                out=[Send("gateway", "card.refused", refused, key=order.payment_id)],
            )
        charge, to = _charge_of(order, record.merchant_id, sealed), actor_of(order.provider)
        return Step(
            events=[*usage.used(order.token, record, order.payment_id)],
            posts=[line("allowed")],
            out=[Send(to, "charge", charge, order.payment_id, message.deadline_ms)],
        )

    def _look_up(
        self, state: VaultState, wish: LookUpCard, message: Message, moment: Moment
    ) -> Step:
        """Answer the HTTP door, or write down what the door has refused already."""
        wanted = Wanted(
            who=wish.who,
            origin=wish.origin,
            token=wish.token,
            purpose=wish.purpose,
            payment_id=wish.payment_id,
            provider=wish.provider,
            reference=wish.operation_id,
        )
        line = access_line(message, moment, wanted, state.owner_of(wish.token))
        try:
            body, events = self._wished(state, wish, moment)
        except CardWithheld as withheld:
            status, problem = problem_of(withheld.code, wish.want, message.correlation_id)
            return Step(
                posts=[line(f"refused:{withheld.code}")], replies=answer(message, status, problem)
            )
        return Step(events=[*events], posts=[line("allowed")], replies=answer(message, 200, body))

    def _wished(
        self, state: VaultState, wish: LookUpCard, moment: Moment
    ) -> tuple[dict[str, Any], Sequence[Struct]]:
        """What is told, and what there is to remember of it. Raises CardWithheld."""
        if wish.refused is not None:
            raise CardWithheld(wish.refused)
        _must_suit(wish.want, wish.purpose)
        record = _find(state, wish.token, wish.merchant_id)
        if wish.want == "last4":
            return {"last4": record.last4, "brand": record.brand}, ()
        if wish.want == "metadata":
            return token_view(wish.token, record), ()
        if wish.provider is None or wish.operation_id is None:
            raise CardWithheld("provider_unknown")
        serves = wish.payment_id or wish.operation_id
        usage.must_serve(record, serves, moment)
        sealed = self._sealed(state, wish.token, wish.provider, wish.operation_id)
        return {"sealed": sealed}, usage.used(wish.token, record, serves)

    def _sealed(self, state: VaultState, token: str, provider: str, reference: str) -> str:
        try:
            card = self._cards.open_card(token, state.cards[token])
            return self._seals.seal_for(_public(provider), reference, card)
        except RecordMismatch:
            raise CardWithheld("vault_record_mismatch") from None
        except ProviderKeyMissing:
            raise CardWithheld("provider_key_missing") from None


def _charge_of(order: ChargeCard, merchant_id: str, sealed: str) -> Charge:
    return Charge(
        payment_id=order.payment_id,
        reference=order.reference,
        merchant_id=merchant_id,
        token=order.token,
        amount=order.amount,
        currency=order.currency,
        sealed=sealed,
        capture=order.capture,
        authenticated=order.authenticated,
        fault=order.fault,
    )


def _must_suit(want: str, purpose: str) -> None:
    """Raises CardWithheld unless this may be wished for with that purpose."""
    if not purpose:
        raise CardWithheld("purpose_missing")
    if purpose not in PURPOSES:
        raise CardWithheld("purpose_unknown")
    if purpose not in PURPOSES_OF.get(want, ()):
        raise CardWithheld("purpose_refused")


def _find(state: VaultState, token: str, merchant_id: str | None) -> TokenRecord:
    record = state.token_of(token, merchant_id)
    if record is None:
        raise CardWithheld("unknown_token")
    return record


def _public(provider: str) -> str:
    """providerA for both of its spellings. Raises CardWithheld."""
    try:
        return public_name(provider)
    except KeyError:
        raise CardWithheld("provider_unknown") from None
