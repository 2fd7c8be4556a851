"""The one writer of a file: appends at the offset it knows, so that a failed write can be redone.

A write that failed half-way (a full disk) left bytes behind our end; the next try overwrites them.
"""

from payrail.runtime.ports import File, Fs


class Appender:
    """Appends whole lines to one file that nobody else writes."""

    def __init__(self, fs: Fs, path: str) -> None:
        self.path = path
        self.file: File = fs.open(path, create=True)
        self.size = self.file.size()

    def append(self, data: bytes) -> None:
        """Write `data` behind the last good byte. Raises OSError; trying again is safe."""
        self.file.pwrite(self.size, data)
        self.size += len(data)

    def end_line(self) -> None:
        """Close a line that a killed predecessor left torn, so that ours begins on its own."""
        if self.size and self.file.pread(self.size - 1, 1) != b"\n":
            self.append(b"\n")

    def sync(self) -> None:
        self.file.sync()

    def close(self) -> None:
        self.file.close()
