"""The vault: who may use a card and why, and the line that every answer leaves."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.provider.seals import HpkeUnseal, SealUnopened
from actors.provider.seals import open_keys as open_provider_keys
from actors.vault.access import shown_token
from actors.vault.cardkeys import RecordMismatch
from actors.vault.cipher import Card, VaultKeys
from actors.vault.core import Vault
from actors.vault.keys import open_keys
from actors.vault.seals import HpkeSeals
from actors.vault.state import EncryptedCard
from payrail.domain.messages import ChargeCard, LookUpCard, StoreCard
from payrail.errors import LineDamaged
from payrail.storage.fs import RealFs
from tests.actors.pure import NOON_MS, Played, SeededRng, StillClock

NUMBER = "4242424242424242"
CARD = Card(NUMBER, 12, 2030, "Ada")


@pytest.fixture
def fs(tmp_path: Path) -> RealFs:
    return RealFs(str(tmp_path))


@pytest.fixture
def keys(fs: RealFs) -> VaultKeys:
    return open_keys(fs, StillClock(), SeededRng())


@pytest.fixture
def unseal(fs: RealFs) -> HpkeUnseal:
    return HpkeUnseal(open_provider_keys(fs, SeededRng(7), "provider-a", "providerA"), "providerA")


@pytest.fixture
def vault(fs: RealFs, keys: VaultKeys, unseal: HpkeUnseal) -> Played:
    """A vault that holds tok_1 of m_001."""
    played = Played(Vault(keys, HpkeSeals(fs)))
    played.tell("card.store", stored(keys, "tok_1"), sender="vault.http", reply_to="req_1")
    return played


def stored(keys: VaultKeys, token: str, card: Card = CARD, **fields: Any) -> StoreCard:
    encrypted = keys.encrypt(token, card)
    order = StoreCard(
        token=token,
        merchant_id="m_001",
        who="key_1",
        origin="127.0.0.1",
        brand="visa",
        bin=card.number[:6],
        last4=card.number[-4:],
        fingerprint=keys.fingerprint("m_001", card.number),
        exp_month=card.exp_month,
        exp_year=card.exp_year,
        key_id=encrypted.key_id,
        ciphertext=encrypted.ciphertext,
        slot=encrypted.slot,
    )
    return msgspec.structs.replace(order, **fields)


CHARGE = ChargeCard("tok_1", "m_001", "pi_1", "pi_1.1", "providerA", 1099, "USD")
WISH = LookUpCard("tok_1", "m_001", "key_1", "127.0.0.1", "support.last4", "last4")


def line_of(step):
    (post,) = step.posts
    assert post.book == "access"
    return post.record


def test_a_stored_card_is_told_to_the_gateway_before_the_answer(vault: Played):
    """card.known, the access line `tokenize` and the 201 belong to one step."""
    step: Any = vault.steps[0]
    (known,) = step.out
    (reply,) = step.replies

    assert (known.to, known.kind, known.body.token) == ("gateway", "card.known", "tok_1")
    assert (line_of(step).purpose, line_of(step).outcome) == ("tokenize", "allowed")
    assert reply.status == 201
    assert list(reply.body) == [
        "token",
        "brand",
        "bin",
        "last4",
        "fingerprint",
        "exp_month",
        "exp_year",
        "usage",
        "expires_at",
    ]


def test_a_line_names_whose_token_it_is_and_for_whom_a_card_was_sealed(vault: Played):
    """Merchant, provider and reference stand in a line where there is such a thing, and only
    there: a line about a token that nobody has names no merchant."""
    charged = line_of(vault.tell("card.charge", CHARGE, sender="gateway"))
    shown = line_of(vault.tell("card.lookup", WISH, sender="vault.http", reply_to="req_2"))
    unknown = msgspec.structs.replace(WISH, token="tok_2")
    guessed = line_of(vault.tell("card.lookup", unknown, sender="vault.http", reply_to="req_3"))

    assert (charged.merchant_id, charged.provider, charged.reference) == (
        ("m_001", "providerA", "pi_1.1")
    )
    assert (shown.merchant_id, shown.provider) == ("m_001", None)
    assert guessed.merchant_id is None
    assert b"merchant_id" not in msgspec.json.encode(guessed)


def test_a_charge_leaves_a_line_and_a_seal_for_one_provider_and_one_reference(
    vault: Played, unseal: HpkeUnseal
):
    """The remaining deadline goes with the card, and the seal opens nowhere else."""
    step = vault.tell("card.charge", CHARGE, deadline_ms=NOON_MS + 7)
    (charge,) = step.out

    assert (charge.to, charge.kind, charge.deadline_ms) == ("provider-a", "charge", NOON_MS + 7)
    line = line_of(step)
    assert (line.who, line.purpose, line.payment_id, line.outcome) == (
        "gateway",
        "charge.authorize",
        "pi_1",
        "allowed",
    )
    assert unseal.open_seal(charge.body.sealed, "pi_1.1").number == NUMBER
    with pytest.raises(SealUnopened):
        unseal.open_seal(charge.body.sealed, "pi_1.2")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"token": "tok_9"}, "unknown_token"),
        ({"merchant_id": "m_002"}, "unknown_token"),
        ({"purpose": "support.last4"}, "purpose_refused"),
        ({"purpose": ""}, "purpose_missing"),
        ({"purpose": "curiosity"}, "purpose_unknown"),
        ({"provider": "providerB"}, "provider_key_missing"),
        ({"provider": "../secrets"}, "provider_unknown"),
    ],
)
def test_a_refused_charge_leaves_its_line_and_no_card(vault: Played, changes, code):
    """Without a right to it the card stays, the gateway is told why, and the log says so."""
    step = vault.tell("card.charge", msgspec.structs.replace(CHARGE, **changes))
    (refused,) = step.out

    assert (refused.to, refused.kind, refused.body.code) == ("gateway", "card.refused", code)
    assert line_of(step).outcome == f"refused:{code}"


def test_a_ciphertext_under_another_token_does_not_open(vault: Played, keys: VaultKeys):
    """Swapping two records is found out, not charged."""
    other = Card("5555555555554444", 1, 2031)
    vault.tell("card.store", stored(keys, "tok_2", other), sender="vault.http", reply_to="r")
    cards = vault.state.cards
    cards["tok_1"], cards["tok_2"] = cards["tok_2"], cards["tok_1"]

    assert vault.tell("card.charge", CHARGE).out[0].body.code == "vault_record_mismatch"


def test_a_card_does_not_open_under_another_key_id(keys: VaultKeys):
    """The key id is bound inside, as the token is."""
    stored_card = keys.encrypt("tok_1", CARD)

    with pytest.raises(RecordMismatch):
        keys.open_card("tok_1", EncryptedCard("k2", stored_card.ciphertext))
    assert keys.open_card("tok_1", stored_card) == CARD


@pytest.mark.parametrize(
    ("changes", "status", "code", "outcome"),
    [
        ({}, 200, None, "allowed"),
        ({"merchant_id": None}, 200, None, "allowed"),
        ({"want": "metadata"}, 200, None, "allowed"),
        ({"want": "metadata", "token": "tok_9"}, 404, "not-found", "refused:unknown_token"),
        ({"merchant_id": "m_002"}, 422, "unknown-token", "refused:unknown_token"),
        ({"purpose": ""}, 422, "validation-error", "refused:purpose_missing"),
        ({"purpose": "delete"}, 403, "forbidden", "refused:purpose_refused"),
        ({"want": "nothing", "refused": "role"}, 403, "forbidden", "refused:role"),
    ],
)
def test_every_look_up_leaves_one_line(vault: Played, changes, status, code, outcome):
    """Allowed or refused, by the vault or by its door: one line, one answer."""
    wish = msgspec.structs.replace(WISH, **changes)
    step = vault.tell("card.lookup", wish, sender="vault.http", reply_to="req_2")
    (reply,) = step.replies

    assert (reply.to, reply.re, reply.status) == ("vault.http", "req_2", status)
    assert reply.body.get("code") == code
    assert line_of(step).outcome == outcome


def test_a_look_up_shows_four_digits_and_the_brand(vault: Played):
    """support.last4 gives out nothing else."""
    step = vault.tell("card.lookup", WISH, sender="vault.http", reply_to="r")

    assert step.replies[0].body == {"last4": "4242", "brand": "visa"}


def test_a_sealed_look_up_is_bound_to_its_operation(vault: Played, unseal: HpkeUnseal):
    """/charge-token seals for the provider and the operation that were named."""
    wish = msgspec.structs.replace(
        WISH, want="sealed", purpose="charge.authorize", provider="provider-a", operation_id="op_1"
    )
    step = vault.tell("card.lookup", wish, sender="vault.http", reply_to="r")

    assert unseal.open_seal(step.replies[0].body["sealed"], "op_1").number == NUMBER


def test_what_was_sent_as_a_token_is_not_logged_when_it_is_none(vault: Played):
    """A card number sent in place of a token or purpose does not reach the access log."""
    wish = msgspec.structs.replace(WISH, token=NUMBER, purpose=NUMBER)
    line = line_of(vault.tell("card.lookup", wish, sender="vault.http", reply_to="r"))

    assert (line.token, line.purpose) == ("tok_unreadable", "unknown")


def test_replay_and_documents_give_the_same_vault(vault: Played):
    """The journal's bytes, or the documents, are all that the vault is."""
    vault.tell("card.charge", CHARGE)

    assert vault.replayed() == vault.state
    assert vault.actor.load(vault.snapshot()) == vault.state
    with pytest.raises(LineDamaged):
        vault.actor.load({**vault.snapshot(), "data/vault/tokens.json": b'{"tokens":{}}'})


