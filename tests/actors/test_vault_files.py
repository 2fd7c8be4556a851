"""A vault whose files were swapped, edited, cut or put back from before: what its start, its door,
`verify` and `vault audit` say of each. Nothing goes wrong in silence.

Real bytes: a copy of a home with two cards, whose vault was ended in order.
"""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from actors.cli.audit import audit
from actors.cli.vault import vault as vault_verbs
from actors.provider.seals import open_keys as open_provider_keys
from payrail.domain.books import CARD_ACCESS_BOOK
from payrail.errors import PayRailError
from payrail.storage.fs import RealFs
from tests.actors.doors import INTERNAL
from tests.actors.pure import SeededRng
from tests.actors.vaulted import open_vault

CARDS, TOKENS = "data/vault/encrypted_cards.json", "data/vault/tokens.json"
KEYS, FINGERPRINT = "data/vault/keys.json", "data/secrets/vault/fingerprint"
JOURNAL, LOG = "data/actors/vault/journal.jsonl", CARD_ACCESS_BOOK
PROVIDER_KEY = "data/providers/providerA_key.json"


@dataclass(frozen=True, slots=True)
class Home:
    """One home, its two tokens, and its files as they were when it had one card."""

    path: Path
    tokens: tuple[str, str]
    before: dict[str, bytes]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return asyncio.run(_made(tmp_path_factory.mktemp("vault") / "home"))


async def _made(home: Path) -> Home:
    home.mkdir()
    open_provider_keys(RealFs(str(home)), SeededRng(7), "provider-a", "providerA")
    async with open_vault(home) as vault:
        first = await vault.token()
        await _charge(vault, first)
    before = {path: (home / path).read_bytes() for path in (CARDS, TOKENS, JOURNAL, LOG)}
    async with open_vault(home) as vault:
        second = await vault.token(number="5555555555554444")
        await _charge(vault, second)
    return Home(home, (first, second), before)


async def _charge(vault: Any, token: str) -> tuple[int, str]:
    """Ask for the card, sealed for a provider: status and problem code."""
    body = {
        "token": token,
        "provider": "providerA",
        "payment_id": "pi_1",
        "operation_id": "pi_1.1",
        "purpose": "charge.authorize",
    }
    status, told = await vault.ask("POST", "/charge-token", body, INTERNAL)
    return status, told.get("code", "")


@pytest.fixture
def home(made: Home, tmp_path: Path) -> Home:
    shutil.copytree(made.path, tmp_path / "home")
    return Home(tmp_path / "home", made.tokens, made.before)


async def started(home: Home) -> tuple[str, list[tuple[int, str]]]:
    """`serves`, or why not; and what is answered to whoever wants to charge the two cards."""
    try:
        async with open_vault(home.path) as vault:
            return "serves", [await _charge(vault, token) for token in home.tokens]
    except (PayRailError, OSError) as error:
        return f"{type(error).__name__}: {error}", []


def ran(home: Home, verbs: Any, *words: str) -> tuple[int, str]:
    found = CliRunner().invoke(verbs, words, env={"PAYRAIL_HOME": str(home.path)})
    return found.exit_code, found.output


Change = Callable[[bytes, Home], bytes]


