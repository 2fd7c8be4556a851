"""What a child process tells its supervisor by its exit code."""

import asyncio
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from payrail.errors import BadSettings, Behind, Corrupt, HomeHeld, LineDamaged
from payrail.runtime.child import Lines, exit_code, imported
from payrail.runtime.complaints import Complaints
from payrail.runtime.processes import Calling, Children


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Corrupt("journal.jsonl", 1, "bad"), 70),
        (Behind("journal.jsonl", "a peer knows more"), 70),
        (LineDamaged("no hash"), 70),
        (HomeHeld("vault", "somebody"), 73),
        (OSError(errno.EIO, "fsync"), 74),
        (OSError(errno.ENOSPC, "full"), 75),
        (BadSettings("PAYRAIL_SEED"), 78),
        (OSError(errno.EADDRINUSE, "bind"), 1),
        (TimeoutError(), 1),
        (ConnectionResetError(), 1),
        (ValueError("a fault"), 1),
    ],
)
def test_errors_have_exit_codes(error, code):
    """Damage, locks, files and settings are told apart from what may pass when tried again."""
    assert exit_code(error) == code


def test_the_gravest_of_a_group_is_told():
    """Where several tasks fail together, damage is not hidden behind an ordinary fault."""
    inner = ExceptionGroup("inner", [OSError(errno.EIO, "fsync"), Corrupt("j", 1, "bad")])

    assert exit_code(ExceptionGroup("outer", [ValueError(), inner])) == 70


def test_lines_may_come_in_pieces(monkeypatch):
    """A line that arrives in two reads is one line, and the end of the pipe is noticed."""
    pieces = [b'{"become":"vau', b'lt","home":"h"}\n{"pause":true}\n{"st', b'op":true}\n', b""]
    monkeypatch.setattr("payrail.runtime.child.os.read", lambda *_: pieces.pop(0))
    lines = Lines(handle=-1)

    assert lines.read() == []
    become, pause = lines.read()
    assert (become.become, become.home, pause.pause) == ("vault", "h", True)
    assert lines.read()[0].stop
    assert not lines.ended
    assert lines.read() == []
    assert lines.ended


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module that children build from, for people to edit."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path / "edited_source.py"
    sys.modules.pop("edited_source", None)


def test_a_mistake_in_a_source_is_said_once_until_it_changes(source, capfd):
    """A house makes a spare anew every second, and each says the same: the first is heard, and the
    next again once something else is wrong, or it was mended meanwhile."""
    heard = []
    complaints = Complaints.fresh()
    for text in ("x = (", "x = (", "import nothing_like_it", "build = 1", "x = ("):
        source.write_text(text)
        sys.modules.pop("edited_source", None)
        build = imported("edited_source:build", complaints, preload=False)
        assert (build is None) == (text != "build = 1")
        heard.append(capfd.readouterr().err.count("Traceback"))
    complaints.close()

    assert heard == [1, 0, 1, 0, 1]


async def test_the_children_of_a_house_say_a_mistake_once(source, capfd, monkeypatch):
    """Although each of them is a process of its own."""
    source.write_text("x = (")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(source.parent), *sys.path)))
    ended = asyncio.Event()
    children = Children(Calling("edited_source:build", "", {}), ended.set)
    for _ in range(2):
        child = children.make()
        while child.code() is None:
            await asyncio.sleep(0.02)
        assert child.code() == 1
    children.close()

    assert capfd.readouterr().err.count("SyntaxError") == 1


_TELLING = """
import os

class Telling:
    def __init__(self, name, home):
        self.name, self.home = name, home

    async def run(self, control):
        with open(f"{self.home}/{self.name}.told", "w") as file:
            file.write(os.environ.get("TOY_SECRET", "nothing"))

def build(name, home, options):
    return Telling(name, home)
"""


async def test_what_is_private_to_one_actor_no_other_child_is_given(source, tmp_path, monkeypatch):
    """Neither a spare nor another actor has it, nor does the system tell it of the one who has."""
    source.write_text(_TELLING)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join((str(source.parent), *sys.path)))
    monkeypatch.setenv("TOY_SECRET", "for the vault's eyes")
    private = {"vault": {"TOY_SECRET": "for the vault's eyes"}}
    calling = Calling("edited_source:build", str(tmp_path), {}, private)
    children = Children(calling, asyncio.Event().set)
    seen = []
    for name in ("vault", "gateway"):
        child = children.make()
        if Path("/proc/self/environ").exists():
            seen.append(Path(f"/proc/{child.pid}/environ").read_bytes())
        child.become(name)
        while child.code() is None:
            await asyncio.sleep(0.02)
    children.close()

    assert not [text for text in seen if b"TOY_SECRET" in text]
    assert (tmp_path / "vault.told").read_text() == "for the vault's eyes"
    assert (tmp_path / "gateway.told").read_text() == "nothing"
    assert "eyes" not in repr(calling)
