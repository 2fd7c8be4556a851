"""The files of a house at one moment, each read and parsed once, for everybody who judges them.

Reads what can be read: a line that is no JSON of ours is left out here, and is a finding of the
invariant about chains. Never: writes, mends, or holds a file open.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from payrail.domain.ledger import LedgerEntry, read_entry
from payrail.domain.timestamps import parse_iso
from payrail.domain.words.kinds import GATEWAY, PROVIDERS
from payrail.errors import LineDamaged
from payrail.runtime.actor import Actor, BookSpec
from payrail.runtime.deadletters import with_dead_letters
from payrail.runtime.head import decode_out
from payrail.runtime.ports import Fs
from payrail.runtime.recovery import journal_path
from payrail.storage.journal import JournalLine, decode_line
from payrail.storage.lines import complete_lines

LEDGERS = tuple(f"data/ledger/{name}.jsonl" for name in ("payments", "refunds", "disputes"))
OUTBOX = "data/outbox/events.jsonl"
ACCESS_LOG = "data/vault/access_log.jsonl"
CHANGES = "data/access/changes.jsonl"
DELIVERIES = "data/outbox/deliveries.jsonl"
MAILBOXES = "mailboxes"
#: Operation of the line of truth about a payout to us: it is about no payment.
PAYOUT = "payout"
#: What is surely no folder; a mailbox may have a dot in its name.
_SUFFIXES = (".jsonl", ".json", ".csv", ".toml", ".tmp")

Fields = dict[str, Any]
_decode: Callable[[bytes], Any] = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a book, decoded, and where it stands."""

    path: str
    number: int  # from 1
    fields: Fields

    def __getitem__(self, name: str) -> Any:
        return self.fields.get(name)

    @property
    def place(self) -> str:
        return f"{self.path}:{self.number}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the ledger, and where it stands."""

    path: str
    number: int
    seq: int
    fact: LedgerEntry

    @property
    def place(self) -> str:
        return f"{self.path}:{self.number}"


class Reading:
    """Files by path, journals by actor, and the ledger in the order of its common `seq`."""

    def __init__(self, fs: Fs, actors: Sequence[str], core: Callable[[str], Actor[Any]]) -> None:
        self._fs, self._actors, self._core = fs, actors, core
        self._bytes: dict[str, bytes] = {}
        self._lines: dict[str, list[bytes]] = {}
        self._rows: dict[str, list[Row]] = {}
        self._names: dict[str, list[str]] = {}
        self._steps: dict[str, list[JournalLine]] = {}
        self._sent: dict[str, dict[str, list[bytes]]] = {}

    def bytes_of(self, path: str) -> bytes:
        """All bytes of a file; none of a folder, or where there is nothing."""
        if path not in self._bytes:
            try:
                self._bytes[path] = self._fs.read(path)
            except (FileNotFoundError, IsADirectoryError):
                self._bytes[path] = b""
        return self._bytes[path]

    def lines(self, path: str) -> list[bytes]:
        """The whole lines of a file, without their newlines."""
        if path not in self._lines:
            self._lines[path] = complete_lines(self.bytes_of(path))[0]
        return self._lines[path]

    def rows(self, path: str) -> list[Row]:
        """The lines of a JSONL file that are JSON objects."""
        if path not in self._rows:
            self._rows[path] = [
                Row(path, number, fields)
                for number, line in enumerate(self.lines(path), 1)
                if (fields := decoded(line)) is not None
            ]
        return self._rows[path]

    def json(self, path: str) -> Any:
        """A JSON document; None when there is none or it cannot be read."""
        return decoded(self.bytes_of(path))

    def listdir(self, path: str) -> list[str]:
        """Names in a folder, sorted."""
        if path not in self._names:
            self._names[path] = self._fs.listdir(path)
        return self._names[path]

    @cached_property
    def all_paths(self) -> list[str]:
        """Every file of the house."""
        return [path for folder in ("data", MAILBOXES) for path in self._below(folder)]

    def steps(self, actor: str) -> list[JournalLine]:
        """The journal of an actor, up to the first line that is none."""
        if actor not in self._steps:
            found = self._steps[actor] = []
            for line in self.lines(journal_path(actor)):
                try:
                    found.append(decode_line(line))
                except (msgspec.MsgspecError, UnicodeDecodeError):
                    break
        return self._steps[actor]

    def decided(self, actor: str) -> Iterator[tuple[JournalLine, int]]:
        """(step, business time in ms) of a whole journal."""
        for step in self.steps(actor):
            yield step, parse_iso(step.at) + step.ahead_ms

    def sent(self, actor: str) -> dict[str, list[bytes]]:
        """The messages that an actor has journaled, in their order, by receiver."""
        if actor not in self._sent:
            found: dict[str, list[bytes]] = {}
            for step in self.steps(actor):
                for raw in step.out:
                    found.setdefault(decode_out(raw).to, []).append(bytes(raw))
            self._sent[actor] = found
        return self._sent[actor]

    @cached_property
    def books(self) -> dict[str, dict[str, BookSpec]]:
        """Every book of every actor, by actor and by the book's name."""
        return {name: with_dead_letters(name, self._core(name).books) for name in self._actors}

    @cached_property
    def entries(self) -> list[Entry]:
        """The ledger."""
        found = []
        for path in LEDGERS:
            for number, line in enumerate(self.lines(path), 1):
                try:
                    seq, fact = read_entry(line)
                except LineDamaged:
                    continue
                found.append(Entry(path, number, seq, fact))
        return sorted(found, key=lambda entry: entry.seq)

    @cached_property
    def entries_of(self) -> dict[str, list[Entry]]:
        """The ledger by `ref`."""
        found: dict[str, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.fact.ref, []).append(entry)
        return found

    @cached_property
    def truths(self) -> list[Row]:
        """What really happened at the providers, file after file."""
        names = sorted(self.listdir("data/providers"))
        paths = [f"data/providers/{name}" for name in names if name.endswith("_truth.jsonl")]
        return [row for path in paths for row in self.rows(path)]

    @cached_property
    def truths_of(self) -> dict[str, list[Row]]:
        """The same by payment; a payout is about none."""
        found: dict[str, list[Row]] = {}
        for row in self.truths:
            if row["operation"] == PAYOUT:
                continue
            found.setdefault(str(row["reference"]).rpartition(".")[0], []).append(row)
        return found

    @cached_property
    def said(self) -> dict[str, Fields]:
        """What providers told the gateway of calls, by the id of the message."""
        lines = [raw for name in PROVIDERS for raw in self.sent(name).get(GATEWAY, ())]
        outcomes = [decoded(raw) for raw in lines if b'"kind":"outcome"' in raw]
        return {line["id"]: line["body"] for line in outcomes}

    def _below(self, folder: str) -> list[str]:
        found = []
        for name in self.listdir(folder):
            path = f"{folder}/{name}"
            is_file = name.endswith(_SUFFIXES)
            found += ([] if is_file else self._below(path)) or [path]
        return found


def decoded(line: bytes) -> Any:
    """What a line of JSON says; None for anything else."""
    try:
        return _decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def provider_of(truth: Row) -> str:
    """Whose truth it is: providerA."""
    return truth.path.rpartition("/")[2].removesuffix("_truth.jsonl")
