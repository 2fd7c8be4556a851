"""Documents: an actor's snapshot for people and for a quick start, never the truth.

All of them are written at one moment, each whole (temporary file, fsync, rename), each with the
`step` and `hash` that it stands for. A line in the journal then names their SHA-256: documents
that differ from it, or from each other, are not used and the journal is folded instead.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from payrail.runtime.ports import Fs


class Named(Struct):
    """What the journal says about a set of documents; `size` is the journal's up to `step`."""

    step: int
    hash: str
    size: int
    files: dict[str, str]  # path -> SHA-256


class _Stamp(Struct):
    step: int
    hash: str


_decode_named = msgspec.json.Decoder(Named).decode
_decode_stamp = msgspec.json.Decoder(_Stamp).decode


def rendered(content: Mapping[str, Any], step: int, head: str) -> bytes:
    """A document's bytes: indented, so that a difference has a line of its own."""
    whole = {"step": step, "hash": head, **content}
    return msgspec.json.format(msgspec.json.encode(whole), indent=1) + b"\n"


def named(files: Mapping[str, bytes], step: int, head: str, size: int) -> Named:
    digests = {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}
    return Named(step, head, size, digests)


def as_raw(names: Named) -> Raw:
    return Raw(msgspec.json.encode(names))


def from_raw(raw: Raw | bytes) -> Named:
    return _decode_named(raw)


def found(fs: Fs, paths: list[str]) -> dict[str, bytes] | None:
    """The documents now on disk if all are there with one stamp, else None."""
    files: dict[str, bytes] = {}
    stamps = set()
    for path in paths:
        try:
            files[path] = fs.read(path)
            stamp = _decode_stamp(files[path])
        except (FileNotFoundError, msgspec.MsgspecError, ValueError):
            return None
        stamps.add((stamp.step, stamp.hash))
    return files if len(stamps) == 1 else None


def stamp_of(data: bytes) -> tuple[int, str]:
    stamp = _decode_stamp(data)
    return stamp.step, stamp.hash
