"""8027 over real HTTP while two operators hold the vault's keys: sealed, unlocked, guessed at."""

import asyncio
import io
import json
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from actors.vault.cipher import VaultKeys
from actors.vault.guard import WRONG_MAX, Guard
from actors.vault.keys import VaultLocked, open_keys
from actors.vault.operator_models import OperatorGiven
from actors.vault.operators import COST, Cost, Protection, share_of
from actors.vault.operators import protect as protect_by
from actors.vault.protecting import Protector
from actors.vault.sealed_door import SealedDoor
from payrail.logs import make_logger
from payrail.runtime.sim import SimClock, SimFs, SimRng
from tests.actors.doors import INTERNAL, free_port
from tests.actors.vaulted import open_vault

CHEAP = Cost(memory_kib=8, iterations=1, lanes=1)
ADA = {"name": "ada", "passphrase": "the first engine of all"}
BO = {"name": "bo", "passphrase": "another long passphrase"}


class Sealed:
    """A sealed vault's door, and a client with the internal secret."""

    def __init__(self, door: SealedDoor, port: int, session: aiohttp.ClientSession, log: Any):
        self.door, self.port, self.session, self.log = door, port, session, log

    async def ask(self, method: str, path: str, body: Any = None, key: str = INTERNAL) -> Any:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        url = f"http://127.0.0.1:{self.port}{path}"
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            return answer.status, json.loads(await answer.text())

    async def unlock(self, one: dict[str, str]) -> Any:
        body = {"operator": one["name"], "passphrase": one["passphrase"]}
        return await self.ask("POST", "/unlock", body)


async def _protected() -> tuple[SimFs, Protection]:
    """A home whose keys these two hold, as its next start finds it."""
    fs = SimFs()
    keys = open_keys(fs, SimClock(), SimRng(7))
    hands = Protector(fs, SimClock(), SimRng(8), keys, make_logger("vault", io.BytesIO()))
    hands.cost = CHEAP
    await hands.protect([OperatorGiven(**ADA), OperatorGiven(**BO)], [])
    with pytest.raises(VaultLocked) as locked:
        open_keys(fs, SimClock(), SimRng(7))
    return fs, locked.value.protection


@asynccontextmanager
async def sealed_vault():
    fs, protection = await _protected()
    logged = io.BytesIO()
    log, clock, port = make_logger("vault", logged), SimClock(), free_port()

    def opened(wrapping: Any) -> VaultKeys:
        return open_keys(fs, clock, SimRng(7), wrapping=wrapping)

    door = SealedDoor(
        "waits",
        guard=Guard(protection, clock, log),
        open_keys=opened,
        internal_secret=INTERNAL.encode(),
        rng=SimRng(4),
        log=log,
    )
    async with aiohttp.ClientSession() as session, door.listening("127.0.0.1", port):
        yield Sealed(door, port, session, logged)


async def test_both_operators_unlock_in_any_order_and_nobody_twice():
    """The same one twice is one; the second answer comes when the vault serves."""
    async with sealed_vault() as vault:
        status, body = await vault.unlock(BO)
        assert (status, body["sealed"], body["missing"]) == (200, True, ["ada"])
        assert (await vault.unlock(BO))[1]["missing"] == ["ada"]
        assert (await vault.ask("GET", "/unlock"))[1]["missing"] == ["ada"]
        why = (await vault.ask("GET", "/health"))[1]["why"]
        assert why.startswith("waits for 1 operator: ada")

        last = asyncio.create_task(vault.unlock(ADA))
        keys = await vault.door.keys
        assert keys.current_id == "k1"
        await vault.door.make_way()
        assert not last.done()
        async with vault.door.opened(None, None):
            status, body = await last
        assert (status, body["sealed"], body["missing"]) == (200, False, [])


async def test_who_waits_is_told_when_the_vault_does_not_come_to_serve():
    """The keys fit, but the vault ends before it serves: 503, and not silence."""
    async with sealed_vault() as vault:
        await vault.unlock(BO)
        last = asyncio.create_task(vault.unlock(ADA))
        await vault.door.keys
        vault.door._over.set()
        status, body = await last
        assert (status, body["code"]) == (503, "vault-sealed")


@pytest.mark.parametrize("path", ["/unlock", "/protect", "/tokenize", "/rotate-keys"])
async def test_only_the_inner_secret_opens_the_lock(path: str):
    """Without it 401; what is no lock is 503 whoever asks."""
    async with sealed_vault() as vault:
        for key in ("", "sk_test_m001admin_" + "0" * 32):
            body = {"operator": "ada", "passphrase": ADA["passphrase"]}
            status, problem = await vault.ask("POST", path, body, key)
            wanted = (401, "unauthenticated") if path == "/unlock" else (503, "vault-sealed")
            assert (status, problem["code"]) == wanted
        assert vault.door.missing == ["ada", "bo"]


