"""The writer of a file that people edit: what they do to it, and where our next line stands."""

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from payrail.runtime.sim import Fault, SimFs
from payrail.storage.appender import EditedAppender
from payrail.storage.fs import RealFs

BOOK = "data/book.jsonl"


def written(home: Path, edit: Callable[[Path], object]) -> bytes:
    """The file after two lines of ours, an edit by somebody, and one more line of ours."""
    appender = EditedAppender(RealFs(str(home)), BOOK)
    try:
        appender.append(b"one 1001\n")
        appender.append(b"two\n")
        edit(home / BOOK)
        appender.append(b"three\n")
        appender.sync()
        return (home / BOOK).read_bytes()
    finally:
        appender.close()


def sed(text: str) -> Callable[[Path], object]:
    return lambda path: subprocess.run(["sed", "-i", text, str(path)], check=True)


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (lambda _path: None, b"one 1001\ntwo\nthree\n"),
        (sed("s/1001/1003/"), b"one 1003\ntwo\nthree\n"),
        (sed("s/1001/99/"), b"one 99\ntwo\nthree\n"),
        (sed("/one/d"), b"two\nthree\n"),
        (lambda path: path.write_bytes(b"one 100001\ntwo\n"), b"one 100001\ntwo\nthree\n"),
        (lambda path: path.write_bytes(b"one 1\ntwo"), b"one 1\ntwo\nthree\n"),
        (lambda path: path.write_bytes(b""), b"three\n"),
        (os.unlink, b"one 1001\ntwo\nthree\n"),
    ],
)
def test_our_next_line_stands_behind_what_people_left(tmp_path: Path, edit, found: bytes):
    """Another file under the name, a longer or shorter one, or none: no line of ours is lost in a
    file without a name, and none is written over theirs."""
    assert written(tmp_path, edit) == found


def test_an_append_that_failed_half_way_is_written_over(tmp_path: Path):
    """What a full disk left is the beginning of the line that is tried again."""
    appender = EditedAppender(RealFs(str(tmp_path)), BOOK)
    appender.append(b"one\n")
    with (tmp_path / BOOK).open("ab") as file:
        file.write(b"tw")
    appender.append(b"two\n")
    appender.close()
    assert (tmp_path / BOOK).read_bytes() == b"one\ntwo\n"


def test_a_line_of_theirs_without_its_end_joins_none_of_ours_on_a_full_disk():
    """Also when there was not even room for its newline at first."""
    fs = SimFs()
    appender = EditedAppender(fs, BOOK)
    appender.append(b"one\n")
    fs.replace(BOOK, b"one\ntheirs")
    writes = frozenset({"pwrite"})
    fs.faults = [Fault(fs.calls, "error", errno.ENOSPC, forever=True, ops=writes)]
    with pytest.raises(OSError, match="No space"):
        appender.append(b"two\n")
    fs.faults = []
    appender.append(b"two\n")

    assert fs.read(BOOK) == b"one\ntheirs\ntwo\n"
