"""Sealing: a card is closed for one provider and one payment."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payrail.security.sealing import (
    SEALED_CHARACTERS_MAX,
    SealBroken,
    keypair_of,
    public_json,
    read_public,
    seal,
    unseal,
)

A = keypair_of(b"secret of provider A, of 256 bits or more")
B = keypair_of(b"secret of provider B, of 256 bits or more")
KEYS = {A.key_id: A.private}
WHERE = {"reference": "pi_1.1", "payment": "pi_1", "provider": "providerA"}
CARD = b'{"number":"4000000000000002"}'


def sealed():
    return seal(A.public, A.key_id, CARD, **WHERE)


@given(st.binary(max_size=300))
@settings(max_examples=30, derandomize=True, deadline=None)
def test_what_was_sealed_opens_again(plain):
    """The addressed reader gets the very bytes."""
    assert unseal(KEYS, seal(A.public, A.key_id, plain, **WHERE), **WHERE) == plain


def test_the_text_names_the_key_and_hides_the_rest():
    """A seal is safe in a mailbox: one line of ASCII with the key's id, never the same twice."""
    text = sealed()

    assert text.startswith(f"hpke1.{A.key_id}.")
    assert text.isascii()
    assert "4000000000000002" not in text
    assert text != sealed()


@pytest.mark.parametrize("changed", sorted(WHERE))
def test_a_seal_opens_for_its_occasion_only(changed):
    """Replayed for another reference, payment or provider it does not open."""
    with pytest.raises(SealBroken):
        unseal(KEYS, sealed(), **{**WHERE, changed: "other"})


def test_words_cannot_slide_between_fields():
    """Two occasions whose words read the same in a row are still two."""
    text = seal(A.public, A.key_id, CARD, payment="pi_1", reference="x")

    with pytest.raises(SealBroken):
        unseal(KEYS, text, payment="pi_1x", reference="")
    with pytest.raises(SealBroken):
        unseal(KEYS, text, payment="pi_1")


def test_another_reader_cannot_open_it():
    """Neither without the key nor with another key under its id."""
    with pytest.raises(SealBroken, match="not here"):
        unseal({B.key_id: B.private}, sealed(), **WHERE)
    with pytest.raises(SealBroken):
        unseal({A.key_id: B.private}, sealed(), **WHERE)


def test_a_key_id_cannot_be_swapped():
    """The key's id is bound as well: the same key under another id does not open it."""
    text = sealed().replace(A.key_id, "other")

    with pytest.raises(SealBroken):
        unseal({"other": A.private}, text, **WHERE)


def test_a_changed_seal_does_not_open():
    """Any changed character of the sealed part is noticed, and the error holds no card."""
    text = sealed()
    start = text.rindex(".") + 1
    for at in range(start, len(text) - 1, 7):
        broken = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        with pytest.raises(SealBroken) as caught:
            unseal(KEYS, broken, **WHERE)
        assert "4000" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hpke1",
        f"hpke1.{A.key_id}.",
        f"hpke2.{A.key_id}.AAAA",
        f"hpke1.{A.key_id}.AAAA",
        f"hpke1.{A.key_id}.****",
        f"hpke1.{A.key_id}.A",
        f"hpke1.{A.key_id}.é",
        f"hpke1.{A.key_id}." + "A" * SEALED_CHARACTERS_MAX,
    ],
)
def test_any_other_text_is_a_broken_seal(text):
    """Whatever lies in a mailbox, opening it gives bytes or SealBroken, nothing else."""
    with pytest.raises(SealBroken):
        unseal(KEYS, text, **WHERE)


def test_a_retired_key_still_opens_what_was_sealed_for_it():
    """After a change of keys, cards on their way still arrive."""
    assert unseal({**KEYS, B.key_id: B.private}, sealed(), **WHERE) == CARD


def test_the_public_key_travels_as_a_file():
    """The file is `{"key_id","public"}`, and what it holds seals for its reader."""
    data = public_json(A)
    public, key_id = read_public(data)

    assert msgspec.json.decode(data).keys() == {"key_id", "public"}
    assert unseal(KEYS, seal(public, key_id, CARD, **WHERE), **WHERE) == CARD


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"key_id":"x","public":"00"}',
        b'{"key_id":"x","public":"zz"}',
        public_json(A).replace(A.key_id.encode(), B.key_id.encode()),
    ],
)
def test_a_key_file_that_lies_is_refused(data):
    """A damaged key file, or one whose id is another key's, seals nothing."""
    with pytest.raises(SealBroken):
        read_public(data)


def test_keys_come_from_their_secret_alone():
    """The same secret gives the same keys after a restart, another one others, and none shows."""
    assert keypair_of(b"one").key_id == keypair_of(b"one").key_id != keypair_of(b"two").key_id
    assert "private" not in repr(A)