def edited(data: bytes, _: Home) -> bytes:
    """One byte in the middle of it."""
    at = len(data) // 2
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def cut(data: bytes, _: Home) -> bytes:
    return data[: len(data) // 2]


def empty(_: bytes, __: Home) -> bytes:
    return b""


def swapped(data: bytes, home: Home) -> bytes:
    """The two ciphertexts, or the two records, each under the other's token."""
    first, second = (token.encode() for token in home.tokens)
    return data.replace(first, b"?").replace(second, first).replace(b"?", second)


def old(path: str) -> Change:
    """As it was when there was one card."""
    return lambda _, home: home.before[path]


SEALED = "VaultSealed: vault sealed: "
KEYS_WRONG, KEYS_GONE = f"{SEALED}key id k1 does not open its key-check", f"{SEALED}{KEYS} cannot"
#: A file of the vault, what happens to it, and how the start ends.
HELD: dict[str, tuple[str, Change, str]] = {
    "a key edited": (KEYS, edited, KEYS_WRONG),
    "keys cut": (KEYS, cut, KEYS_GONE),
    "keys emptied": (KEYS, empty, KEYS_GONE),
    "the fingerprint key edited": (FINGERPRINT, edited, KEYS_WRONG),
    "the fingerprint key cut": (FINGERPRINT, cut, KEYS_WRONG),
    "the fingerprint key emptied": (FINGERPRINT, empty, f"{SEALED}{FINGERPRINT} holds no key"),
    "the journal edited": (JOURNAL, edited, f"Corrupt: {JOURNAL}:"),
    "the journal cut": (JOURNAL, cut, f"Behind: {LOG}: line 3"),
    "the journal emptied": (JOURNAL, empty, f"Behind: {LOG}: line 1"),
    "tokens swapped in the journal": (JOURNAL, swapped, f"Corrupt: {JOURNAL}:2"),
    "an old journal": (JOURNAL, old(JOURNAL), f"Behind: {LOG}: line 3"),
    "the log edited": (LOG, edited, f"Corrupt: {LOG}:3"),
    "the log cut": (LOG, cut, f"Corrupt: {LOG}:4"),
    "the log emptied": (LOG, empty, f"Corrupt: {LOG}:4"),
    "tokens swapped in the log": (LOG, swapped, f"Corrupt: {LOG}:1"),
    "an old log": (LOG, old(LOG), f"Corrupt: {LOG}:4"),
}


@pytest.mark.parametrize("what", HELD)
async def test_a_vault_that_cannot_be_sure_does_not_start(home: Home, what: str):
    """It says which file, and at which line where there are lines; `verify` and `vault audit` name
    journal and log, without which nobody knows who touched a card."""
    path, change, why = HELD[what]
    spoil(home, path, change)
    verified, (audited, history) = ran(home, audit, "verify"), ran(home, vault_verbs, "audit")

    assert (await started(home))[0].startswith(why)
    if path in (JOURNAL, LOG):
        assert verified[0] == audited == 65
        assert f" {path}:" in verified[1]
        assert "chain ok" not in history
        assert f"{LOG}:" in history or f"{JOURNAL}:" in history
    else:
        assert (audited, history.splitlines()[-1]) == (0, "chain ok (4 lines)")


#: A document, which is a view: the journal knows better.
VIEWS: dict[str, tuple[str, Change]] = {
    f"{path} {name}": (path, change)
    for path in (CARDS, TOKENS)
    for name, change in (
        *(("edited", edited), ("cut", cut), ("emptied", empty), ("swapped", swapped)),
        ("of before", old(path)),
    )
}


@pytest.mark.parametrize("what", VIEWS)
async def test_a_document_that_is_not_what_the_journal_makes_is_not_believed(home: Home, what: str):
    """`verify` names it with its line; the vault starts out of its journal, and each token has its
    own card again: two ciphertexts that were swapped are as they were."""
    path, change = VIEWS[what]
    spoil(home, path, change)
    code, told = ran(home, audit, "verify")

    assert (code, f" {path}:" in told) == (65, True)
    assert await started(home) == ("serves", [(200, ""), (200, "")])
    assert await last4_of(home) == ["4242", "4444"]
    assert ran(home, vault_verbs, "audit")[0] == 0


@pytest.mark.parametrize("change", [edited, cut, empty])
async def test_no_card_is_sealed_for_a_provider_key_that_is_none(home: Home, change: Change):
    """503 `provider-key-missing`, and a line; with the file put back it is sealed again."""
    whole = spoil(home, PROVIDER_KEY, change)
    refused = (503, "provider-key-missing")
    assert await started(home) == ("serves", [refused, refused])

    logged = (home.path / LOG).read_text()
    assert logged.count("refused:provider_key_missing") == 2
    (home.path / PROVIDER_KEY).write_bytes(whole)
    assert await started(home) == ("serves", [(200, ""), (200, "")])


async def test_two_ciphertexts_swapped_with_all_hashes_made_right_open_nothing(home: Home):
    """Whoever can also make journal, chains and documents fit cannot make a card open for another
    token: 503 `vault-record-mismatch`, a line for each try, and `/health` and the audit tell."""
    async with open_vault(home.path) as vault:
        cards, (first, second) = vault.driver.loop.state.cards, home.tokens
        cards[first], cards[second] = cards[second], cards[first]
        for token in home.tokens:
            assert await _charge(vault, token) == (503, "vault-record-mismatch")
        async with asyncio.timeout(20):
            while not (odd := (await vault.ask("GET", "/health", key=""))[1]["anomalies"]):
                await asyncio.sleep(0.02)
        outcomes = [line["outcome"] for line in vault.log()[-2:]]
        cards[first], cards[second] = cards[second], cards[first]

    assert outcomes == ["refused:vault_record_mismatch"] * 2
    assert odd["mismatch"] in (1, 2)
    code, history = ran(home, vault_verbs, "audit", "--token", first)
    assert (code, "a stored card that does not open" in history) == (0, True)


def spoil(home: Home, path: str, change: Change) -> bytes:
    """Change a file; result: what it held."""
    file = home.path / path
    whole = file.read_bytes()
    spoilt = change(whole, home)
    assert spoilt != whole
    file.write_bytes(spoilt)
    return whole


async def last4_of(home: Home) -> list[str]:
    async with open_vault(home.path) as vault:
        looks = [{"token": token, "purpose": "support.last4"} for token in home.tokens]
        return [(await vault.ask("POST", "/detokenize", look))[1]["last4"] for look in looks]
