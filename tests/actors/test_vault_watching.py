"""The vault notices odd uses of its cards while they happen, once for each run."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from actors.vault import watching as room
from actors.vault.watching import LogWatch, watching
from payrail.domain.books import CARD_ACCESS_BOOK
from payrail.domain.timestamps import iso
from payrail.errors import Damage
from payrail.storage.fs import RealFs
from tests.actors.doors import book
from tests.actors.pure import NOON_MS, StillClock
from tests.actors.vaulted import CARD, open_vault


class Told:
    """A log that keeps what it was told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def warning(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))

    error = warning


def guess(number: int = 0, ago_ms: int = 0, **more: Any) -> dict[str, Any]:
    return {
        "at": iso(NOON_MS - ago_ms),
        "who": "usr_1",
        "token": f"tok_{number}",
        "purpose": "support.last4",
        "payment_id": None,
        "correlation_id": "cor_1",
        "outcome": "refused:unknown_token",
        "origin": "http",
        **more,
    }


def watch(home: Path, told: Told) -> LogWatch:
    return LogWatch(RealFs(str(home)), StillClock(), told)


def all_of(watch: LogWatch) -> None:
    while watch.look():
        pass


def test_a_run_is_told_once_with_who_and_where(tmp_path: Path):
    """Kind, asker, line and request stand in the log; no words of the asker's do."""
    told = Told()
    found = watch(tmp_path, told)
    end = book(tmp_path, CARD_ACCESS_BOOK, [guess(n) for n in range(4)])
    all_of(found)
    assert told.lines == []

    book(tmp_path, CARD_ACCESS_BOOK, [guess(n) for n in range(9)], *end)
    all_of(found)
    ((event, fields),) = told.lines
    assert event == "vault.anomaly"
    assert fields["kind"] == "guessing"
    assert (fields["who"], fields["line"], fields["count"]) == ("usr_1", 5, 5)
    assert fields["correlation_id"] == "cor_1"
    assert found.counts == {"guessing": 1}


def test_what_an_earlier_incarnation_has_told_is_not_told_again(tmp_path: Path):
    """All but the last minute: there it may have died before it could."""
    book(tmp_path, CARD_ACCESS_BOOK, [guess(ago_ms=61_000)] * 9)
    told = Told()
    all_of(watch(tmp_path, told))
    assert told.lines == []

    late = tmp_path / "late"
    book(late, CARD_ACCESS_BOOK, [guess(ago_ms=5_000)] * 9)
    all_of(watch(late, told))
    assert [event for event, _ in told.lines] == ["vault.anomaly"]


def test_of_a_long_log_the_end_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A start does not wait for years of lines, and what follows is chained to where it began."""
    monkeypatch.setattr(room, "TAIL_BYTES", 1_500)
    end = book(tmp_path, CARD_ACCESS_BOOK, [guess(n, outcome="allowed") for n in range(200)])
    told = Told()
    found = watch(tmp_path, told)
    all_of(found)
    book(tmp_path, CARD_ACCESS_BOOK, [guess()] * 5, *end)
    all_of(found)

    assert [fields["line"] for _, fields in told.lines] == [205]


async def test_a_damaged_log_ends_the_watch_and_says_so(tmp_path: Path):
    """Cards are not withheld for it: the vault's own check of its log is another one."""
    book(tmp_path, CARD_ACCESS_BOOK, [guess()] * 3)
    log = tmp_path / CARD_ACCESS_BOOK
    log.write_bytes(log.read_bytes().replace(b"tok_0", b"tok_1", 1))
    told = Told()
    found = watch(tmp_path, told)
    with pytest.raises(Damage):
        all_of(watch(tmp_path, Told()))

    async with watching(found, told):
        while not told.lines:
            await asyncio.sleep(0)
    ((event, fields),) = told.lines
    assert (event, fields["file"]) == ("vault.watch_ended", CARD_ACCESS_BOOK)


async def test_guessing_shows_in_the_health_and_the_log_of_the_vault(tmp_path: Path):
    """Counts by kind for everybody, the rest for those who read the house's logs."""
    async with open_vault(tmp_path) as vault:
        await vault.ask("POST", "/tokenize", CARD)
        for number in range(6):
            look = {"token": f"tok_{number:032x}", "purpose": "support.last4"}
            assert (await vault.ask("POST", "/detokenize", look))[0] == 422
        async with asyncio.timeout(20):
            while not (seen := (await vault.ask("GET", "/health", key=""))[1]["anomalies"]):
                await asyncio.sleep(0.02)

    assert seen == {"guessing": 1}
    logged = (tmp_path / "log").read_text()
    assert logged.count("vault.anomaly") == 1
