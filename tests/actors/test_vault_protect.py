"""Two operators hold the vault's keys: neither alone opens anything, and no step loses a key."""

import json
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

import pytest
from pydantic import ValidationError

from actors.vault.cipher import Card, VaultKeys
from actors.vault.guard import LOCKED_MS, WRONG_MAX, Guard
from actors.vault.key_works import MakeKey, make_key
from actors.vault.keyfile import FINGERPRINT_PATH, KEYS, KeysFile, read_keys, write_keys
from actors.vault.keys import VaultLocked, open_keys
from actors.vault.operator_models import OperatorGiven, Unlock, checked_pairs
from actors.vault.operators import (
    COST,
    Cost,
    Protection,
    Wrapping,
    is_wrapped,
    share_of,
    wrapping_of,
)
from actors.vault.protecting import Protector
from actors.vault.refusals import VaultSealed
from actors.vault.state import ACCESS_LOG
from payrail.errors import RequestError
from payrail.logs import make_logger
from payrail.runtime.sim import Dropped, Fault, SimClock, SimCrash, SimFs, SimRng

CARD = Card("4242424242424242", 12, 2030, "A Holder")
#: As cheap as Argon2id can be: what it costs is told by another test.
CHEAP = Cost(memory_kib=8, iterations=1, lanes=1)
ADA = OperatorGiven(name="ada", passphrase="the first engine of all")
BO = OperatorGiven(name="bo", passphrase="another long passphrase")
CY = OperatorGiven(name="cy", passphrase="a third one, as long as")


class _Nowhere:
    def write(self, data: bytes) -> int:
        return len(data)

    def flush(self) -> None: ...


def protector(fs: SimFs, keys: VaultKeys, seed: int = 3) -> Protector:
    made = Protector(fs, SimClock(), SimRng(seed), keys, make_logger("vault", _Nowhere()))
    made.cost = CHEAP
    return made


def opened(fs: SimFs, wrapping: Wrapping | None = None, seed: int = 7) -> VaultKeys:
    return open_keys(fs, SimClock(), SimRng(seed), wrapping=wrapping)


def protection(fs: SimFs) -> Protection:
    found = read_keys(fs)
    assert found is not None
    assert found.protected is not None
    return found.protected


def unlocked(fs: SimFs, *people: OperatorGiven) -> VaultKeys:
    found = protection(fs)
    shares = {}
    for one in people:
        operator = found.operator(one.name)
        assert operator is not None
        share = share_of(found, operator, one.passphrase)
        assert share is not None
        shares[one.name] = share
    return opened(fs, wrapping_of(found, shares))


async def test_a_protected_home_holds_no_key_in_clear():
    """Neither an encryption key nor the key of fingerprints stands in any file; both operators
    together open the cards of before, and fingerprints are the same."""
    fs = SimFs()
    keys = opened(fs)
    stored, print_before = keys.encrypt("tok_1", CARD), keys.fingerprint("m_001", CARD.number)
    found = read_keys(fs)
    assert found is not None
    clear = [str(found.keys[0].key), keys.own.decode()]

    await protector(fs, keys).protect([ADA, BO], [])

    assert not fs.exists(FINGERPRINT_PATH)
    text = fs.read(KEYS).decode()
    assert not any(secret in text for secret in clear)
    assert not any(one.passphrase in text for one in (ADA, BO))
    assert protection(fs).names == ["ada", "bo"]
    again = unlocked(fs, ADA, BO)
    assert again.open_card("tok_1", stored) == CARD
    assert again.fingerprint("m_001", CARD.number) == print_before


async def test_a_protected_vault_waits_for_both():
    """Without a wrapping nothing is opened or written, and it is said for whom it waits."""
    fs = SimFs()
    await protector(fs, opened(fs)).protect([ADA, BO], [])
    before = fs.read(KEYS)

    with pytest.raises(VaultLocked, match="waits for 2 operators: ada, bo"):
        opened(fs)

    assert fs.read(KEYS) == before
    assert not fs.exists(FINGERPRINT_PATH)


async def test_one_share_twice_opens_nothing():
    """The key is of both: whoever has one passphrase has none of it."""
    fs = SimFs()
    await protector(fs, opened(fs)).protect([ADA, BO], [])
    found = protection(fs)
    share = share_of(found, found.operators[0], ADA.passphrase)
    assert share is not None

    with pytest.raises(VaultSealed, match="does not open"):
        opened(fs, wrapping_of(found, {"ada": share, "bo": share}))


