"""Tokens that end: for one payment, for a time, and cards that nobody can open any more."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from actors.provider.seals import open_keys as open_provider_keys
from actors.vault.cardkeys import BLOCK_SLOTS, CardKeys, RecordMismatch, shred_card
from actors.vault.cipher import Card, VaultKeys
from actors.vault.core import Vault
from actors.vault.keys import open_keys
from actors.vault.seals import HpkeSeals
from actors.vault.state import EncryptedCard
from payrail.domain.cardslots import CARD_KEYS, SLOT_BYTES, Slot, state_of
from payrail.domain.messages import ChargeCard, LookUpCard
from payrail.domain.words.cards import CardShredded, DeleteCard, ShredCard
from payrail.errors import BadSettings
from payrail.runtime.actor import Moment
from payrail.runtime.sim import SimFs
from payrail.storage.fs import RealFs
from tests.actors.pure import NOON_MS, Played, SeededRng, StillClock
from tests.actors.test_vault_core import CARD, NUMBER, line_of, stored

CHARGE = ChargeCard("tok_1", "m_001", "pi_1", "pi_1.1", "providerA", 1099, "USD")
DELETE = DeleteCard("tok_1", "m_001", "usr_1", "http")


@pytest.fixture
def fs(tmp_path: Path) -> RealFs:
    fs = RealFs(str(tmp_path), durable=False)
    open_provider_keys(fs, SeededRng(7), "provider-a", "providerA")
    open_provider_keys(fs, SeededRng(8), "provider-b", "providerB")
    return fs


@pytest.fixture
def keys(fs: RealFs) -> VaultKeys:
    return open_keys(fs, StillClock(), SeededRng())


def vault_with(fs: RealFs, keys: VaultKeys, **fields: Any) -> Played:
    """A vault that holds tok_1 of m_001."""
    played = Played(Vault(keys, HpkeSeals(fs)))
    order = stored(keys, "tok_1", **fields)
    played.tell("card.store", order, sender="vault.http", reply_to="req_1")
    return played


def charged(vault: Played, payment: str = "pi_1", number: int = 1, to: str = "providerA") -> str:
    """`charge`, or why not."""
    order = msgspec.structs.replace(
        CHARGE, payment_id=payment, reference=f"{payment}.{number}", provider=to
    )
    (sent,) = vault.tell("card.charge", order).out
    return str(sent.kind if sent.kind == "charge" else sent.body.code)


def delete(vault: Played, reply_to: str = "del_1", **fields: Any) -> Any:
    order = msgspec.structs.replace(DELETE, **fields)
    return vault.tell("card.delete", order, sender="vault.http", reply_to=reply_to)


def test_a_single_use_token_serves_every_attempt_of_one_payment(fs: RealFs, keys: VaultKeys):
    """Failover and a retry after a challenge go out; another payment is refused, and logged."""
    vault = vault_with(fs, keys, usage="single_use")

    assert [charged(vault), charged(vault, number=2, to="providerB")] == ["charge", "charge"]
    assert charged(vault, "pi_2") == "token_used"
    assert line_of(vault.steps[-1]).outcome == "refused:token_used"
    assert vault.replayed().tokens["tok_1"].used_by == "pi_1"


def test_a_reusable_token_serves_any_payment(fs: RealFs, keys: VaultKeys):
    """That is what it is for, and nothing is remembered of it."""
    vault = vault_with(fs, keys)

    assert [charged(vault), charged(vault, "pi_2")] == ["charge", "charge"]
    assert vault.state.tokens["tok_1"].used_by is None


def test_a_charge_that_was_refused_does_not_use_a_token_up(fs: RealFs, keys: VaultKeys):
    """The provider never heard of it, so the token is as good as before."""
    vault = vault_with(fs, keys, usage="single_use")

    assert charged(vault, to="providerX") == "provider_unknown"
    assert charged(vault, "pi_2") == "charge"


def test_a_sealed_look_up_uses_a_token_up_as_a_charge_does(fs: RealFs, keys: VaultKeys):
    """There are two ways for a card to leave, and one token serves one payment over both."""
    vault = vault_with(fs, keys, usage="single_use")
    wish = LookUpCard(
        "tok_1", None, "internal", "http", "charge.authorize", "sealed", "providerA", "pi_1", "op"
    )
    vault.tell("card.lookup", wish, sender="vault.http", reply_to="r1")

    assert charged(vault, "pi_2") == "token_used"
    step = vault.tell(
        "card.lookup", msgspec.structs.replace(wish, payment_id="pi_3"), reply_to="r2"
    )
    assert (step.replies[0].status, step.replies[0].body["code"]) == (422, "token-used")


def test_a_token_ends_by_business_time(fs: RealFs, keys: VaultKeys):
    """Refused from that very moment, whatever wire time says; it can still be looked at."""
    vault = vault_with(fs, keys, expires_in_s=60)
    vault.wire_ms += 3_600_000
    vault.business_ms += 59_999
    assert charged(vault) == "charge"

    vault.business_ms += 1
    assert charged(vault) == "expired_token"
    wish = LookUpCard("tok_1", "m_001", "usr", "http", "support.last4", "metadata")
    shown = vault.tell("card.lookup", wish, reply_to="r").replies[0].body
    assert (shown["usage"], shown["expires_at"]) == ("reusable", "2026-02-09T12:01:00.000Z")


def test_a_token_without_an_end_has_none(fs: RealFs, keys: VaultKeys):
    """Whether the card's month is over is for its issuer to say."""
    vault = vault_with(fs, keys)
    vault.business_ms += 20 * 366 * 86_400_000

    assert charged(vault) == "charge"


