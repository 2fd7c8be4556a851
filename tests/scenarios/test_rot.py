"""A sample of all bits and lengths of a house's files; `python -m tests.scenarios.rot` has more."""

from collections import Counter

import pytest

from payrail.domain.cardslots import CARD_KEYS, SLOT_BYTES
from tests.scenarios.rot import Harm, Specimen

#: Each so many-th: some thousand harms.
EVERY = 397
#: What nobody starts on, and what is only a view or lies in a mailbox and heals.
BOOKS_AND_DOCUMENTS = (
    "data/ledger/payments.jsonl",
    "data/outbox/events.jsonl",
    "data/vault/access_log.jsonl",
    "data/vault/encrypted_cards.json",
    "data/vault/tokens.json",
    "data/providers/providerA_truth.jsonl",
    "data/idempotency/idempotency_keys.json",
    "data/actors/gateway/head.json",
    "data/actors/gateway/state.json",
)


@pytest.fixture(scope="module")
def specimen() -> Specimen:
    return Specimen()


def test_no_harm_to_any_file_is_answered_wrongly(specimen: Specimen):
    """A flipped bit or an early end of any file is named by `verify`, refused at the start, or
    mended so that the books, the gateway and what they can still do are the same as before."""
    wrong, seen = [], Counter[str]()
    for path in specimen.files:
        for harm in specimen.harms(path, EVERY, seed=42):
            came = specimen.outcome(harm)
            if path != CARD_KEYS:  # most of it are keys that no card has yet
                seen[came] += 1
            if came not in ("named", "refused", "mended"):
                wrong.append((harm, came))

    assert wrong == []
    assert seen.total() > 2_000
    assert seen["named"] > seen.total() * 0.9
    assert seen["refused"] > 0
    assert seen["mended"] > 0


@pytest.mark.parametrize("path", BOOKS_AND_DOCUMENTS)
def test_every_harm_to_a_book_or_document_is_named(specimen: Specimen, path: str):
    """Of what stands in the contract nothing changes unseen, wherever it is harmed."""
    outcomes = {specimen.outcome(harm) for harm in specimen.harms(path, 97, seed=7)}

    assert outcomes == {"named"}


def test_a_harm_to_the_key_of_a_card_is_named(specimen: Specimen):
    """Of the file of card keys, the slots that cards have: a bit, or an end before theirs."""
    harms = [Harm(CARD_KEYS, bit=bit) for bit in range(0, SLOT_BYTES * 8, 31)]
    harms += [Harm(CARD_KEYS, length=length) for length in range(0, SLOT_BYTES, 7)]

    assert {specimen.outcome(harm) for harm in harms} == {"named"}


def test_no_harmed_key_opens_cards(specimen: Specimen):
    """Whatever becomes of the keys, it is named, or the house refuses to start or has the same."""
    for path in ("data/vault/keys.json", "data/secrets/vault/fingerprint"):
        outcomes = {specimen.outcome(harm) for harm in specimen.harms(path, 3, seed=7)}
        assert outcomes <= {"named", "refused", "mended"}
        assert "refused" in outcomes