async def test_a_wrapped_key_is_bound_to_its_id():
    """Exchanged in the file, neither opens."""
    fs = SimFs()
    keys = opened(fs)
    await protector(fs, keys).protect([ADA, BO], [])
    found = json.loads(fs.read(KEYS))
    found["keys"][0]["key"] = found["protected"]["fingerprint"]
    fs.replace(KEYS, json.dumps(found).encode())

    with pytest.raises(VaultSealed, match="key id k1 does not open"):
        unlocked(fs, ADA, BO)


async def test_passphrases_change_with_both_old_ones():
    """The new ones open, the old ones do not; without the old ones nothing changes."""
    fs = SimFs()
    keys = opened(fs)
    stored = keys.encrypt("tok_1", CARD)
    hands = protector(fs, keys)
    await hands.protect([ADA, BO], [])
    before = fs.read(KEYS)
    for current in ([], [ADA], [ADA, ADA], [ADA, CY]):
        with pytest.raises(RequestError) as refused:
            await hands.protect([BO, CY], current)
        assert refused.value.status == 422, current
    bad = OperatorGiven(name="bo", passphrase="not what bo has typed")
    with pytest.raises(RequestError, match="not the passphrase of bo"):
        await hands.protect([BO, CY], [ADA, bad])
    assert fs.read(KEYS) == before

    await hands.protect([BO, CY], [ADA, BO])

    assert unlocked(fs, BO, CY).open_card("tok_1", stored) == CARD
    assert protection(fs).operator("ada") is None


async def test_off_puts_the_keys_back_as_they_were():
    """Keys and fingerprint key are those of before, and nobody is waited for."""
    fs = SimFs()
    keys = opened(fs)
    stored = keys.encrypt("tok_1", CARD)
    before = [fs.read(KEYS), fs.read(FINGERPRINT_PATH)]
    hands = protector(fs, keys)
    await hands.protect([ADA, BO], [])
    await hands.expose([BO, ADA])

    assert [fs.read(KEYS), fs.read(FINGERPRINT_PATH)] == before
    assert opened(fs).open_card("tok_1", stored) == CARD


LETTERS, APART = "caf\u00e9 und \u00e9toile", "cafe\u0301 und e\u0301toile"


def test_a_passphrase_is_what_it_is_stretched_as():
    """Two spellings of one text are one passphrase, for one operator as for two, and six letters
    made of two signs each are not twelve characters."""
    one, other = (OperatorGiven(name=n, passphrase=p) for n, p in (("ada", LETTERS), ("bo", APART)))
    with pytest.raises(RequestError) as refused:
        checked_pairs("operators", [one, other])
    assert "same passphrase" in refused.value.errors[0]["message"]
    with pytest.raises(ValidationError, match="at least 12"):
        OperatorGiven(name="ada", passphrase="e\u0301" * 6)
    assert Unlock(operator="ada", passphrase=APART).passphrase == LETTERS


@pytest.mark.parametrize(
    ("people", "told"),
    [
        ([ADA], "must be 2 operators"),
        ([ADA, BO, CY], "must be 2 operators"),
        ([ADA, OperatorGiven(name="ada", passphrase=BO.passphrase)], "names are equal"),
        ([ADA, OperatorGiven(name="bo", passphrase=ADA.passphrase)], "same passphrase"),
    ],
)
async def test_two_operators_are_two_people(people: list[OperatorGiven], told: str):
    """Equal names, equal passphrases, one or three: 422, and the keys stay as they are."""
    fs = SimFs()
    hands = protector(fs, opened(fs))
    before = fs.read(KEYS)

    with pytest.raises(RequestError) as refused:
        await hands.protect(people, [])

    assert (refused.value.status, refused.value.errors[0]["field"]) == (422, "operators")
    assert told in refused.value.errors[0]["message"]
    assert fs.read(KEYS) == before


async def test_a_key_that_is_rotated_in_is_wrapped_as_the_others():
    """The new key never stands in clear in the file, is in use, and is there after the next
    unlock, as the older one."""
    fs = SimFs()
    keys = opened(fs)
    await protector(fs, keys).protect([ADA, BO], [])
    old = keys.encrypt("tok_1", CARD)

    make_key(fs, SimRng(5), keys, MakeKey("k2", "2026-02-09T12:00:00.000Z"))

    found = read_keys(fs)
    assert found is not None
    assert [is_wrapped(str(line.key)) for line in found.keys] == [True, True]
    new = keys.encrypt("tok_2", CARD)
    again = unlocked(fs, ADA, BO)
    assert [old.key_id, new.key_id, again.current_id] == ["k1", "k2", "k2"]
    assert again.open_card("tok_1", old) == again.open_card("tok_2", new) == CARD


def test_a_protected_file_takes_no_key_in_clear():
    """Whoever forgets to wrap a new key does not write it."""
    fs = SimFs()
    opened(fs)
    found = read_keys(fs)
    assert found is not None
    guarded = Protection("argon2id", CHEAP, (), "", "")

    with pytest.raises(ValueError, match="wrapped keys alone"):
        write_keys(fs, KeysFile(found.keys, found.begun_with, guarded))


