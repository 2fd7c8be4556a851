"""A disk in memory that keeps what was written and what is durable apart: for bytes and for names.

    write ──▶ readable, pending ──sync──▶ durable            a power cut keeps what is durable
                    └──failed sync──▶ readable, lost          and any legal part of what is pending

A failed sync marks bytes clean that never reached the disk: readable, and gone at the next power
cut although a later sync succeeds. Only writing them again makes them pending again.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace


class Write(Struct, frozen=True, gc=False):
    """Bytes put at `offset`. With `data` None: the file cut, or filled with zeros, to `offset`."""

    offset: int
    data: bytes | None

    def apply(self, content: bytearray) -> None:
        offset, data, size = self.offset, self.data, len(content)
        if data is None:
            del content[offset:]
        if offset > size:
            content.extend(bytes(offset - size))
        if data is not None:
            content[offset : offset + len(data)] = data


@dataclass(eq=False, slots=True)
class Node:
    """A file or folder apart from its names. A folder has no content."""

    id: int
    is_folder: bool = False
    content: bytearray = field(default_factory=bytearray)
    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write] = field(default_factory=list)
    holder: object | None = None  # the handle that has locked it

    def twin(self) -> "Node":
        """The same bytes once more, unlocked."""
        pending = list(self.pending)
        return Node(
            self.id, self.is_folder, bytearray(self.content), bytearray(self.durable), pending
        )

    def write(self, write: Write) -> None:
        write.apply(self.content)
        self.pending.append(write)

    def sync(self) -> None:
        for write in self.pending:
            write.apply(self.durable)
        self.pending.clear()

    def forget(self, *, drops: bool = False) -> None:
        """What a failed sync does: nothing is pending any more, and nothing became durable; where
        the disk `drops`, it can also be read no more."""
        self.pending.clear()
        if drops:
            self.content[:] = self.durable


class NameChange(Struct, frozen=True):
    """A created (`added`), removed, or renamed (both) name. It survives whole or not at all."""

    folders: tuple[str, ...]
    node: Node
    removed: str | None = None
    added: str | None = None

    def apply(self, names: dict[str, Node]) -> None:
        if self.removed is not None:
            names.pop(self.removed, None)
        if self.added is not None:
            names[self.added] = self.node


class Survival(Protocol):
    """What of the pending outlives a power cut. Files and names are asked for one by one."""

    def name(self, path: str) -> bool:
        """Whether the pending change that gave or took the name `path` reached the disk."""

    def content(self, durable: bytes, writes: Sequence[Write]) -> bytes:
        """What a file with these pending writes holds afterwards."""


class SimDisk:
    """Names and nodes, shared by every simulated process of one machine."""

    def __init__(self, *, drops: bool = False) -> None:
        """`drops`: what a failed sync loses cannot even be read any more."""
        self.drops = drops
        self.names: dict[str, Node] = {}
        self.is_off = False
        self._durable_names: dict[str, Node] = {}
        self._pending: list[NameChange] = []
        self._last_id = 0
        self._listed: dict[str, list[str]] | None = None  # names by folder, once somebody asked

    def names_in(self, folder: str) -> list[str]:
        """Names in a folder, sorted."""
        if self._listed is None:
            self._listed = {}
            for path in sorted(self.names):
                self._list(path)
        return self._listed.get(folder, [])

    def new_node(self, *, is_folder: bool = False) -> Node:
        self._last_id += 1
        return Node(self._last_id, is_folder=is_folder)

    def change(self, change: NameChange) -> None:
        change.apply(self.names)
        self._pending.append(change)
        if self._listed is not None:
            for path in (change.removed, change.added):
                if path is not None:
                    self._list(path)

    def _list(self, path: str) -> None:
        """Have the list of its folder say whether there is such a name."""
        assert self._listed is not None
        above, _, name = path.rpartition("/")
        names = self._listed.setdefault(above, [])
        at = bisect_left(names, name)
        is_listed = at < len(names) and names[at] == name
        if is_listed and path not in self.names:
            del names[at]
        elif not is_listed and path in self.names:
            names.insert(at, name)

    def sync_folder(self, folder: str) -> None:
        for change in self._taken_from_pending(folder):
            change.apply(self._durable_names)

    def forget_folder(self, folder: str) -> None:
        """What a failed sync of a folder does to its new names; see Node.forget."""
        self._taken_from_pending(folder)

    def after_crash(self, survival: Survival) -> "SimDisk":
        """Cut the power. Result: the disk as it is found afterwards; this one is off for good."""
        self.is_off = True
        names = dict(self._durable_names)
        for change in self._pending:
            if survival.name(change.added or change.removed or ""):
                change.apply(names)
        found = SimDisk(drops=self.drops)
        found._last_id = self._last_id
        found.names = {
            path: _survivor(node, survival)
            for path, node in names.items()
            if all(folder in names for folder in parents(path))
        }
        found._durable_names = dict(found.names)
        return found

    def copy(self) -> "SimDisk":
        """The same files on a disk of its own, all of them durable."""
        found = SimDisk()
        found._last_id = self._last_id
        found.names = {
            path: Node(node.id, node.is_folder, bytearray(node.content), bytearray(node.content))
            for path, node in self.names.items()
        }
        found._durable_names = dict(found.names)
        return found

    def digest(self) -> bytes:
        """A hash over all names and contents."""
        whole = hashlib.sha256()
        for path, node in sorted(self.names.items()):
            whole.update(b"%b %d\n" % (path.encode(), len(node.content)))
            whole.update(node.content)
        return whole.digest()

    def lost_names(self) -> set[str]:
        """Names that stand otherwise on the disk than can be read, and that no later sync saves."""
        paths = self.names.keys() | self._durable_names.keys()
        changed = {path for one in self._pending for path in (one.added, one.removed)}
        return {p for p in paths if self.names.get(p) is not self._durable_names.get(p)} - {
            path for path in changed if path is not None
        }

    def twin(self) -> "SimDisk":
        """The same disk once more, with nobody's locks: what is pending there is pending here."""
        copies: dict[int, Node] = {}

        def of(node: Node) -> Node:
            if node.id not in copies:
                copies[node.id] = node.twin()
            return copies[node.id]

        found = SimDisk(drops=self.drops)
        found.is_off, found._last_id = self.is_off, self._last_id
        found.names = {path: of(node) for path, node in self.names.items()}
        found._durable_names = {path: of(node) for path, node in self._durable_names.items()}
        found._pending = [replace(change, node=of(change.node)) for change in self._pending]
        return found

    def _taken_from_pending(self, folder: str) -> list[NameChange]:
        taken = [change for change in self._pending if folder in change.folders]
        self._pending = [change for change in self._pending if folder not in change.folders]
        return taken


def parents(path: str) -> Iterator[str]:
    """The folders above `path`, outermost first, without the home itself."""
    parts = path.split("/")[:-1]
    return ("/".join(parts[: depth + 1]) for depth in range(len(parts)))


def _survivor(node: Node, survival: Survival) -> Node:
    content = survival.content(bytes(node.durable), node.pending) if node.pending else node.durable
    return Node(node.id, node.is_folder, bytearray(content), bytearray(content))
