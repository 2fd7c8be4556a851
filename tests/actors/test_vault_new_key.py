"""A key comes into the file of keys and goes, and no moment to die in costs a card."""

import base64
import errno

import msgspec
import pytest

from actors.vault.cardkeys import RecordMismatch
from actors.vault.cipher import Card, VaultKeys
from actors.vault.key_works import DropKey, MakeKey, make_key, take_away
from actors.vault.keyfile import KEYS
from actors.vault.keys import open_keys
from actors.vault.state import ACCESS_LOG, EncryptedCard
from payrail.domain.words.vault_keys import KeyDropped
from payrail.runtime.sim import Dropped, Fault, SimClock, SimCrash, SimFs, SimRng

CARD = Card("4242424242424242", 12, 2030, "A Holder")
OLD = MakeKey("k2", "2026-02-09T12:00:00.000Z")


def used() -> tuple[SimFs, VaultKeys]:
    """A home whose first key has been used: its access log is not empty."""
    fs = SimFs()
    keys = open_keys(fs, SimClock(), SimRng(7))
    log = fs.open(ACCESS_LOG, create=True)
    log.append(b"{}\n")
    log.sync()
    return fs, keys


def made_at(kind: str, step: int) -> SimFs:
    """The process dies while it makes a second key."""
    fs, keys = used()
    again = fs.reopen(faults=[Fault(step, kind)])  # type: ignore[arg-type]
    with pytest.raises(SimCrash):
        make_key(again, SimRng(8), keys, OLD)
    return again.reopen()


def _steps() -> int:
    fs, keys = used()
    again = fs.reopen()
    make_key(again, SimRng(8), keys, OLD)
    return again.calls


@pytest.mark.parametrize("kind", ["crash_before", "crash_after"])
@pytest.mark.parametrize("step", range(1, _steps() + 1))
def test_no_card_goes_under_a_key_that_a_power_cut_takes_back(kind: str, step: int):
    """A rotation dies anywhere; what the next start encrypts opens after a power cut, and making
    the key again makes no other."""
    second = made_at(kind, step)
    keys = open_keys(second, SimClock(), SimRng(9))
    early = keys.encrypt("tok_1", CARD)

    third = second.after_crash(Dropped())
    keys = open_keys(third, SimClock(), SimRng(10))
    assert keys.open_card("tok_1", early) == CARD
    make_key(third, SimRng(11), keys, OLD)
    assert keys.current_id == "k2"
    assert keys.open_card("tok_1", early) == CARD


@pytest.mark.parametrize("step", range(1, _steps() + 1))
def test_a_key_is_not_used_before_it_is_durable(step: int):
    """While its file cannot be written, cards go on under the key that is there."""
    fs = SimFs()
    keys = open_keys(fs, SimClock(), SimRng(7))

    with pytest.raises(OSError, match="Input/output error"):
        make_key(fs.reopen(faults=[Fault(step, "error", errno.EIO)]), SimRng(8), keys, OLD)

    assert keys.current_id == "k1"


def test_a_retired_key_leaves_its_line_and_opens_nothing():
    """Its id and dates stay for the auditor; the first key may be given by the environment."""
    fs, given = SimFs(), "07" * 32
    keys = open_keys(fs, SimClock(), SimRng(7), given)
    old = keys.encrypt("tok_1", CARD)
    make_key(fs, SimRng(8), keys, OLD)
    new = keys.again("tok_1", old)

    assert take_away(fs, keys, DropKey("k1", "2026-02-10T00:00:00.000Z"))[1] == KeyDropped("k1")

    reopened = open_keys(fs, SimClock(), SimRng(9), given)
    for one in (keys, reopened):
        assert one.open_card("tok_1", new) == CARD
        with pytest.raises(RecordMismatch, match="k1 is not in"):
            one.open_card("tok_1", old)
    line = msgspec.json.decode(fs.read(KEYS))["keys"][1]
    assert (line["id"], line["key"], line["retired_at"]) == ("k1", None, "2026-02-10T00:00:00.000Z")


def test_a_moved_card_is_as_old_as_it_was_and_bound_as_it_was():
    """Moving a card changes its key and nothing else; it opens for its own token alone."""
    fs, clock = SimFs(), SimClock()
    keys = open_keys(fs, clock, SimRng(7))
    old = keys.encrypt("tok_1", CARD)
    clock.advance_ms(86_400_000)
    make_key(fs, SimRng(8), keys, OLD)
    new = keys.again("tok_1", old)

    assert (new.key_id, keys.open_card("tok_1", new)) == ("k2", CARD)
    assert _born(new) == _born(old)
    with pytest.raises(RecordMismatch, match="another token"):
        keys.open_card("tok_2", new)
    with pytest.raises(RecordMismatch, match="another token"):
        keys.again("tok_2", old)


def _born(card: EncryptedCard) -> bytes:
    return base64.urlsafe_b64decode(card.ciphertext)[1:9]
