"""`vault audit`: who touched a card, and why. Reads files, whether the house runs or not.

Never: prints a card number; the log holds none.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.cli.common import AsJson, cell, files, put, put_json, put_table, say, settings
from actors.cli.exits import DAMAGE, NO_SUCH, Stop

if TYPE_CHECKING:
    from payrail.audit.findings import Finding
    from payrail.domain.anomalies import Anomaly
    from payrail.domain.card_access import CardAccess
    from payrail.storage.fs import RealFs

#: Column: width. A line is printed as it is read: a log of millions is no table to lay out.
_COLUMNS = {"at": 24, "who": 20, "token": 36, "purpose": 26, "payment": 19, "outcome": 22}
_LAST = ("origin", "correlation")


def audit(
    token: Annotated[str, typer.Option("--token", help="Only lines about this token.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show who touched a card, and why. 65: the log is damaged, 66: it knows no such token.

    What is odd in it is told below: too many look-ups, guesses, uses off purpose.
    """
    from payrail.audit.house import verify_book
    from payrail.domain.books import CARD_ACCESS_BOOK

    chosen = settings()
    fs = files(chosen)
    if not fs.exists(CARD_ACCESS_BOOK):
        say(f"{chosen.home} has no access log: no card was ever touched here")
    findings = verify_book(fs, {"vault": _vault_core()}, CARD_ACCESS_BOOK)
    history = History(fs, token)
    if as_json:
        rows = [_as_object(access) for access in history]
    else:
        _put_lines(history)
    if token and not history.shown and not findings:
        what = "the access log knows no such token"
        raise Stop(NO_SUCH, what, "See all of it with `payrail vault audit`.")
    if as_json:
        _put_json(rows, history, findings)
    else:
        _put_anomalies(history.anomalies)
    _conclude(history.read, findings, as_json=as_json)


class History:
    """The log, read once: the lines asked for, and what is odd about all of it."""

    def __init__(self, fs: "RealFs", token: str) -> None:
        self._fs, self._token = fs, token
        self.read = self.shown = 0
        self.anomalies: list[Anomaly] = []  # about the token where one was given

    def __iter__(self) -> "Iterator[CardAccess]":
        from payrail.audit.card_access import accesses
        from payrail.domain.anomalies import Watch
        from payrail.domain.card_access import ALL_TOKENS

        watch, askers = Watch(), set()
        rotations: list[CardAccess] = []  # before the token's first line; they stand in its history
        found: list[Anomaly] = []
        for access in accesses(self._fs):
            self.read += 1
            found += watch.see(access)
            if self._token in ("", access.token):
                self.shown += 1
                askers.add(access.who)
                yield from rotations
                rotations.clear()
                yield access
            elif access.token == ALL_TOKENS and self.shown:
                yield access
            elif access.token == ALL_TOKENS:
                rotations.append(access)
        self.anomalies = [one for one in found if not self._token or self._is_about(one, askers)]

    def _is_about(self, anomaly: "Anomaly", askers: set[str]) -> bool:
        """Of this token, or of somebody who touched it."""
        return anomaly.token == self._token or (anomaly.token is None and anomaly.who in askers)


def _vault_core() -> Any:
    from actors.wiring import cores

    return cores()["vault"]


def _put_lines(history: History) -> None:
    for number, access in enumerate(history):
        if number == 0:
            _put_row([*_COLUMNS, *_LAST])
        cells = (
            *(access.at, access.who, access.token, _purpose(access), access.payment_id),
            *(access.outcome, access.origin, access.correlation_id),
        )
        _put_row([cell(one) for one in cells], title=False)


def _put_row(cells: list[str], *, title: bool = True) -> None:
    widths = [*_COLUMNS.values(), 8, 0]
    texts = [one.upper() if title else one for one in cells]
    put("  ".join(text.ljust(width) for text, width in zip(texts, widths, strict=True)).rstrip())


def _purpose(access: "CardAccess") -> str:
    """With the provider that the card was sealed for."""
    return f"{access.purpose} {access.provider}" if access.provider else access.purpose


def _put_anomalies(found: "list[Anomaly]") -> None:
    if not found:
        return
    put("\nanomalies:")
    put_table(
        ("at", "kind", "who", "token", "line", "what"),
        [(a.at, a.kind.value, cell(a.who), cell(a.token), a.seq, a.sentence) for a in found],
    )


def _as_object(access: "CardAccess") -> dict[str, Any]:
    from msgspec import to_builtins

    found: dict[str, Any] = to_builtins(access)
    return found


def _put_json(rows: list[dict[str, Any]], history: History, findings: "list[Finding]") -> None:
    from msgspec import to_builtins

    from payrail.audit.findings import damaged

    put_json(
        {
            "object": "list",
            "data": rows,
            "anomalies": [to_builtins(one) | {"what": one.sentence} for one in history.anomalies],
            "chain": "damaged" if damaged(findings) else "ok",
            "lines": history.read,
            "findings": to_builtins(findings),
        }
    )


def _conclude(lines: int, findings: "list[Finding]", *, as_json: bool) -> None:
    """`chain ok` where it is; else file and line of what is not, and the exit code 65."""
    from payrail.audit.findings import damaged

    bad = damaged(findings)
    tell = say if as_json else put
    if not bad:
        tell(f"chain ok ({lines} {'line' if lines == 1 else 'lines'})")
        return
    for finding in bad:
        say(str(finding))
    say(f"{len(bad)} damaged: this history is not what the vault wrote")
    raise typer.Exit(DAMAGE)
