"""Copies of a house at rest, what people and disks do to their files, and what becomes of them.

The house is built once by whoever asks for it, and takes its time; each copy is damaged alone.
`verify` is the verb that people type; `up` runs with its own processes.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from unittest import mock

from actors.cli.chaos.house import House
from actors.cli.main import run
from tests.scenarios.living import living, until
from tests.scenarios.shop import Shop

PAYMENTS = 20
DAMAGE = 65
LETTERS = "mailboxes/dlq/gateway.jsonl"
#: One book of each actor, so that one `up` shows three of them.
BOOK_OF = {
    "gateway": "data/ledger/payments.jsonl",
    "vault": "data/vault/access_log.jsonl",
    "provider-a": "data/providers/providerA_truth.jsonl",
}


class Wreck(House):
    """A copy of a house at rest, to be damaged."""

    def __init__(self, folder: Path, whole: Path) -> None:
        super().__init__(folder)
        shutil.copytree(whole, self.home, dirs_exist_ok=True)

    def findings(self) -> list[tuple[str, int]]:
        """(path, line) of each damage that `verify` names, if it ends as it must."""
        code, text = self._verify()
        found = [(one["path"], one["line"]) for one in json.loads(text)
                 if one["severity"] == "damage"]  # fmt: skip
        assert code == (DAMAGE if found else 0), (code, found)
        return found

    def _verify(self) -> tuple[int, str]:
        """The verb in this process, since it is asked so often."""
        with (
            mock.patch.dict(os.environ, self.env),
            mock.patch.object(sys, "argv", ["payrail", "verify", "--json"]),
            redirect_stdout(StringIO()) as out,
        ):
            return run(), out.getvalue()


def whole_house(folder: Path) -> Path:
    """The home of a house that made payments, was restarted in between, and was stopped; beside it
    `early`, the same home before the later half."""
    with living(folder) as house:
        _pay(Shop(house), PAYMENTS // 2)
    shutil.copytree(house.home, folder / "early")
    house.start()
    _pay(Shop(house), PAYMENTS // 2)
    with (house.home / "mailboxes/gateway/hand.jsonl").open("ab") as file:
        file.write(b"no message\nnor this\n")
    until(lambda: (house.home / LETTERS).read_bytes().count(b"\n") == 2, "two dead letters")
    house.stop()
    return house.home


def _pay(shop: Shop, count: int) -> None:
    for number in range(count):
        made = shop.create(shop.tokenize(), 1000 + number)
        path = f"/payment-intents/{made.body['id']}"
        assert shop.post(f"{path}/authorize", {}).status == 200
        assert shop.post(f"{path}/capture", {}).status == 200


def pay_until(house: House, stop: threading.Event) -> None:
    shop = Shop(house)
    token = shop.tokenize()
    while not stop.is_set():
        shop.create(token, confirm=True)


def flip(path: Path, line: int, share: float = 0.5) -> None:
    """One bit of that line (from 1) at a share of its length."""
    rows = path.read_bytes().split(b"\n")
    row = bytearray(rows[line - 1])
    row[int(len(row) * share)] ^= 1
    rows[line - 1] = bytes(row)
    path.write_bytes(b"\n".join(rows))


def line_count(path: Path) -> int:
    return path.read_bytes().count(b"\n")


def flip_journals(wreck: Wreck) -> None:
    for actor in BOOK_OF:
        path = wreck.home / f"data/actors/{actor}/journal.jsonl"
        flip(path, line_count(path) // 2)


def flip_books(wreck: Wreck, *, last: bool = False) -> None:
    for name in BOOK_OF.values():
        count = line_count(wreck.home / name)
        flip(wreck.home / name, count if last else count // 2)


def remove_book_lines(wreck: Wreck) -> None:
    for name in BOOK_OF.values():
        rows = (wreck.home / name).read_bytes().split(b"\n")
        del rows[len(rows) // 2]
        (wreck.home / name).write_bytes(b"\n".join(rows))


def restore_old_journals(wreck: Wreck, whole: Path) -> None:
    for actor in BOOK_OF:
        path = f"data/actors/{actor}/journal.jsonl"
        shutil.copy(whole.parent / "early" / path, wreck.home / path)


def remove_documents(wreck: Wreck) -> None:
    """As a crash before the first snapshot leaves it: each actor starts from its journal alone."""
    for actor in BOOK_OF:
        (wreck.home / f"data/actors/{actor}/head.json").unlink()


@contextmanager
def risen(wreck: Wreck) -> Iterator[dict[str, str]]:
    """`up` on the wreck, and what became of each actor but the front door."""
    rest = ("down", "starting", "backoff")

    def states() -> dict[str, str]:
        found = {row["name"]: str(row["state"]) for row in wreck.rows()}
        return {name: found.get(name, "down") for name in BOOK_OF}

    with wreck.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *wreck.command], cwd=wreck.folder, env=wreck.env, stderr=log
        )
    try:
        until(lambda: all(state not in rest for state in states().values()), "all are settled")
        yield states()
    finally:
        process.terminate()
        process.wait(20)
