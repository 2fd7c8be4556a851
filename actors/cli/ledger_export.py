"""`ledger export`: the books in the words of other tools, on stdout or in a file.

Reads files only, whether the house runs or not; a damaged book ends it with 70 before a line is
written. Never: leaves half a file under the name that was asked for, or writes among the books.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from actors.cli.common import files, forget_stdout, home, say, settings
from actors.cli.exits import TRY_LATER, Stop, usage

if TYPE_CHECKING:
    from payrail.audit.export_reading import Survey

Format = Literal["hledger", "beancount", "json", "jsonl", "csv"]
#: How much is written at once.
BLOCK_BYTES = 256 * 1024


def export(
    form: Annotated[Format, typer.Option("--format", help="Whose words.")],
    out: Annotated[Path | None, typer.Option(help="A file; without it, stdout.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write all entries for hledger, Beancount, or as JSON or CSV. 70: the ledger is damaged.

    hledger and Beancount take the entries that move money; their own checkers hold on the result.
    CSV has a line for each posting, in minor units. JSON is one array, jsonl a line an entry.
    """
    from payrail.audit.export import FORMATS
    from payrail.audit.export_reading import LedgerBook

    if out is not None:
        _must_be_free(out, force=force)
    with closing(LedgerBook(files(settings()))) as book:
        survey = book.judge()
        blocks = _blocks(FORMATS[form](survey, book.entries()))
        if out is None:
            _to_stdout(blocks)
        else:
            _to_file(out, blocks, force=force)
    _tell(survey)


def _must_be_free(out: Path, *, force: bool) -> None:
    where = out.resolve()
    if any(where.is_relative_to(home().resolve() / ours) for ours in ("data", "mailboxes")):
        raise usage("--out lies among the files of the house", "Name a file elsewhere.")
    if not where.parent.is_dir() or where.is_dir():
        raise usage("--out names no file in a folder that is there", "Make the folder first.")
    if out.exists() and not force:
        raise usage("--out names a file that is there", "Name another, or add --force.")


def _to_stdout(blocks: Iterable[bytes]) -> None:
    try:
        for block in blocks:
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        forget_stdout()


def _to_file(out: Path, blocks: Iterable[bytes], *, force: bool) -> None:
    """The whole file under its name, or none."""
    from payrail.storage.fs import RealFs, temporary

    fs, name = RealFs(str(out.resolve().parent)), out.resolve().name
    draft = temporary(name)
    with closing(fs.open(draft, create=True)) as file:
        if not file.lock() or file.identity() != fs.identity(draft):
            raise Stop(TRY_LATER, "another export writes this file", "Wait for its end.")
        try:
            file.truncate(0)
            for block in blocks:
                file.append(block)
            file.sync()
            _must_be_free(out, force=force)
            fs.rename(draft, name)
        except BaseException:
            fs.unlink(draft)
            raise


def _blocks(texts: Iterable[str]) -> Iterator[bytes]:
    """The same text in pieces that are worth a write."""
    kept = bytearray()
    for text in texts:
        kept += text.encode()
        if len(kept) >= BLOCK_BYTES:
            yield bytes(kept)
            kept.clear()
    yield bytes(kept)


def _tell(survey: "Survey") -> None:
    say(f"{survey.entry_count} entries, {survey.posted_count} of them move money")
    if survey.stopped_at is not None:
        say(f"entries behind {survey.through_seq} are being written; they are left for later")
