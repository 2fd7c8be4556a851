"""What is said about stored cards: to the vault, by it, and on a card's way to a provider."""

from msgspec import Struct

from payrail.domain.fault_rules import FaultRule
from payrail.domain.words.kinds import CHARGE_MS, ERRAND, asked, kind


class CardKnown(Struct, forbid_unknown_fields=True):
    """The vault has stored a card; all that the gateway may know of it."""

    token: str
    merchant_id: str
    brand: str
    bin: str
    last4: str
    fingerprint: str
    exp_month: int
    exp_year: int


class ChargeCard(Struct, forbid_unknown_fields=True):
    """Gateway to vault: hand this card, sealed, to that provider."""

    token: str
    merchant_id: str
    payment_id: str
    reference: str
    provider: str  # providerA
    amount: int
    currency: str
    purpose: str = "charge.authorize"
    capture: bool = False
    authenticated: str | None = None  # the provider's action that the cardholder passed
    fault: FaultRule | None = None  # what the request wants to go wrong with this charge


class CardRefused(Struct, forbid_unknown_fields=True):
    """The vault did not hand out the card; the provider never heard of it."""

    payment_id: str
    reference: str
    code: str  # unknown_token | expired_token | token_used | purpose_refused | …


class Charge(Struct, forbid_unknown_fields=True):
    """Vault to provider: `sealed` opens only with that provider's key and for this reference."""

    payment_id: str
    reference: str
    merchant_id: str
    token: str
    amount: int
    currency: str
    sealed: str
    capture: bool = False
    authenticated: str | None = None
    fault: FaultRule | None = None


class StoreCard(Struct, forbid_unknown_fields=True):
    """The vault's own HTTP door to the vault: already encrypted, a card number is not in it."""

    token: str
    merchant_id: str
    who: str
    origin: str
    brand: str
    bin: str
    last4: str
    fingerprint: str
    exp_month: int
    exp_year: int
    key_id: str
    ciphertext: str
    slot: int | None = None  # of the card's own key
    usage: str = "reusable"  # reusable | single_use
    expires_in_s: int | None = None  # of business time, from when it is stored


class DeleteCard(Struct, forbid_unknown_fields=True):
    """DELETE /tokens: nobody shall open this card any more."""

    token: str
    merchant_id: str | None
    who: str
    origin: str
    refused: str | None = None  # the door already refused: why


class ShredCard(Struct, forbid_unknown_fields=True):
    """The vault to its work: overwrite the card's own key."""

    token: str
    slot: int


class CardShredded(Struct, forbid_unknown_fields=True):
    """It is overwritten, and that is durable."""

    token: str


class CardForgotten(Struct, forbid_unknown_fields=True):
    """The vault has deleted a card: no payment may be begun with it."""

    token: str


class LookUpCard(Struct, forbid_unknown_fields=True):
    """/detokenize, /charge-token, GET /tokens: a look-up with its purpose, allowed or refused."""

    token: str
    merchant_id: str | None
    who: str
    origin: str
    purpose: str
    want: str  # last4 | metadata | sealed | nothing (a refusal that still leaves its line)
    provider: str | None = None
    payment_id: str | None = None
    operation_id: str | None = None
    refused: str | None = None  # the door already refused: why


class AskCards(Struct, forbid_unknown_fields=True):
    """Has everything come that you sent? Asked by a gateway that begins."""

    id: str


class CardNews(Struct, forbid_unknown_fields=True):
    """It has: messages come in the order in which they were sent, and those that were lost are
    sent again first."""

    id: str


KINDS = (
    kind("cards.ask", "gateway", AskCards),
    kind("cards.told", "vault", CardNews),
    kind("card.known", "vault", CardKnown),
    kind("card.forgotten", "vault", CardForgotten),
    kind("card.charge", "gateway", ChargeCard, deadline_ms=CHARGE_MS),
    kind("card.refused", "vault", CardRefused),
    asked("card.store", "vault.http", StoreCard),
    asked("card.lookup", "vault.http", LookUpCard),
    asked("card.delete", "vault.http", DeleteCard),
    kind("card.shredded", ERRAND, CardShredded),
    kind("charge", "vault", Charge, deadline_ms=CHARGE_MS),
)
