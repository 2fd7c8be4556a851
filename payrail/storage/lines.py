"""One line of any file of ours: JSON, UTF-8, ended by one newline, `hash` always the last field.

`hash` is SHA-256 in hex over the line's bytes before `,"hash":`. Where lines form a chain, `prev`
stands right before it and is the hash of the line above (64 zeros for the first).
A line is encoded once; its bytes are then spliced into whatever holds it.
"""

import hashlib

import msgspec

from payrail.errors import LineDamaged

GENESIS = "0" * 64
_MARK = b',"hash":"'
_TAIL_BYTES = len(_MARK) + 64 + len(b'"}')
_LINKS_BYTES = len(b',"prev":"","hash":""}') + 128

_encoder = msgspec.json.Encoder()
encode = _encoder.encode


def sealed(body: bytes) -> bytes:
    """Close an object's bytes with its hash: `{…}` becomes `{…,"hash":"…"}` (no newline)."""
    open_body = body[:-1]
    return b'%b,"hash":"%b"}' % (open_body, hashlib.sha256(open_body).hexdigest().encode())


def chained(body: bytes, prev: str) -> bytes:
    """As `sealed`, with `prev` before the hash."""
    return sealed(b'%b,"prev":"%b"}' % (body[:-1], prev.encode()))


def hash_of(line: bytes) -> str:
    """The hash that a line claims. Raises LineDamaged when it has none."""
    if not _ends_in_hash(line):
        raise LineDamaged("the line does not end in its hash")
    return line[-66:-2].decode("ascii", "replace")


def checked(line: bytes) -> str:
    """The line's hash, recomputed and compared. Raises LineDamaged."""
    claimed = hash_of(line)
    if hashlib.sha256(line[:-_TAIL_BYTES]).hexdigest() != claimed:
        raise LineDamaged("the line's bytes do not match its hash")
    return claimed


def is_whole(line: bytes) -> bool:
    """Whether the line's own hash holds; `checked`, but for those who ask of very many lines."""
    if not _ends_in_hash(line):
        return False
    return hashlib.sha256(line[:-_TAIL_BYTES]).hexdigest().encode() == line[-66:-2]


def _ends_in_hash(line: bytes) -> bool:
    begin = len(line) - _TAIL_BYTES
    return begin > 0 and line.startswith(_MARK, begin) and line.endswith(b'"}')


def without_links(line: bytes) -> bytes:
    """A book's line as the outside sees it: without `prev` and `hash`."""
    return line[:-_LINKS_BYTES] + b"}"


def complete_lines(data: bytes) -> tuple[list[bytes], bytes]:
    """Lines ended by a newline, without it, and the rest behind the last newline."""
    *lines, rest = data.split(b"\n")
    return lines, rest