def test_a_guess_costs_at_least_what_owasp_asks():
    """Argon2id with 46 MiB and one pass, or more."""
    assert COST.memory_kib >= 46 * 1024
    assert COST.iterations >= 1


async def test_ten_wrong_passphrases_are_the_last_for_half_an_hour():
    """Also the right one is refused then; half an hour later it is right again. A right one sets
    the count back, and another operator is not hindered."""
    fs, clock = SimFs(), SimClock()
    await protector(fs, opened(fs)).protect([ADA, BO], [])
    guard = Guard(protection(fs), clock, make_logger("vault", _Nowhere()))

    async def tried(name: str, passphrase: str) -> int:
        return await _status(guard.share(name, passphrase))

    for _ in range(WRONG_MAX - 1):
        assert await tried("ada", "wrong") == 403
    assert await tried("ada", ADA.passphrase) == 200
    assert [await tried("ada", "wrong") for _ in range(WRONG_MAX)] == [403] * WRONG_MAX
    assert await tried("ada", ADA.passphrase) == 429
    assert await tried("bo", BO.passphrase) == 200
    assert await tried("cy", CY.passphrase) == 422
    clock.advance_ms(LOCKED_MS)
    assert await tried("ada", ADA.passphrase) == 200


async def _status(asked: Awaitable[Any]) -> int:
    """What whoever asked is told."""
    try:
        await asked
    except RequestError as refused:
        return refused.status
    return 200


async def test_what_could_not_be_put_back_in_clear_leaves_nothing_in_clear():
    """A disk that fails while the keys go back into clear: 503, both operators hold them as before,
    and the fingerprint key does not stay beside them in clear until the next unlock."""
    told = []
    for step in range(1, STEPS_MAX + 1):
        fs, _, held = await _begun("off")
        keys = unlocked(fs, *held)
        broken = fs.reopen(faults=[Fault(step, "error", 5)])
        told.append(await _status(_change(broken, "off", keys)))
        if told[-1] != 200:
            assert protection(broken).names == ["ada", "bo"]
            assert not broken.exists(FINGERPRINT_PATH), step
        if not broken.fired:
            break
    assert set(told) == {200, 503}


#: More effects than any of the changes has.
STEPS_MAX = 20


async def _begun(what: str) -> tuple[SimFs, Any, list[OperatorGiven]]:
    """A home with a card, about to be changed; who holds its keys now."""
    fs = SimFs()
    keys = opened(fs)
    fs.open(ACCESS_LOG, create=True).append(b"{}\n")
    stored = keys.encrypt("tok_1", CARD)
    if what == "protect":
        return fs, stored, []
    await protector(fs, keys).protect([ADA, BO], [])
    return fs, stored, [ADA, BO]


async def _change(fs: SimFs, what: str, keys: VaultKeys) -> None:
    hands = protector(fs, keys, seed=11)
    if what == "off":
        await hands.expose([ADA, BO])
    else:
        await hands.protect(*(([ADA, BO], []) if what == "protect" else ([BO, CY], [ADA, BO])))


@pytest.mark.parametrize("power", [False, True])
@pytest.mark.parametrize("kind", ["crash_before", "crash_after", "error"])
@pytest.mark.parametrize("what", ["protect", "change", "off"])
async def test_whenever_it_stops_the_keys_are_held_by_the_old_or_the_new(
    what: str, kind: Any, power: bool
):
    """A kill or a failed write at each effect, also with a power cut behind it: whoever held the
    keys before, or whoever was to hold them, opens every card; a fingerprint key in clear never
    outlives the next unlock."""
    for step in range(1, STEPS_MAX + 1):
        fs, stored, held = await _begun(what)
        keys = unlocked(fs, *held) if held else opened(fs)
        print_before = keys.fingerprint("m_001", CARD.number)
        fs = fs.reopen(faults=[Fault(step, kind, 5)])
        with suppress(SimCrash, OSError, RequestError):
            await _change(fs, what, keys)
        broke = bool(fs.fired)
        after = fs.after_crash(Dropped()) if power else fs.reopen()
        found = read_keys(after)
        assert found is not None
        people = {p.name: p for p in (ADA, BO, CY)}
        by = [people[name] for name in found.protected.names] if found.protected else []
        again = unlocked(after, *by) if by else opened(after)
        assert again.open_card("tok_1", stored) == CARD, step
        assert again.fingerprint("m_001", CARD.number) == print_before
        assert after.exists(FINGERPRINT_PATH) is (found.protected is None)
        if not broke:
            return
    raise AssertionError("more effects than were tried")