def test_a_deletion_is_answered_when_the_key_is_shredded(fs: RealFs, keys: VaultKeys):
    """First the journal, then the key, then the answer; the gateway hears at once."""
    vault = vault_with(fs, keys)
    step = delete(vault)
    (errand,), (told,) = step.errands, step.out

    assert step.replies == []
    assert (told.to, told.kind, told.body.token) == ("gateway", "card.forgotten", "tok_1")
    assert (line_of(step).purpose, line_of(step).outcome) == ("delete", "allowed")
    kind, done = shred_card(fs, errand.body)
    step = vault.tell(kind, done, sender="errand")
    (reply,) = step.replies
    assert (reply.re, reply.status) == ("del_1", 200)
    assert reply.body == {"token": "tok_1", "deleted": True, "shredded": True}
    assert vault.snapshot() == Played(vault.actor).snapshot()


def test_no_copy_of_a_deleted_card_opens(fs: RealFs, keys: VaultKeys):
    """Not with every key that there is: what is left of it in journals and spools is noise."""
    vault = vault_with(fs, keys)
    copy = vault.state.cards["tok_1"]
    shred_card(fs, delete(vault).errands[0].body)

    for opener in (keys, open_keys(fs, StillClock(), SeededRng(1))):
        with pytest.raises(RecordMismatch, match="shredded"):
            opener.open_card("tok_1", copy)
        plain = opener.unlock(copy.key_id, "tok_1", copy.ciphertext)
        assert NUMBER.encode() not in plain
        assert b"Ada" not in plain


def test_a_deleted_token_is_unknown(fs: RealFs, keys: VaultKeys):
    """Also to whoever deletes it again; a charge is refused, with its line."""
    vault = vault_with(fs, keys)
    vault.tell(*shred_card(fs, delete(vault).errands[0].body), sender="errand")

    assert charged(vault) == "unknown_token"
    again = delete(vault, "del_2")
    assert (again.replies[0].status, line_of(again).outcome) == (404, "refused:unknown_token")
    assert (again.out, again.errands, again.events) == ([], [], [])


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"merchant_id": "m_002"}, 404, "unknown_token"),
        ({"token": "tok_9"}, 404, "unknown_token"),
        ({"refused": "role_refused"}, 403, "role_refused"),
    ],
)
def test_a_deletion_that_is_refused_leaves_its_line_and_the_card(
    fs: RealFs, keys: VaultKeys, fields: dict[str, Any], status: int, code: str
):
    """Another merchant's token is answered as one that never was."""
    vault = vault_with(fs, keys)
    step = delete(vault, **fields)

    assert (step.replies[0].status, line_of(step).outcome) == (status, f"refused:{code}")
    assert charged(vault) == "charge"


