"""Files of a toy house, spoilt by the bit and by the line, and what `verify` says of them."""

from typing import Any

from payrail.audit.findings import DAMAGE, Finding
from payrail.audit.house import verify
from payrail.runtime.edge import open_epoch
from payrail.runtime.sim import SimClock, SimFs
from payrail.storage.lines import chained
from tests.runtime.toy import Toy, create_line, deposit_line, drive, feed, settle

JOURNAL = "data/actors/gateway/journal.jsonl"
BOOK = "data/toy/deposits.jsonl"
SPOOL = "mailboxes/vault/gateway.jsonl"
EDGE_SPOOL = "mailboxes/gateway/frontdoor.jsonl"
EDGE_JOURNAL = "data/actors/frontdoor/journal.jsonl"
DOCUMENT = "data/actors/gateway/toy.json"


def check(fs: SimFs) -> list[Finding]:
    actors: dict[str, Any] = {"gateway": Toy()}
    return verify(fs, actors)


def damage(fs: SimFs) -> list[tuple[str, int]]:
    """Where the damage is."""
    return [(f.path, f.line) for f in check(fs) if f.severity == DAMAGE]


def lines_of(fs: SimFs, path: str) -> list[bytes]:
    return fs.read(path).split(b"\n")[:-1]


def put(fs: SimFs, path: str, lines: list[bytes]) -> None:
    fs.replace(path, b"".join(line + b"\n" for line in lines))


def flip(fs: SimFs, path: str, line: int, at: int = 20) -> None:
    """Flip one bit in the middle of a line (from 1)."""
    lines = lines_of(fs, path)
    raw = bytearray(lines[line - 1])
    raw[at] ^= 1
    lines[line - 1] = bytes(raw)
    put(fs, path, lines)


def rechained(lines: list[bytes]) -> list[bytes]:
    """The same records with a chain that fits, as somebody with time would make it."""
    prev, made = "0" * 64, []
    for line in lines:
        body = line[: line.rindex(b',"prev":"')] + b"}"
        made.append(chained(body, prev))
        prev = made[-1][-66:-2].decode()
    return made


def whole_house(clock: SimClock) -> SimFs:
    """A toy that took eight deposits and two questions, left a snapshot, and went on."""
    fs = SimFs()
    open_epoch(fs, clock, "frontdoor")
    driver = drive(fs, clock)
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(1, 7)))
    feed(fs, "frontdoor", create_line(1, 5), create_line(2, 6), create_line(3, 7))
    settle(driver)
    driver.write_documents()
    feed(fs, "vault", *(deposit_line(n, f"tok_{n}") for n in range(7, 9)))
    settle(driver)
    clock.advance_ms(2000)
    settle(driver)
    driver.write_documents()
    driver.flush()
    return fs
