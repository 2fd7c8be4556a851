"""The one writer of a file: appends at the offset it knows, so that a failed write can be redone.

A write that failed half-way (a full disk) left bytes behind our end; the next try overwrites them.
A sync that failed left bytes that may never reach the disk, and the next sync says nothing of them,
in this process or a later one: they are written again before it is believed. Some file systems
cannot even read them any more: whoever has a journal ends then, and its next life compares the two.
"""

from payrail.runtime.ports import File, Fs

#: How much is written again at once.
COPY_BYTES = 4 * 1024 * 1024


class Appender:
    """Appends whole lines to one file that nobody else writes.

    `durable_bytes`: how much of it was durable for certain when our predecessor ended; without it
    `sync` covers what we wrote ourselves.
    """

    def __init__(self, fs: Fs, path: str, *, durable_bytes: int | None = None) -> None:
        self.path = path
        self.file: File = fs.open(path, create=True)
        self.size = self.file.size()
        self._durable_bytes = self.size if durable_bytes is None else durable_bytes
        self._is_doubtful = durable_bytes is not None
        self._is_torn = False  # what stands before our end lacks its newline

    def append(self, data: bytes) -> None:
        """Write `data` behind the last good byte. Raises OSError; trying again is safe."""
        if self._is_torn:
            self._write(b"\n")
            self._is_torn = False
        self._write(data)

    def _write(self, data: bytes) -> None:
        self.file.pwrite(self.size, data)
        self.size += len(data)

    def keep_landed(self) -> None:
        """Go on behind whatever stands behind our end."""
        self.size = max(self.size, self.file.size())

    def end_line(self) -> None:
        """Close a line that a killed predecessor left torn, so that ours begins on its own. Raises
        OSError; on a disk that is full the next append closes it."""
        self._is_torn = self.size > 0 and self.file.pread(self.size - 1, 1) != b"\n"
        if self._is_torn:
            self.append(b"")

    def sync(self) -> None:
        """Make every line durable. Raises OSError; trying again is right as far as what was written
        can still be read."""
        if self._is_doubtful:
            self._write_again()
        self._is_doubtful = True
        self.file.sync()
        self._durable_bytes, self._is_doubtful = self.size, False

    def _write_again(self) -> None:
        for begin in range(self._durable_bytes, self.size, COPY_BYTES):
            data = self.file.pread(begin, min(COPY_BYTES, self.size - begin))
            self.file.pwrite(begin, data)

    def close(self) -> None:
        self.file.close()


class EditedAppender(Appender):
    """The one writer of a file that people may edit: they put another file under its name (as
    `sed -i` does), make it longer or shorter, or remove it, and our next line stands behind theirs.

    What we wrote while an editor was at work is in the file that it replaced, and in our journal.
    """

    def __init__(self, fs: Fs, path: str, *, durable_bytes: int | None = None) -> None:
        super().__init__(fs, path, durable_bytes=durable_bytes)
        self._fs = fs

    def append(self, data: bytes) -> None:
        self._go_where_the_name_is()
        self._go_behind_theirs(data)
        super().append(data)

    def _go_where_the_name_is(self) -> None:
        found, left = self._fs.identity(self.path), self.file
        if found == left.identity():
            return
        if found is None:
            self._fs.replace(self.path, left.pread(0, self.size))
        super().__init__(self._fs, self.path, durable_bytes=0)
        left.close()
        self.end_line()

    def _go_behind_theirs(self, data: bytes) -> None:
        there = self.file.size()
        if there == self.size:
            return
        landed = self.file.pread(self.size, max(0, there - self.size))
        if not landed or not data.startswith(landed):  # else it is an append of ours that failed
            self.size = there
            self.end_line()
