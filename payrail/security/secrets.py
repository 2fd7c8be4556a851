"""Secrets that the house makes for itself, once, at its first start.

Owns: data/secrets/<name> for all, data/secrets/<actor>/<name> for that actor alone; one line of
text each, 0600 in folders of 0700, which is what `Fs` does for everything under this folder.
Never: makes a secret anew over a file that is there, since every key derived from it would die.
"""

import errno
import re
from collections.abc import Callable
from threading import Event

from payrail.errors import BadSettings, PayRailError
from payrail.runtime.ports import Fs, Rng

FOLDER = "data/secrets"
_SECRET_BYTES = 32
_CHARACTERS_MIN = 16
#: Making one takes two fsyncs; whoever waits longer than this waits for a hung process.
_WAIT_MS_MAX = 10_000
_PAUSE_MS = 10
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)?")


def _pause() -> None:
    """Wait for the process that is making the secret: before there is a loop or a clock to ask."""
    Event().wait(_PAUSE_MS / 1_000)


def secret(
    fs: Fs,
    name: str,
    rng: Rng,
    *,
    given: str = "",
    prefix: str = "",
    pause: Callable[[], None] = _pause,
) -> bytes:
    """The bytes of a secret's text: `given` by a setting, else read, else made and made durable.

    The file holds what a setting could hold: copying its text into the setting changes nothing.
    Raises BadSettings for a file that holds no secret, PayRailError when the lock stays taken.
    """
    if given:
        return given.encode()
    if not _NAME.fullmatch(name):
        raise ValueError("a secret is named like `house` or `provider-a/seal`")
    path = f"{FOLDER}/{name}"
    found = _read(fs, path)
    if found is None:
        return _made(fs, path, rng, prefix, pause)
    _make_name_durable(fs, path)
    return found


def found_secret(fs: Fs, name: str) -> bytes | None:
    """A secret that is there; nothing is made or written. Raises BadSettings."""
    return _read(fs, f"{FOLDER}/{name}")


def service_key(fs: Fs, rng: Rng) -> str:
    """The key with which console and CLI act for the house: `sk_service_<hex>`."""
    return secret(fs, "service", rng, prefix="sk_service_").decode()


def _read(fs: Fs, path: str) -> bytes | None:
    try:
        text = fs.read(path).strip()
    except FileNotFoundError:
        return None
    if not re.fullmatch(rb"[!-~]{%d,}" % _CHARACTERS_MIN, text):
        raise BadSettings(f"{path}: holds no secret; put it back from a copy, or remove the file")
    return text


def _make_name_durable(fs: Fs, path: str) -> None:
    """Whoever made it may have died before its name was: what is derived from it now must outlive
    the power. Who may only read here derives nothing that others keep."""
    try:
        fs.open(path, create=True).close()
    except OSError as error:
        if error.errno not in _READ_ONLY:
            raise


def _made(fs: Fs, path: str, rng: Rng, prefix: str, pause: Callable[[], None]) -> bytes:
    """Make it under the folder's lock; whoever comes second finds it made."""
    lock = fs.open(f"{path.rpartition('/')[0]}/.lock", create=True)
    try:
        for _ in range(_WAIT_MS_MAX // _PAUSE_MS):
            if lock.lock():
                break
            pause()
        else:
            raise PayRailError(f"{path}: another process has been making it for too long")
        found = _read(fs, path)
        if found is not None:
            _make_name_durable(fs, path)
            return found
        text = f"{prefix}{rng.token_hex(_SECRET_BYTES)}".encode()
        fs.replace(path, text + b"\n")
        return text
    finally:
        lock.close()