class PlainSeals:
    """A seal that is the same each time; for tests alone."""

    def seal_for(self, provider: str, reference: str, card: Card) -> str:
        return f"sealed.{provider}.{reference}.{card.exp_year}"


def test_the_same_messages_give_the_same_steps(keys: VaultKeys):
    """Nothing but state, message and moment decides."""
    order = stored(keys, "tok_1")
    runs = [Played(Vault(keys, PlainSeals())) for _ in range(2)]
    for played in runs:
        played.tell("card.store", order, sender="vault.http", reply_to="r")
        played.tell("card.charge", CHARGE)

    assert runs[0].steps == runs[1].steps


def test_no_card_number_leaves_the_vault(vault: Played):
    """Neither a step, nor a document, nor a repr, nor the key file holds the number."""
    vault.tell("card.charge", CHARGE)
    vault.tell("card.lookup", WISH, sender="vault.http", reply_to="r")

    assert NUMBER.encode() not in vault.everything()
    assert b'"tok_1"' in vault.everything()
    assert NUMBER not in repr(CARD)
    assert NUMBER not in repr(vault.steps)


def test_a_fingerprint_says_nothing_across_merchants(keys: VaultKeys):
    """The same card is recognised at one merchant and not between two."""
    assert keys.fingerprint("m_001", NUMBER) == keys.fingerprint("m_001", NUMBER)
    assert keys.fingerprint("m_001", NUMBER) != keys.fingerprint("m_002", NUMBER)


def test_a_fingerprint_says_nothing_without_the_houses_key(keys: VaultKeys, tmp_path: Path):
    """Whoever can guess a number cannot tell whether its fingerprint is this one."""
    fs = RealFs(str(tmp_path / "another"))
    another = open_keys(fs, StillClock(), SeededRng(seed=1))

    assert keys.fingerprint("m_001", NUMBER) != another.fingerprint("m_001", NUMBER)


def test_a_card_compares_by_its_digits():
    """Two cards are one only if every field is."""
    assert replace(CARD) == CARD
    assert replace(CARD, exp_year=2031) != CARD


def test_a_token_with_many_digits_is_a_token() -> None:
    """Tokens are random hex: a run of twelve digits in one is chance, and it must be looked up."""
    token = "tok_123456789012abcdefabcdefabcdefab"
    assert shown_token(token) == token
    assert shown_token("tok_4242424242424242") == "tok_unreadable"
