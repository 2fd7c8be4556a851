"""`send` and `dlq`: what people say to actors, as lines of hand.jsonl.

A line is checked here as the actor will check it, and appended with its newline in one write.
Whoever sends the same replay or drop twice does no harm.
"""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from actors.cli.common import (
    ActorName,
    AsJson,
    home,
    must_be_actor,
    put,
    put_json,
    put_table,
    say,
)
from actors.cli.exits import NO_SUCH, Stop, usage

LetterId = Annotated[str, typer.Argument(help="The id of a dead letter, dl_….")]

dlq = typer.Typer(help="Dead letters: what an actor could not handle.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.command()(send)
    app.add_typer(dlq, name="dlq")


def send(
    actor: ActorName,
    kind: Annotated[str, typer.Argument(help="A kind that people may send.")],
    body: Annotated[str, typer.Argument(metavar="JSON", help="The body, strict JSON.")] = "{}",
) -> None:
    """Append one message to an actor's hand.jsonl. It is handled when the actor next reads."""
    where = home()
    name = must_be_actor(where, actor)
    append_by_hand(where, name, _checked_line(kind, body))
    say(f"appended to mailboxes/{name}/hand.jsonl")


@dlq.command("ls")
def ls(
    everything: Annotated[bool, typer.Option("--all", help="Also the closed ones.")] = False,
    as_json: AsJson = False,
) -> None:
    """List dead letters that are neither replayed nor dropped."""
    from actors.cli.letters import read_letters

    found = [one for one in read_letters(home()) if everything or one["state"] == "open"]
    if as_json:
        put_json(found)
        return
    columns = ("id", "actor", "why", "state", "at", "error")
    put_table(columns, [[*(one[name] for name in columns[:-1]), _why(one)] for one in found])


@dlq.command("show")
def show(letter: LetterId) -> None:
    """Print one dead letter with its original message, as JSON."""
    put_json(_letter(letter))


@dlq.command("replay")
def replay(letter: LetterId) -> None:
    """Let the actor decide on the message once more."""
    _close(letter, "dlq.replay")


@dlq.command("drop")
def drop(letter: LetterId) -> None:
    """Close a dead letter without deciding on it."""
    _close(letter, "dlq.drop")


def append_by_hand(where: Path, actor: str, line: bytes) -> None:
    """One whole line in one write, durable before return; a torn line above it is ended first."""
    path = where / "mailboxes" / actor / "hand.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        size = os.fstat(handle).st_size
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        data = b"\n" * torn + line + b"\n"
        if os.write(handle, data) != len(data):
            raise OSError(28, "short write", str(path))
        os.fsync(handle)
    finally:
        os.close(handle)


def _checked_line(kind: str, body: str) -> bytes:
    """The line of a message. Raises Stop 64 that says what would be right."""
    import msgspec

    from payrail.domain.cards import find_pans
    from payrail.domain.messages import KINDS
    from payrail.errors import MalformedJson
    from payrail.runtime.admission import body_of
    from payrail.storage.strict import parse

    if kind not in KINDS or not KINDS[kind].by_hand:
        allowed = ", ".join(sorted(name for name, row in KINDS.items() if row.by_hand))
        raise usage("people may not send that kind", f"By hand: {allowed}.")
    try:
        fields = parse(body.encode("utf-8", "surrogateescape"))
        body_of(kind, msgspec.json.encode(fields))
    except MalformedJson as error:
        raise usage(
            f"the body is {error}", """Quote it for the shell: '{"id":"pi_…"}'."""
        ) from None
    except msgspec.ValidationError as error:
        names = ", ".join(KINDS[kind].body.__struct_fields__)
        raise usage(f"the body does not fit {kind}: {error}", f"Its fields: {names}.") from None
    line = msgspec.json.encode({"kind": kind, "body": fields})
    if find_pans(line.decode()):
        raise usage("a card number stands in the body", "Mailboxes are plain files; name a token.")
    return line


def _letter(letter: str) -> dict[str, Any]:
    from actors.cli.letters import read_letters

    for one in read_letters(home()):
        if one["id"] == letter:
            return one
    raise Stop(NO_SUCH, "there is no such dead letter", "See `payrail dlq ls --all`.")


def _close(letter: str, kind: str) -> None:
    import msgspec

    found = _letter(letter)
    line = msgspec.json.encode({"kind": kind, "body": {"id": letter}})
    append_by_hand(home(), found["actor"], line)
    put(f"{kind} {letter} appended to mailboxes/{found['actor']}/hand.jsonl")


def _why(letter: dict[str, Any]) -> str:
    error = letter.get("error") or {}
    return f"{error.get('type', '')}: {error.get('message', '')}"[:80]
