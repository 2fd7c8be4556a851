"""Both fillings of `ports.Fs` keep the same promises: each is asked of the disk and the model."""

import errno
import os
import stat
from pathlib import Path

import pytest

from payrail.runtime.ports import Fs
from payrail.runtime.sim import SimFs
from payrail.storage.fs import RealFs


@pytest.fixture(params=["real", "real without sync", "simulated"])
def fs(request: pytest.FixtureRequest, tmp_path: Path) -> Fs:
    if request.param == "simulated":
        return SimFs()
    return RealFs(str(tmp_path / "home"), durable=request.param == "real")


def test_appends_follow_each_other_and_tell_where_they_begin(fs: Fs):
    """An append lands behind everything that is there, and its result is where it begins."""
    file = fs.open("a/b/book.jsonl", create=True)

    assert [file.append(b"one\n"), file.append(b""), file.append(b"two\n")] == [0, 4, 4]
    assert fs.open("a/b/book.jsonl").append(b"three\n") == 8
    file.sync()
    assert fs.read("a/b/book.jsonl") == b"one\ntwo\nthree\n"


def test_a_read_ends_with_the_file(fs: Fs):
    """pread gives what is asked for, and fewer bytes only at the end."""
    file = fs.open("book", create=True)
    file.append(b"0123456789")

    assert file.pread(2, 3) == b"234"
    assert file.pread(8, 100) == b"89"
    assert file.pread(10, 1) == b""


def test_overwriting_stays_in_place(fs: Fs):
    """pwrite changes the bytes at its offset, grows the file with zeros, and moves no append."""
    file = fs.open("book", create=True)
    file.append(b"abcdef")
    file.pwrite(1, b"XY")
    file.pwrite(8, b"Z")

    assert file.append(b"end") == 9
    assert fs.read("book") == b"aXYdef\0\0Zend"


def test_a_cut_file_is_shorter_and_goes_on_from_there(fs: Fs):
    """After truncate the next append begins at the cut."""
    file = fs.open("book", create=True)
    file.append(b"whole\ntorn")
    file.truncate(6)

    assert file.append(b"next\n") == 6
    assert fs.read("book") == b"whole\nnext\n"
    assert (fs.size("book"), file.size()) == (11, 11)


def test_replace_gives_the_new_content_under_a_new_identity(fs: Fs):
    """A replaced document is a new file; who holds the old one still reads the old bytes."""
    fs.replace("data/d.json", b"old")
    held = fs.open("data/d.json")
    fs.replace("data/d.json", b"new")

    assert (fs.read("data/d.json"), held.pread(0, 9)) == (b"new", b"old")
    assert fs.identity("data/d.json") not in (None, held.identity())
    assert fs.listdir("data") == ["d.json"]


def test_replace_removes_what_a_dead_one_left(fs: Fs):
    """A temporary file of a killed replace is in nobody's way."""
    fs.open("data/.d.json.tmp", create=True).append(b"half of a long doc")
    fs.replace("data/d.json", b"new")

    assert fs.read("data/d.json") == b"new"
    assert fs.listdir("data") == ["d.json"]


def test_a_renamed_file_is_the_same_file(fs: Fs):
    """A rename keeps the identity, makes the target's folders and frees the old name."""
    file = fs.open("box/a.jsonl", create=True)
    fs.rename("box/a.jsonl", "box/old/1.jsonl")

    assert fs.identity("box/old/1.jsonl") == file.identity()
    assert (fs.exists("box/a.jsonl"), fs.identity("box/a.jsonl")) == (False, None)
    assert fs.open("box/a.jsonl", create=True).identity() != file.identity()


def test_an_unlinked_file_has_no_name_and_keeps_its_reader(fs: Fs):
    """A follower can tell by the identity that its file is gone, and still read it to the end."""
    file = fs.open("book", create=True)
    file.append(b"x")
    fs.unlink("book")

    assert (fs.identity("book"), fs.size("book"), file.pread(0, 1)) == (None, 0, b"x")
    with pytest.raises(FileNotFoundError):
        fs.unlink("book")


def test_only_one_handle_holds_a_lock(fs: Fs):
    """A second handle is refused until the first is closed; taking one's own again is harmless."""
    first, second = fs.open("lock", create=True), fs.open("lock", create=True)

    assert (first.lock(), first.lock(), second.lock()) == (True, True, False)
    first.close()
    assert second.lock()


def test_what_is_missing_is_said_so(fs: Fs):
    """Questions about a missing name have plain answers; opening and reading it is an error."""
    assert (fs.exists("no"), fs.size("no/no"), fs.listdir("no"), fs.listdir("")) == (
        False,
        0,
        [],
        [],
    )
    for ask in (fs.open, fs.read):
        with pytest.raises(FileNotFoundError):
            ask("no")


def test_listing_is_sorted_and_one_folder_deep(fs: Fs):
    """A folder lists its own entries by name, files and folders alike."""
    for path in ("b", "a/y", "a/x", "a/z/deep"):
        fs.open(path, create=True)

    assert (fs.listdir(""), fs.listdir("a")) == (["a", "b"], ["x", "y", "z"])


