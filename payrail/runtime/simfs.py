"""`ports.Fs` over a disk in memory, one per simulated process, with faults at counted steps.

Every change is a step with a number, from 1: `mkdir create append pwrite truncate sync rename
unlink sync_folder`. A composite call (`open(create=True)`, `replace`, `rename`) takes its steps
one by one, in the order of `storage.fs`, so that each is a crash point of its own.
"""

import errno
import os
from collections.abc import Callable
from functools import lru_cache
from random import Random
from typing import TypeVar

from payrail.runtime.simdisk import NameChange, Node, SimDisk, Survival, Write, parents
from payrail.runtime.simfaults import Call, Chance, Fault, Faults, SimCrash
from payrail.storage.fs import folder_of, inside, temporary

R = TypeVar("R")
#: `inside`, remembered: what is looked for again and again is often not there.
_plain = lru_cache(maxsize=4096)(inside)


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)


class SimFile:
    """One open file; see `ports.File`."""

    def __init__(self, fs: "SimFs", path: str, node: Node) -> None:
        self._fs, self._path, self._open_node = fs, path, node
        self.is_closed = False

    @property
    def is_dead(self) -> bool:
        return self.is_closed or self._fs.is_dead

    def append(self, data: bytes) -> int:
        offset = self.size()
        if data:
            self._write("append", offset, data)
        return offset

    def pread(self, offset: int, size: int) -> bytes:
        return bytes(self._node().content[offset : offset + size])

    def pwrite(self, offset: int, data: bytes) -> None:
        self._write("pwrite", offset, data)

    def truncate(self, size: int) -> None:
        node = self._node()
        self._fs.step("truncate", self._path, lambda: node.write(Write(size, None)))

    def sync(self) -> None:
        node = self._node()
        drops = self._fs.disk.drops
        self._fs.step("sync", self._path, node.sync, failed=lambda: node.forget(drops=drops))

    def size(self) -> int:
        return len(self._node().content)

    def identity(self) -> int:
        return self._node().id

    def lock(self) -> bool:
        node = self._node()
        if isinstance(node.holder, SimFile) and not node.holder.is_dead:
            return node.holder is self
        node.holder = self
        return True

    def close(self) -> None:
        self.is_closed = True

    def _node(self) -> Node:
        fs = self._fs
        if fs._is_killed or fs.disk.is_off:  # As `must_live`; nothing is asked more often.
            raise SimCrash
        if self.is_closed:
            raise _error(errno.EBADF, self._path)
        return self._open_node

    def _write(self, op: str, offset: int, data: bytes) -> None:
        node = self._node()

        def write(kept_bytes: int) -> None:
            if kept_bytes:
                node.write(Write(offset, data[:kept_bytes]))

        size = len(data)
        self._fs.step(op, self._path, lambda: write(size), partly=write, size_bytes=size)


