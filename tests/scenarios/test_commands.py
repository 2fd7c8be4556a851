"""The commands of this tree refuse words that make no sense, name what is missing, and tidy up."""

import importlib
import signal
from pathlib import Path

import pytest

from tests.commands import must_have, working_in


@pytest.mark.parametrize(
    ("command", "words", "said"),
    [
        ("planted.command", ("--only", "failover-on-dout"), "near: failover-on-doubt"),
        ("planted.command", ("--only", "nonsense"), "is in no bug's name"),
        ("planted.command", ("--simulate", "-1"), "no whole number from 1 on"),
        ("planted.command", ("--jobs", "0"), "no whole number from 1 on"),
        ("disks.cuts", ("--cuts", "0"), "no whole number from 1 on"),
        ("disks.cuts", ("--clients", "-1"), "no whole number from 1 on"),
        ("disks.cuts", ("--inline-share", "2"), "no share from 0 to 1"),
        ("disks.syscalls", ("--every", "0"), "no whole number from 1 on"),
        ("disks.syscalls", ("--actors", "gateway,nobody"), "'nobody' is none of gateway"),
        ("scenarios.rot", ("--every", "0"), "no whole number from 1 on"),
        ("scenarios.rot", ("--every", "-1"), "no whole number from 1 on"),
    ],
)
def test_words_that_make_no_sense_are_refused(command, words, said, capsys):
    """64, with the option and what it wants; nothing is played."""
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(f"tests.{command}").main(list(words))

    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (64, "")
    assert words[0] in err
    assert said in err


def test_what_is_not_installed_is_named_in_one_line(capsys):
    """69: a Python without the development lock is told which one has it."""
    with pytest.raises(SystemExit) as ended:
        must_have("python -m tests.planted", "sys", "nothing_of_this_name")

    _, err = capsys.readouterr()
    assert ended.value.code == 69
    assert err.count("\n") == 1
    assert "needs nothing_of_this_name of requirements-dev.lock: `sh tests/run.sh`" in err


def test_what_went_well_leaves_nothing(capsys):
    """A folder of its own goes after a good run and is silent about it."""
    with working_in(None, "payrail-commands-") as place:
        (place.folder / "witness").touch()
        place.is_good = True

    assert not place.folder.exists()
    assert capsys.readouterr().err == ""


def test_what_went_wrong_is_kept_and_named(tmp_path: Path, capsys):
    """Also when it is told to end; a given folder is always kept, and must be empty."""
    with pytest.raises(KeyboardInterrupt), working_in(None, "payrail-commands-") as place:
        signal.raise_signal(signal.SIGTERM)
    assert capsys.readouterr().err == f"kept in {place.folder}\n"
    place.folder.rmdir()

    with working_in(tmp_path, "payrail-commands-") as given:
        (given.folder / "witness").touch()
        given.is_good = True
    assert (tmp_path / "witness").exists()
    with pytest.raises(SystemExit), working_in(tmp_path, "payrail-commands-"):
        pass