def test_two_who_delete_at_once_are_both_answered(fs: RealFs, keys: VaultKeys):
    """The second waits for the same key to go; another merchant learns nothing."""
    vault = vault_with(fs, keys)
    (errand,) = delete(vault, "del_1").errands
    second, stranger = delete(vault, "del_2"), delete(vault, "del_3", merchant_id="m_002")

    assert (second.replies, second.errands, second.out) == ([], [], [])
    assert stranger.replies[0].status == 404
    step = vault.tell(*shred_card(fs, errand.body), sender="errand")
    assert [reply.re for reply in step.replies] == ["del_1", "del_2"]


def test_a_start_shreds_what_has_no_outcome(fs: RealFs, keys: VaultKeys):
    """Whoever died between the journal and the key may have overwritten it or not; from documents
    and from the journal alike."""
    vault = vault_with(fs, keys)
    (errand,) = delete(vault).errands
    moment = Moment(NOON_MS, NOON_MS, "vault", 9, 0)
    loaded = vault.actor.load(vault.snapshot())

    for state in (loaded, vault.replayed()):
        assert vault.actor.opened(state, moment).errands == [errand]
    assert shred_card(fs, errand.body) == shred_card(fs, errand.body)
    vault.tell("card.shredded", CardShredded("tok_1"), sender="errand")
    assert vault.actor.opened(vault.state, moment).errands == []


def test_a_card_of_an_old_home_opens_and_is_deleted_at_once(fs: RealFs, keys: VaultKeys):
    """Cards had no keys of their own once; the answer says that copies of it may still open."""
    plain = {"t": "tok_1", "k": "k1", "n": NUMBER, "m": 12, "y": 2030, "h": "Ada"}
    text = keys.lock("k1", "tok_1", msgspec.json.encode(plain))
    vault = vault_with(fs, keys, key_id="k1", ciphertext=text, slot=None)

    assert keys.open_card("tok_1", vault.state.cards["tok_1"]) == CARD
    assert b'"slot"' not in vault.snapshot()["data/vault/encrypted_cards.json"]
    step = delete(vault)
    assert step.errands == []
    assert step.replies[0].body == {"token": "tok_1", "deleted": True, "shredded": False}


def test_a_card_of_an_old_home_does_not_open_for_another_token(keys: VaultKeys):
    """It has no key of its own to be bound by: what stands around it is looked at."""
    for token, key_id in (("tok_1", "k9"), ("tok_9", "k1")):
        plain = {"t": token, "k": key_id, "n": NUMBER, "m": 12, "y": 2030, "h": "Ada"}
        text = keys.lock("k1", "tok_1", msgspec.json.encode(plain))
        with pytest.raises(RecordMismatch, match="another token or key"):
            keys.open_card("tok_1", EncryptedCard("k1", text))


def test_a_record_that_lost_or_changed_its_slot_does_not_open(fs: RealFs, keys: VaultKeys):
    """Neither without its key, nor with another card's."""
    first, second = keys.encrypt("tok_1", CARD), keys.encrypt("tok_2", CARD)

    for slot in (None, second.slot, 9_999):
        moved = EncryptedCard(first.key_id, first.ciphertext, slot)
        with pytest.raises(RecordMismatch):
            keys.open_card("tok_1", moved)
    assert keys.open_card("tok_1", first) == CARD