@pytest.mark.parametrize("path", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a\0b"])
def test_a_path_that_is_not_plain_is_refused(fs: Fs, path: str):
    """No name leads out of the home, and one file has one spelling."""
    for ask in (fs.open, fs.read, fs.exists, fs.unlink, lambda p: fs.replace(p, b"")):
        with pytest.raises(OSError, match="plain path") as refusal:
            ask(path)
        assert refusal.value.errno == errno.EINVAL


def test_a_closed_file_is_refused(fs: Fs):
    """After close nothing is written to whatever took the descriptor's number since."""
    file = fs.open("book", create=True)
    file.close()
    file.close()

    with pytest.raises(OSError, match="descriptor"):
        file.append(b"x")


def test_links_out_of_the_home_are_refused(tmp_path: Path):
    """Neither a linked folder nor a linked file is followed."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "f").write_text("theirs")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "folder").symlink_to(tmp_path / "out")
    (tmp_path / "home" / "file").symlink_to(tmp_path / "out" / "f")
    fs = RealFs(str(tmp_path / "home"))

    for path in ("folder/f", "file"):
        with pytest.raises(OSError, match="link") as refusal:
            fs.read(path)
        assert refusal.value.errno == errno.ELOOP


def test_secrets_are_for_the_owner_alone(tmp_path: Path):
    """Files under data/secrets are 0600 in a 0700 folder, and others 0644 in 0755."""
    umask = os.umask(0o022)
    try:
        fs = RealFs(str(tmp_path))
        fs.replace("data/secrets/service", b"s")
        fs.open("data/secrets/house", create=True)
        fs.replace("data/clock.json", b"{}")
    finally:
        os.umask(umask)

    paths = (
        "data/secrets",
        "data/secrets/service",
        "data/secrets/house",
        "data",
        "data/clock.json",
    )
    modes = [stat.S_IMODE((tmp_path / path).stat().st_mode) for path in paths]
    assert modes == [0o700, 0o600, 0o600, 0o755, 0o644]


def test_a_short_write_is_an_error_and_is_not_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """When the disk takes only a part, the part stays as it is and the writer is told."""
    file = RealFs(str(tmp_path)).open("book", create=True)
    whole = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: whole(fd, data[:3]))

    with pytest.raises(OSError, match="3 of 5 bytes"):
        file.append(b"12345")
    assert (tmp_path / "book").read_bytes() == b"123"


def test_a_failed_replace_leaves_the_old_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """On a full disk the document stays what it was, and the piece of the new one is removed."""
    fs = RealFs(str(tmp_path))
    fs.replace("d.json", b"old")
    whole = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: whole(fd, data[:1]))

    with pytest.raises(OSError, match="short write"):
        fs.replace("d.json", b"new")
    assert (fs.read("d.json"), fs.listdir("")) == (b"old", ["d.json"])


def test_both_fillings_take_the_same_durable_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The model's crash points are the disk's: the same syncs and renames in the same order."""
    steps: list[str] = []

    def noted(name: str, op: str) -> None:
        real = getattr(os, name)

        def call(*args, **kwargs):
            steps.append(op)
            return real(*args, **kwargs)

        monkeypatch.setattr(os, name, call)

    for name, op in (("fdatasync", "sync"), ("fsync", "sync_folder"), ("rename", "rename")):
        noted(name, op)
    simulated = SimFs()
    for fs in (RealFs(str(tmp_path)), simulated):
        fs.open("a/b/f", create=True).sync()
        fs.open("a/b/f", create=True)
        fs.replace("a/d", b"x")
        fs.rename("a/d", "c/d")
        fs.unlink("c/d")

    assert steps == [call.op for call in simulated.log if call.op in set(steps)]
    assert len(steps) > 10


@pytest.mark.timeout(20)
def test_a_pipe_in_place_of_a_file_is_an_error_and_is_not_waited_for(tmp_path: Path):
    """A pipe that nobody writes to would hold up whoever reads it for ever."""
    os.mkfifo(tmp_path / "rules.toml")

    with pytest.raises(OSError, match="not a plain file"):
        RealFs(str(tmp_path)).read("rules.toml")


@pytest.mark.parametrize("path", ["book", "a/b/book"])
def test_a_name_whose_sync_failed_is_taken_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
):
    """A later sync of its folder would say that all is well, and the next power cut would take the
    name: it is made anew instead, so that there is something to sync."""
    fs = RealFs(str(tmp_path / "home"))
    fs.open("other", create=True).close()
    broken = [1]

    def fsync(fd: int) -> None:
        if broken:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(OSError, match="Input/output"):
        fs.open(path, create=True)
    assert sorted(os.listdir(tmp_path / "home")) == ["other"]

    with pytest.raises(OSError, match="Input/output"):
        fs.open("other", create=True)
    assert fs.exists("other")
    broken.clear()
    fs.open(path, create=True).close()
    assert fs.exists(path)
