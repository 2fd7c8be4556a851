"""A house of real processes whose vault's keys do not fit: it is sealed, and nothing is lost."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from actors.cli.chaos.house import House
from tests.scenarios.living import files, logged, until
from tests.scenarios.shop import Shop

pytestmark = pytest.mark.scenario

KEYS = "data/vault/keys.json"
CARD_KEYS = "data/secrets/vault/card_keys"
FINGERPRINT = "data/secrets/vault/fingerprint"


def _another_key(data: bytes) -> bytes:
    found = json.loads(data)
    key = found["keys"][0]["key"]
    found["keys"][0]["key"] = key[1:] + key[0] if key[0] != key[1] else "A" + key[1:]
    return json.dumps(found).encode()


#: file, what happens to it (None: it is gone), and what the vault says of it.
WRONG: dict[str, tuple[str, Callable[[bytes], bytes] | None, str]] = {
    "another key": (KEYS, _another_key, "key id k1 does not open its key-check"),
    "no keys": (KEYS, None, "keys.json is missing, but cards were stored under it"),
    "cut off": (KEYS, lambda data: data[: len(data) // 2], "keys.json cannot be read"),
    "empty": (KEYS, lambda _: b"", "keys.json cannot be read"),
    "no fingerprint key": (FINGERPRINT, None, "fingerprint is missing; restore it"),
    "a foreign fingerprint key": (FINGERPRINT, lambda _: b"f" * 64, "restore data/vault/keys.json"),
    "no card keys": (CARD_KEYS, None, "card_keys is missing, but cards were stored under it"),
    "few card keys": (CARD_KEYS, lambda data: data[:1], "card_keys ends too early"),
    "a torn fingerprint key": (FINGERPRINT, lambda data: data[:5], "fingerprint holds no key"),
}


def _of_the_vault(home: Path) -> dict[str, bytes]:
    """All that only the vault may write, but for its log, its cell and what its supervisor notes,
    and all mailboxes."""
    below = ("data/vault", "data/actors/vault", "data/secrets", "mailboxes")
    found = {path: path.read_bytes() for folder in below for path in files(home / folder)}
    return {
        str(path.relative_to(home)): data
        for path, data in found.items()
        if path.name not in ("cell", "lock") and path.name != "control.jsonl"
    }


def _state(house: House) -> str | None:
    row = house.row("vault")
    return row["state"] if row else None


def _again(house: House, verb: str, into: str) -> None:
    """`payrail restart vault` or `release`: wait until another process of it is that far."""
    before = (house.row("vault") or {})["pid"]
    assert house.cli(verb, "vault").returncode == 0
    until(
        lambda: _state(house) == into and (house.row("vault") or {})["pid"] != before,
        f"a vault that is {into}",
        60,
    )


def _asked(shop: Shop, method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    return shop.send(method, path, data, {}, url=shop.house.vault + path)


def _must_say_why(house: House, shop: Shop, token: str, why: str) -> None:
    """At every door, in `ps` and in the log."""
    health = _asked(shop, "GET", "/health")
    assert (health.status, health.body["status"]) == (503, "sealed")
    assert why in health.body["why"]
    for method, route, body in (
        ("POST", "/tokenize", {}),
        ("POST", "/detokenize", {"token": token, "purpose": "support.last4"}),
        ("GET", f"/tokens/{token}", None),
        ("POST", "/charge-token", {}),
    ):
        answer = _asked(shop, method, route, body)
        assert (answer.status, answer.body["code"]) == (503, "vault-sealed"), route
        assert answer.body["retryable"]
        assert int(answer.headers["Retry-After"]) > 0
        assert why in answer.body["detail"]
    assert _asked(shop, "GET", "/openapi.json").status == 200
    assert _asked(shop, "GET", "/nothing").status == 404
    assert _asked(shop, "GET", "/tokenize").status == 405

    ready = shop.get("/ready")
    assert (ready.status, ready.body["waiting_for"]) == (503, {"vault": "sealed"})
    rows = {row["name"]: row["state"] for row in shop.get("/health").body["actors"]}
    assert rows["vault"] == "sealed"
    assert "vault is sealed" in house.cli("ps").stderr
    told = [line for line in logged(house.home, "vault") if line["event"] == "vault.sealed"]
    assert why in told[-1]["why"]


@pytest.mark.parametrize("what", WRONG)
def test_a_vault_whose_files_do_not_fit_is_sealed_and_writes_nothing(
    house: House, shop: Shop, what: str
):
    """The process lives and says why, everywhere and in clear words; not one byte of the vault is
    written; with the file put back, the cards from before are there."""
    token = shop.tokenize()
    path, change, why = WRONG[what]
    kept = house.home / path
    spare = house.folder / "spare"
    shutil.copy2(kept, spare)
    restarts = (house.row("vault") or {})["restarts"]
    try:
        if change is None:
            kept.unlink()
        else:
            kept.write_bytes(change(spare.read_bytes()))
        assert _state(house) == "serving"
        _again(house, "restart", "sealed")
        before = _of_the_vault(house.home)
        _must_say_why(house, shop, token, why)
        _again(house, "restart", "sealed")  # Its way to the seal writes nothing either.
        assert _of_the_vault(house.home) == before
    finally:
        shutil.move(spare, kept)
    _again(house, "release", "serving")
    assert (house.row("vault") or {})["restarts"] == restarts + 3  # and not in circles
    assert _asked(shop, "GET", f"/tokens/{token}").body["token"] == token
    assert shop.create(token, confirm=True).body["state"] == "authorized"
