"""The vault's keys are durable before a card is encrypted with them, however they were begun."""

import errno
from typing import Literal

import pytest

from actors.vault.cipher import Card, VaultKeys
from actors.vault.keys import open_keys
from actors.vault.state import ACCESS_LOG
from payrail.runtime.sim import Dropped, Fault, SimClock, SimCrash, SimFs, SimRng
from payrail.security.secrets import secret

CARD = Card("4242424242424242", 12, 2030, "A Holder")
GROWTH = frozenset({"create", "append", "pwrite"})


def opened(fs: SimFs, seed: int = 7) -> VaultKeys:
    return open_keys(fs, SimClock(), SimRng(seed))


def _steps() -> int:
    fs = SimFs()
    opened(fs)
    return fs.calls


STEPS = range(1, _steps() + 1)


@pytest.mark.parametrize("kind", ["crash_before", "crash_after", "error"])
@pytest.mark.parametrize("step", STEPS)
def test_no_card_is_lost_with_keys_that_were_made_at_a_broken_start(
    step: int, kind: Literal["crash_before", "crash_after", "error"]
):
    """A first start dies, or an fsync of it fails, at any step. Whatever the second start goes on
    with is still there when the power is cut, and opens the card that it encrypted."""
    first = SimFs(faults=[Fault(step, kind, errno.EIO)])
    with pytest.raises((SimCrash, OSError)):
        opened(first)
    second = first.reopen()
    stored = opened(second, 8).encrypt("tok_1", CARD)

    third = second.after_crash(Dropped())

    assert opened(third, 9).open_card("tok_1", stored) == CARD


def test_a_failed_sync_of_the_keys_name_is_not_forgotten_by_a_kill():
    """The sync of the folder fails, and before anything can be taken back the process is killed: a
    later sync of that folder says nothing of the name. The next start writes the file again."""
    last = STEPS[-1]
    faults = [Fault(last, "error", errno.EIO), Fault(last + 1, "crash_before")]
    first = SimFs(faults=faults)
    with pytest.raises((SimCrash, OSError)):
        opened(first)
    second = first.reopen()
    stored = opened(second, 8).encrypt("tok_1", CARD)

    assert opened(second.after_crash(Dropped()), 9).open_card("tok_1", stored) == CARD


def _secret(fs: SimFs) -> bytes:
    return secret(fs, "house", SimRng(7))


@pytest.mark.parametrize("kind", ["crash_before", "crash_after", "error"])
@pytest.mark.parametrize("step", range(1, 13))
def test_a_secret_that_was_used_outlives_the_power(
    step: int, kind: Literal["crash_before", "crash_after", "error"]
):
    """Every key of the house is derived from its secret: who finds one that another has begun to
    make uses it only when no power cut can take it back."""
    first = SimFs(faults=[Fault(step, kind, errno.EIO)])
    try:
        used = _secret(first)
    except (SimCrash, OSError):
        used = _secret(first := first.reopen())
    assert first.reopen().read("data/secrets/house") == used + b"\n"

    with_another_seed = secret(first.after_crash(Dropped()), "house", SimRng(8))

    assert with_another_seed == used


def test_a_full_disk_keeps_no_vault_from_the_cards_that_it_has():
    """Once a card was stored, a start needs no room on the disk to open it."""
    fs = SimFs()
    stored = opened(fs).encrypt("tok_1", CARD)
    fs.open(ACCESS_LOG, create=True).append(b"{}\n")
    full = fs.reopen()
    full.faults = [Fault(1, "error", errno.ENOSPC, ops=GROWTH, forever=True)]

    assert opened(full, 8).open_card("tok_1", stored) == CARD
    assert not full.fired
