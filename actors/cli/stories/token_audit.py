"""token-audit: a card number comes in and is never seen again, and every touch of it is on record.

The damage at the end is done to a copy; the house itself stays whole.
"""

import asyncio
import json
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from actors.cli.shop import Answer, Shop
from actors.cli.stories import Checks
from actors.cli.stories.cards import MERCHANT, good_card, order
from actors.cli.stories.houses import House, own_house, until
from payrail.domain.books import CARD_ACCESS_BOOK

LAST4 = good_card().number[-4:]
#: How long a rotation of one card may take.
ROTATED_S_MAX = 60.0


async def play(checks: Checks) -> None:
    async with own_house() as house, house.shop() as shop:
        token = await shop.tokenize(MERCHANT, good_card())
        paid = await _paid(checks, shop, token, "before")
        _nowhere(checks, house)
        _logged(checks, house, token, paid)
        await _looked_at(checks, house, shop, token)
        await _rotated(checks, house, shop, token)
        await _audited(checks, house, token)
        await _damaged(checks, house)


async def _paid(checks: Checks, shop: Shop, token: str, key: str) -> dict[str, Any]:
    body = {**order(token), "confirm": True, "capture_method": "automatic"}
    answer = await shop.keep_posting("create", MERCHANT, "/payment-intents", body, key)
    good = (answer.status, answer.body.get("state")) == (201, "captured")
    checks.that(f"the token pays ({key} the rotation)", good, f"{answer.status} {answer.code}")
    return answer.body


def _nowhere(checks: Checks, house: House) -> None:
    """What `grep -r NUMBER data mailboxes` looks through."""
    number = good_card().number.encode()
    found = [
        str(path.relative_to(house.home))
        for folder in ("data", "mailboxes")
        for path in sorted((house.home / folder).rglob("*"))
        if path.is_file() and number in path.read_bytes()
    ]
    checks.that("`grep -r` for the number in data mailboxes finds nothing", not found, found)


def _logged(checks: Checks, house: House, token: str, paid: dict[str, Any]) -> None:
    log = _log(house, token)
    purposes = [line["purpose"] for line in log]
    checks.that(
        "the access log has `tokenize`, then `charge.authorize`",
        purposes == ["tokenize", "charge.authorize"],
        purposes,
    )
    charge = log[-1]
    said = [charge.get(name) for name in ("provider", "payment_id", "correlation_id")]
    checks.that(
        "with provider, payment and correlation id",
        said[:2] == [paid.get("provider"), paid.get("id")] and said[2],
        said,
    )
    truth = house.lines(f"data/providers/{paid.get('provider')}_truth.jsonl")
    real = next((line for line in truth if line["reference"] == charge.get("reference")), {})
    checks.that(
        "before the provider's truth line", charge["at"] <= real.get("at", ""), (charge, real)
    )


async def _looked_at(checks: Checks, house: House, shop: Shop, token: str) -> None:
    """Three looks, three lines."""
    look = {"token": token, "purpose": "support.last4"}
    answer = await _detokenize(checks, house, shop, look, 200)
    checks.that(
        "/detokenize with support.last4: four digits and brand",
        answer.body == {"last4": LAST4, "brand": "visa"},
        answer.body,
    )
    await _detokenize(checks, house, shop, {"token": token}, 422)
    await _detokenize(checks, house, shop, look, 403, role="publishable")


async def _detokenize(
    checks: Checks, house: House, shop: Shop, body: Any, status: int, *, role: str = "admin"
) -> Answer:
    before = len(_log(house, body["token"]))
    answer = await shop.detokenize(MERCHANT, body, role=role)
    what = "without a purpose" if "purpose" not in body else f"with the {role} key"
    checks.that(f"/detokenize {what}: {status}", answer.status == status, answer.status)
    after = len(_log(house, body["token"]))
    checks.that("it is one more line", after == before + 1, (before, after))
    return answer


async def _rotated(checks: Checks, house: House, shop: Shop, token: str) -> None:
    old = _keys(house)[0]["id"]
    code, told = await house.payrail("vault", "rotate")
    new = _keys(house)[0]["id"]
    checks.that("`payrail vault rotate` exits 0", code == 0, told)
    checks.that("a new key is in use", new != old, new)
    await _paid(checks, shop, token, "after")
    retired = await until(lambda: _is_retired(house, old), ROTATED_S_MAX)
    checks.that("the old key is retired once nothing is under it", retired, _keys(house))
    await _paid(checks, shop, token, "long after")


def _keys(house: House) -> list[dict[str, Any]]:
    """Newest first."""
    found: list[dict[str, Any]] = json.loads((house.home / "data/vault/keys.json").read_bytes())[
        "keys"
    ]
    return found


def _is_retired(house: House, key_id: str) -> bool:
    line = next((line for line in _keys(house) if line["id"] == key_id), None)
    return line is None or bool(line["retired_at"])


async def _audited(checks: Checks, house: House, token: str) -> None:
    code, table = await house.payrail("vault", "audit", "--token", token)
    lines = table.splitlines()
    named = [purpose for purpose in ("tokenize", "charge.authorize", "support.last4")
             if any(f" {purpose} " in line for line in lines)]  # fmt: skip
    checks.that("`payrail vault audit --token` prints the history", len(named) == 3, table)
    checks.that("and `chain ok`", code == 0 and "chain ok" in lines[-1], lines[-1:])


async def _damaged(checks: Checks, house: House) -> None:
    """One byte of the log in a copy of the home."""
    with tempfile.TemporaryDirectory(prefix="payrail-copy-") as folder:
        copy = House(Path(folder) / "home", {}, house.settings)
        copy.env.update({**house.env, "PAYRAIL_HOME": str(copy.home)})
        await asyncio.to_thread(_copied, house.home, copy.home)
        log = copy.home / CARD_ACCESS_BOOK
        data = bytearray(log.read_bytes())
        data[data.index(b"\n") + 40] ^= 1
        log.write_bytes(data)
        code, told = await copy.payrail("verify")
        where = f"{CARD_ACCESS_BOOK}:2"
        fact = "one flipped byte in a copied home: `payrail verify` is 65 and names file and line"
        checks.that(fact, code == 65 and where in told, f"{code} {told}")


def _copied(home: Path, to: Path) -> None:
    """What is renamed away while it is copied was half a file."""
    for path in sorted(home.rglob("*")):
        where = to / path.relative_to(home)
        with suppress(FileNotFoundError):
            if path.is_dir():
                where.mkdir(parents=True)
            elif path.is_file():
                shutil.copyfile(path, where)


def _log(house: House, token: str) -> list[dict[str, Any]]:
    return [line for line in house.lines(CARD_ACCESS_BOOK) if line["token"] == token]
