"""What a child process tells its supervisor by its exit code."""

import errno

import pytest

from payrail.errors import BadSettings, Behind, Corrupt, HomeHeld, LineDamaged
from payrail.runtime.child import Lines, exit_code


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
