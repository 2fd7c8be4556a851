"""What a spare process could not import, said once: a mistake is no news a second later.

    complaints = Complaints.fresh()         # the supervisor's; its children inherit `handle`
    if complaints.is_news(text): ...        # in a child
    complaints.over()                       # in a child that could import all of it

Owns: an open file without a name, with the checksum of what was said last. Never: keeps the words.
"""

import os
import tempfile
import zlib
from contextlib import suppress

_SAID_BYTES = 8


class Complaints:
    """Shared by the children of one house. Where there is no such file, all is news."""

    def __init__(self, handle: int | None) -> None:
        self.handle = handle

    @classmethod
    def fresh(cls) -> "Complaints":
        """Nothing was said yet."""
        try:
            with tempfile.TemporaryFile(buffering=0) as file:
                return cls(os.dup(file.fileno()))
        except OSError:
            return cls(None)

    def is_news(self, text: str) -> bool:
        """Whether something else was said last, or nothing; from now on this was."""
        if self.handle is None:
            return True
        said = b"%08x" % zlib.crc32(text.encode("utf-8", "replace"))
        try:
            if os.pread(self.handle, _SAID_BYTES, 0) == said:
                return False
            os.pwrite(self.handle, said, 0)
        except OSError:
            pass
        return True

    def over(self) -> None:
        """Who complains again says something new."""
        if self.handle is not None:
            with suppress(OSError):
                os.ftruncate(self.handle, 0)

    def close(self) -> None:
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None
