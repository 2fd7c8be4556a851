"""The manners of `python -m tests.…`: what they refuse, what they need, what they leave behind.

Exit codes are those of `payrail`: 64 for words that make no sense, 69 for what is not there.
Never: imports what only the development lock installs.
"""

import argparse
import importlib.util
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from actors.cli.exits import NOT_RUNNING, USAGE


class Words(argparse.ArgumentParser):
    """Words of a command; those that make no sense end it with 64."""

    def __init__(self, prog: str, description: str | None) -> None:
        shown = argparse.RawDescriptionHelpFormatter
        super().__init__(prog=prog, description=description, formatter_class=shown)

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def at_least(least: int) -> Callable[[str], int]:
    """Reads a whole number that is no less."""

    def read(text: str) -> int:
        try:
            number = int(text)
        except ValueError:
            number = least - 1
        if number < least:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} on")
        return number

    return read


def share(text: str) -> float:
    """Reads a share: 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no share from 0 to 1")
    return number


def must_have(prog: str, *modules: str) -> None:
    """End with 69 and one line when this Python lacks what the development lock installs."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        what = f"{prog} needs {', '.join(missing)} of requirements-dev.lock"
        end(NOT_RUNNING, f"{what}: `sh tests/run.sh` sets it up in .venv")


def end(code: int, what: str) -> NoReturn:
    """Say it on stderr and end with this code."""
    print(what, file=sys.stderr)
    raise SystemExit(code)


@dataclass(slots=True)
class Workplace:
    """A folder to work in. Whoever finds that all went well says so by `is_good`."""

    folder: Path
    is_good: bool = False


@contextmanager
def working_in(given: Path | None, prefix: str) -> Iterator[Workplace]:
    """The given folder, which is kept; or one of its own, which is kept and named unless all went
    well, also when the run is broken off. Ends with 64 for a folder that has something in it."""
    if given is not None and given.exists() and (not given.is_dir() or any(given.iterdir())):
        end(USAGE, f"--folder {given} has something in it: name one that is empty or not there yet")
    place = Workplace(given or Path(tempfile.mkdtemp(prefix=prefix)))
    # Told to end, it ends as by Ctrl-C: what it started is stopped first.
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield place
    finally:
        signal.signal(signal.SIGTERM, before)
        if given is None and place.is_good:
            shutil.rmtree(place.folder)
        else:
            print(f"kept in {place.folder}", file=sys.stderr)