async def test_a_wrong_passphrase_says_nothing_and_is_not_kept():
    """403, the same for near and far; ten in a row are the last; neither a wrong nor a right one
    is in the log, in an answer or in an error, and what cannot be one is 422."""
    async with sealed_vault() as vault:
        told = [
            await vault.unlock({"name": "ada", "passphrase": text})
            for text in ("the first engine of al", "x", "the first engine of all ", "")
        ]
        assert {status for status, _ in told} == {403}
        assert len({body["detail"] for _, body in told}) == 1
        for text in ("a" * 257, 12, None):
            status, body = await vault.unlock({"name": "ada", "passphrase": text})
            assert (status, body["errors"][0]["field"]) == (422, "passphrase")
            assert "aaaa" not in json.dumps(body)
        assert (await vault.unlock({"name": "eve", "passphrase": "x"}))[0] == 422
        for _ in range(WRONG_MAX - 4):
            assert (await vault.unlock({"name": "ada", "passphrase": "s3cret"}))[0] == 403
        assert (await vault.unlock(ADA))[0] == 429
        assert (await vault.unlock(BO))[0] == 200
        logged = vault.log.getvalue()
        assert b"vault.passphrase_wrong" in logged
        for secret in (b"s3cret", b"engine", b"another long"):
            assert secret not in logged


async def test_bytes_that_are_no_text_are_refused():
    """Half a surrogate pair is no passphrase: 4xx, and not an error of ours."""
    async with sealed_vault() as vault:
        body = b'{"operator":"ada","passphrase":"twelve characters \\ud800"}'
        headers = {"Authorization": f"Bearer {INTERNAL}", "Content-Type": "application/json"}
        url = f"http://127.0.0.1:{vault.port}/unlock"
        async with vault.session.post(url, data=body, headers=headers) as answer:
            assert 400 <= answer.status < 500


async def test_a_guess_does_not_hold_up_the_loop():
    """Argon2id at its full cost runs beside the loop, so that the vault beats and answers."""
    fs, clock = SimFs(), SimClock()
    keys = open_keys(fs, clock, SimRng(7))
    made, _ = protect_by([("ada", ADA["passphrase"]), ("bo", BO["passphrase"])],
                         keys.own.decode(), SimRng(9), COST)  # fmt: skip
    guard = Guard(made, clock, make_logger("vault", io.BytesIO()))
    guess = asyncio.create_task(guard.share("ada", ADA["passphrase"]))
    turns = 0
    while not guess.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 20
    assert await guess == share_of(made, made.operators[0], ADA["passphrase"])


async def test_an_open_vault_is_protected_over_http(tmp_path):
    """Two people protect it, are asked for again, change, and put it back; nobody else can."""
    async with open_vault(tmp_path) as vault:
        token = await vault.token()
        body = {"operators": [ADA, BO]}
        assert (await vault.ask("POST", "/protect", body))[0] == 401
        assert (await vault.ask("GET", "/unlock"))[0] == 401
        short = {"operators": [ADA, {"name": "bo", "passphrase": "elevenchars"}]}
        status, problem = await vault.ask("POST", "/protect", short, INTERNAL)
        assert (status, problem["errors"][0]["field"]) == (422, "operators.1.passphrase")
        assert "elevenchars" not in json.dumps(problem)
        status, shown = await vault.ask("POST", "/protect", body, INTERNAL)
        assert (status, shown) == (200, {"protected": True, "operators": ["ada", "bo"]})
        found = {"sealed": False, "missing": [], "operators": ["ada", "bo"]}
        assert await vault.ask("GET", "/unlock", None, INTERNAL) == (200, found)
        given = {"operator": "ada", "passphrase": "whatever"}
        assert await vault.ask("POST", "/unlock", given, INTERNAL) == (200, found)
        assert (await vault.ask("POST", "/protect", body, INTERNAL))[0] == 422
        for current in ([ADA, {**BO, "passphrase": "not what bo typed"}], [ADA, BO]):
            off = {"off": True, "current": current}
            last = await vault.ask("POST", "/protect", off, INTERNAL)
        assert last == (200, {"protected": False, "operators": []})
        assert (await vault.ask("GET", f"/tokens/{token}"))[0] == 200
        everything = vault.everything()
        for one in (ADA, BO):
            assert one["passphrase"].encode() not in everything
