"""The file of keys at a start: what does not fit is named, and nothing is written under it."""

from pathlib import Path

import msgspec
import pytest

from actors.vault.cipher import Card, VaultKeys
from actors.vault.keyfile import KEYS
from actors.vault.keys import open_keys
from payrail.errors import BadSettings
from payrail.storage.fs import RealFs
from tests.actors.pure import SeededRng, StillClock

CARD = Card("4242424242424242", 12, 2030, "Ada")


@pytest.fixture
def fs(tmp_path: Path) -> RealFs:
    return RealFs(str(tmp_path))


@pytest.fixture
def keys(fs: RealFs) -> VaultKeys:
    return open_keys(fs, StillClock(), SeededRng())


def test_keys_are_durable_before_they_are_used(fs: RealFs, keys: VaultKeys):
    """A second start opens what the first has encrypted."""
    again = open_keys(fs, StillClock(), SeededRng(seed=1))

    assert again.open_card("tok_1", keys.encrypt("tok_1", CARD)) == CARD
    (key,) = msgspec.json.decode(fs.read(KEYS))["keys"]
    assert key.keys() >= {"id", "created_at", "retired_at", "key"}


def test_a_changed_key_seals_the_vault(fs: RealFs, keys: VaultKeys):
    """A key file that was swapped is named at start, and nothing is written under it."""
    file = msgspec.json.decode(fs.read(KEYS))
    key = file["keys"][0]["key"]
    file["keys"][0]["key"] = ("B" if key[0] == "A" else "A") + key[1:]
    swapped = msgspec.json.encode(file)
    fs.replace(KEYS, swapped)

    with pytest.raises(BadSettings, match="vault sealed: key id k1 does not open its key-check"):
        open_keys(fs, StillClock(), SeededRng())
    assert fs.read(KEYS) == swapped


def test_a_key_file_that_is_no_text_seals_the_vault(fs: RealFs, keys: VaultKeys):
    """One flipped bit can make it no UTF-8: the file is named, with what to do about it."""
    fs.replace(KEYS, fs.read(KEYS).replace(b"k1", b"\xeb1", 1))

    with pytest.raises(BadSettings, match=r"keys\.json cannot be read"):
        open_keys(fs, StillClock(), SeededRng())


def test_another_given_key_seals_the_vault(fs: RealFs):
    """PAYRAIL_VAULT_KEY begins a home; later it must be the same one, or none."""
    open_keys(fs, StillClock(), SeededRng(), given="11" * 32)
    begun = fs.read(KEYS)

    open_keys(fs, StillClock(), SeededRng(), given="11" * 32)
    open_keys(fs, StillClock(), SeededRng())
    with pytest.raises(BadSettings, match="vault sealed: PAYRAIL_VAULT_KEY"):
        open_keys(fs, StillClock(), SeededRng(), given="22" * 32)
    assert fs.read(KEYS) == begun


def test_a_lost_key_file_seals_a_vault_with_history(fs: RealFs, keys: VaultKeys):
    """Where cards were stored, a missing key file is not quietly made anew."""
    fs.replace("data/vault/access_log.jsonl", b"{}\n")
    fs.unlink(KEYS)

    with pytest.raises(BadSettings, match="missing"):
        open_keys(fs, StillClock(), SeededRng())
    assert not fs.exists(KEYS)


def test_a_given_key_that_is_none_is_refused(fs: RealFs):
    """The error names the setting and its form, never its value."""
    with pytest.raises(BadSettings, match="PAYRAIL_VAULT_KEY") as refused:
        open_keys(fs, StillClock(), SeededRng(), given="hunter2")
    assert "hunter2" not in str(refused.value)
    assert not fs.exists(KEYS)
