"""The files of a provider's batches at its inner door: their lines as JSON, or the file itself.

Reads: data/providers/statements/. A batch of many lines is not held in memory: its file is passed
on piece by piece. Never: mends what it cannot read; somebody has to look at it.
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

import msgspec
from aiohttp import hdrs, web

from payrail.domain.settlement import statements
from payrail.domain.settlement.lines import StatementDamaged
from payrail.errors import RequestError
from payrail.runtime.ports import File, Fs

#: Lines of one batch that are shown; all of them are in its file, whose path is told.
LINES_MAX = 1_000
CSV = "text/csv"
_PIECE_BYTES = 256 * 1024
#: The names of the columns are far shorter.
_HEAD_BYTES_MAX = 8_192


def wants_csv(request: web.Request) -> bool:
    """Whether the asker would rather have the file."""
    return CSV in request.headers.get(hdrs.ACCEPT, "")


def lines_of(fs: Fs, provider: str, path: str) -> list[dict[str, Any]]:
    """Lines of a batch's file as it lies there. Raises RequestError 503 when it cannot be read."""
    try:
        with closing(fs.open(path)) as file:
            lines = statements.read(provider, path, _lines(file))
            return [_shown(line) for line in islice(lines, LINES_MAX)]
    except (OSError, StatementDamaged) as error:
        why = str(error) if isinstance(error, StatementDamaged) else f"{path}: cannot be read"
        raise RequestError(503, "statement-damaged", why) from None


def _lines(file: File) -> Iterator[bytes]:
    """The lines of a file, read as far as they are asked for."""
    rest = b""
    for piece in _pieces([file]):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest


def _shown(line: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.structs.asdict(line)
    for name in ("charge", "available_on"):  # written, never read back
        del found[name]
    return found


async def passed_on(
    request: web.Request, fs: Fs, provider: str, date: str, paths: Sequence[str]
) -> web.StreamResponse:
    """The files of a date behind each other, under one line of column names. Raises RequestError
    503 for one that is not there, before anything was answered."""
    files = await asyncio.to_thread(_opened, fs, paths)
    try:
        answer = web.StreamResponse()
        answer.content_type, answer.charset = CSV, "utf-8"
        name = f"{provider}_{date}.csv"
        answer.headers[hdrs.CONTENT_DISPOSITION] = f'attachment; filename="{name}"'
        await answer.prepare(request)
        pieces = _pieces(files)
        while (piece := await asyncio.to_thread(next, pieces, b"")) != b"":
            await answer.write(piece)
        await answer.write_eof()
        return answer
    finally:
        for file in files:
            file.close()


def _opened(fs: Fs, paths: Sequence[str]) -> list[File]:
    files: list[File] = []
    for path in paths:
        if not fs.exists(path):
            for file in files:
                file.close()
            raise RequestError(503, "statement-damaged", f"{path}: cannot be read")
        files.append(fs.open(path))
    return files


def _pieces(files: Sequence[File]) -> Iterator[bytes]:
    """All bytes, but the head of each file behind the first."""
    for number, file in enumerate(files):
        offset = file.pread(0, _HEAD_BYTES_MAX).find(b"\n") + 1 if number else 0
        while piece := file.pread(offset, _PIECE_BYTES):
            offset += len(piece)
            yield piece