def test_no_slot_is_used_twice(fs: RealFs, keys: VaultKeys):
    """Nor by the next incarnation, which begins a block of its own behind a torn one."""
    used = [keys.encrypt(f"tok_{n}", CARD).slot for n in range(BLOCK_SLOTS + 1)]
    file = fs.open(CARD_KEYS)
    file.truncate(file.size() - 7)
    file.close()
    used.append(open_keys(fs, StillClock(), SeededRng(1)).encrypt("tok_x", CARD).slot)

    assert used == [*range(BLOCK_SLOTS + 1), 2 * BLOCK_SLOTS]


def test_a_block_is_durable_before_the_first_of_it_is_used():
    """A key that a power cut takes would take its card along."""
    disk = SimFs()
    made = CardKeys(disk, SeededRng())
    made.take()
    made.take()

    assert [call.op for call in disk.log if call.path == CARD_KEYS] == ["create", "pwrite", "sync"]
    assert disk.disk.names[CARD_KEYS].durable == disk.read(CARD_KEYS)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda data: data[:5] + b"!" + data[6:], "broken"),
        (lambda data: data[SLOT_BYTES:] + data[:SLOT_BYTES], "broken"),
        (lambda data: bytes(SLOT_BYTES) + data[SLOT_BYTES:], "shredded"),
        (lambda data: data[:40], "broken"),
        (lambda data: b"", "missing"),
    ],
)
def test_a_file_of_card_keys_that_was_changed_is_refused_by_name(
    fs: RealFs, keys: VaultKeys, spoil: Any, says: str
):
    """Edited, moved, overwritten, cut off: the cards that it hurts do not open, and it says why."""
    card = keys.encrypt("tok_1", CARD)
    fs.replace(CARD_KEYS, spoil(fs.read(CARD_KEYS)))

    with pytest.raises(RecordMismatch, match=rf"slot 0 of {CARD_KEYS} is {says}"):
        open_keys(fs, StillClock(), SeededRng(1)).open_card("tok_1", card)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda fs: fs.unlink(CARD_KEYS), "is missing"),
        (lambda fs: fs.replace(CARD_KEYS, b"x" * 63), "ends too early"),
    ],
)
def test_a_vault_without_its_card_keys_does_not_open(fs: RealFs, keys: VaultKeys, spoil, says):
    """A new file in its place would take the cards' slots and spoil what is put back later."""
    vault = vault_with(fs, keys)
    spoil(fs)

    with pytest.raises(BadSettings, match=rf"vault sealed: {CARD_KEYS} {says}"):
        vault.actor.opened(vault.state, Moment(NOON_MS, NOON_MS, "vault", 9, 0))


def test_no_card_is_stored_once_the_file_is_gone(fs: RealFs, keys: VaultKeys):
    """Its key would lie in a file that has no name any more."""
    keys.encrypt("tok_1", CARD)
    fs.unlink(CARD_KEYS)

    with pytest.raises(OSError, match=CARD_KEYS):
        keys.encrypt("tok_2", CARD)


def test_a_slot_beyond_the_end_is_not_shredded_by_growing_the_file(fs: RealFs, keys: VaultKeys):
    """That would pass for done, and a file that is put back would still hold the key."""
    keys.encrypt("tok_1", CARD)

    with pytest.raises(OSError, match="ends before this slot"):
        shred_card(fs, ShredCard("tok_1", BLOCK_SLOTS))


def test_a_key_cannot_be_read_out_of_a_shredded_slot(fs: RealFs, keys: VaultKeys):
    """All of it is zeros, the check too."""
    slot = keys.encrypt("tok_1", Card("5555555555554444", 1, 2031)).slot
    assert slot is not None
    shred_card(fs, ShredCard("tok_1", slot))

    found = fs.read(CARD_KEYS)[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES]
    assert found == bytes(SLOT_BYTES)
    assert state_of(slot, found) is Slot.SHREDDED