class SimFs:
    """One simulated process's view of a disk. After SimCrash: `reopen`, or `after_crash`.

    `log` holds every step taken, `fired` those that a fault has hit: a test of a fault looks there.
    """

    def __init__(self, disk: SimDisk | None = None, *, faults: Faults = ()) -> None:
        self.disk = SimDisk() if disk is None else disk
        self.faults = faults
        self.log: list[Call] = []
        self.fired: list[Call] = []
        self._is_killed = False
        self._synced: set[str] = {""}

    @property
    def calls(self) -> int:
        return len(self.log)

    @property
    def is_dead(self) -> bool:
        return self._is_killed or self.disk.is_off

    def must_live(self) -> None:
        if self._is_killed or self.disk.is_off:
            raise SimCrash

    def kill(self) -> None:
        """As `kill -9`: what was written stays, synced or not; locks go."""
        self._is_killed = True

    def reopen(self, *, faults: Faults = ()) -> "SimFs":
        """The next process on the same disk, after this one was killed."""
        self.kill()
        return SimFs(self.disk, faults=faults)

    def after_crash(self, choice: Random | Survival, *, faults: Faults = ()) -> "SimFs":
        """The first process after a power cut, which ends every process on this disk."""
        survival = Chance(choice) if isinstance(choice, Random) else choice
        return SimFs(self.disk.after_crash(survival), faults=faults)

    def open(self, path: str, *, create: bool = False) -> SimFile:
        node = self._find(path)
        if not create:
            return SimFile(self, path, _file(node, path))
        self._make_folder(folder_of(path))
        is_new = node is None
        node = node or self._create(path)
        self._sync_name(path, is_new=is_new)
        return SimFile(self, path, _file(node, path))

    def read(self, path: str) -> bytes:
        return bytes(_file(self._find(path), path).content)

    def replace(self, path: str, data: bytes) -> None:
        is_new = self._find(path) is None
        new = temporary(path)
        self._make_folder(folder_of(path))
        self._remove(new)
        try:
            file = SimFile(self, new, self._create(new))
            file.append(data)
            file.sync()
            self._rename(new, path)
        except OSError:
            self._remove(new)
            raise
        self._sync_name(path, is_new=is_new)

    def rename(self, path: str, new_path: str) -> None:
        _file(self._find(path), path)
        self._find(new_path)
        self._make_folder(folder_of(new_path))
        self._rename(path, new_path)
        self._sync_folder(folder_of(new_path))
        if folder_of(path) != folder_of(new_path):
            self._sync_folder(folder_of(path))

    def unlink(self, path: str) -> None:
        _file(self._find(path), path)
        self._remove(path)
        self._sync_folder(folder_of(path))

    def listdir(self, path: str) -> list[str]:
        self._find(path or "x")
        return list(self.disk.names_in(path))

    def exists(self, path: str) -> bool:
        return self._find(path) is not None

    def identity(self, path: str) -> int | None:
        node = self._find(path)
        return None if node is None else node.id

    def size(self, path: str) -> int:
        node = self.disk.names.get(path)
        if node is None or self._is_killed or self.disk.is_off:
            node = self._find(path)
        return 0 if node is None else len(node.content)

    def step(
        self,
        op: str,
        path: str,
        effect: Callable[[], R],
        *,
        partly: Callable[[int], object] = lambda _: None,
        failed: Callable[[], object] = lambda: None,
        size_bytes: int = 0,
    ) -> R:
        """Take one counted step, or let a fault have it."""
        self.must_live()
        call = Call(len(self.log) + 1, op, path, size_bytes)
        self.log.append(call)
        fault = self._fault(call)
        if fault is None:
            return effect()
        self.fired.append(call)
        if fault.kind == "crash_after":
            effect()
        elif fault.kind != "crash_before":
            partly(fault.kept_bytes)
        if fault.kind == "error":
            failed()
            raise _error(fault.errno, path)
        self.kill()
        raise SimCrash(call)

    def _fault(self, call: Call) -> Fault | None:
        if callable(self.faults):
            return self.faults(call)
        return next((fault for fault in self.faults if fault.hits(call)), None)

    def _find(self, path: str) -> Node | None:
        disk = self.disk
        if self._is_killed or disk.is_off:  # As `must_live`, likewise.
            raise SimCrash
        node = disk.names.get(path)
        if node is None:
            _plain(path)  # What has a name there has a legal one.
        return node

    def _create(self, path: str) -> Node:
        return self._add(path, "create", self.disk.new_node())

    def _add(self, path: str, op: str, node: Node) -> Node:
        change = NameChange((folder_of(path),), node, added=path)
        self.step(op, path, lambda: self.disk.change(change))
        return node

    def _rename(self, path: str, new_path: str) -> None:
        folders = (folder_of(path), folder_of(new_path))
        change = NameChange(folders, self.disk.names[path], removed=path, added=new_path)
        self.step("rename", new_path, lambda: self.disk.change(change))

    def _remove(self, path: str) -> None:
        node = self.disk.names.get(path)
        if node is not None:
            change = NameChange((folder_of(path),), node, removed=path)
            self.step("unlink", path, lambda: self.disk.change(change))

    def _make_folder(self, folder: str) -> None:
        for path in (*parents(folder), folder):
            node = self.disk.names.get(path)
            if node is not None and not node.is_folder:
                raise _error(errno.ENOTDIR, path)
            if path and node is None:
                self._add(path, "mkdir", self.disk.new_node(is_folder=True))
            if path not in self._synced:
                self._sync_name(path, is_new=node is None)
                self._synced.add(path)

    def _sync_name(self, path: str, *, is_new: bool) -> None:
        """Make a name durable; one that is new is taken away again when that fails."""
        try:
            self._sync_folder(folder_of(path))
        except OSError:
            if is_new:
                self._remove(path)
            raise

    def _sync_folder(self, folder: str) -> None:
        def forget() -> None:
            self.disk.forget_folder(folder)

        self.step("sync_folder", folder, lambda: self.disk.sync_folder(folder), failed=forget)


def _file(node: Node | None, path: str) -> Node:
    if node is None:
        raise _error(errno.ENOENT, path)
    if node.is_folder:
        raise _error(errno.EISDIR, path)
    return node
