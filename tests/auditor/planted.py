"""Damage to plant in a home made by hand, and what an audit of it names."""

from collections.abc import Callable
from pathlib import Path

from tests.auditor import handmade as hand
from tests.auditor.audit import audit
from tests.auditor.handmade import House
from tests.auditor.report import Report

Plant = Callable[[House], None]


def audited(home: Path, house: House, damage: Callable[[Path], None] | None = None) -> Report:
    """Write the house, and audit it with its history."""
    history = house.write(home, damage)
    return audit(home, history=history, pans=[hand.CARD])


def places(report: Report) -> set[tuple[str, str, int]]:
    """(check, file, line) of every finding."""
    return {(found.check, found.path, found.line) for found in report.findings}


def change(path: str, line: int, **fields: object) -> Plant:
    return lambda house: house.books[path][line - 1].update(fields)


def append(path: str, fields: hand.Fields) -> Plant:
    return lambda house: house.books[path].append(fields)


def book(kind: str, ref: str, amount: int, **data: object) -> Plant:
    """Append an entry and its event."""

    def plant(house: House) -> None:
        seq = len(house.books[hand.PAYMENTS]) + 1
        house.books[hand.PAYMENTS].append(hand.entry(seq, kind, ref, amount, **data))
        house.books[hand.OUTBOX].append({"seq": seq, "id": f"evt_{seq}", "type": kind})

    return plant


def data(line: int, **fields: object) -> Plant:
    return lambda house: house.books[hand.PAYMENTS][line - 1]["data"].update(fields)


def flip(path: str, at: int) -> Callable[[Path], None]:
    def damage(home: Path) -> None:
        data = bytearray((home / path).read_bytes())
        data[at] ^= 1
        (home / path).write_bytes(data)

    return damage


def lines_of(path: str, change: Callable[[list[bytes]], object]) -> Callable[[Path], None]:
    def damage(home: Path) -> None:
        lines = (home / path).read_bytes().splitlines(keepends=True)
        change(lines)
        (home / path).write_bytes(b"".join(lines))

    return damage
