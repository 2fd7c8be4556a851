"""`settle` and `reconcile`: return when files are in place and what matches is settled.

The front door answers 202 while the reconciler is still at it; the same question with the same key
waits for the same run.
"""

import time
from typing import Annotated, Any

import typer

from actors.cli.common import AsJson, put_json, put_table, say, settings
from actors.cli.exits import FAILED, TRY_LATER, Stop

#: As long as the reconciler may take for what it was asked.
PATIENCE_S = 60.0
_PAUSE_S = 0.2
_RUNNING = 202

Date = Annotated[str | None, typer.Option("--date", help="One date, YYYY-MM-DD.")]


def register(app: typer.Typer) -> None:
    app.command()(settle)
    app.command()(reconcile)


def settle(date: Date = None, as_json: AsJson = False) -> None:
    """Close a batch at both providers, write the settlement files."""
    done = _run("/settlements", date)
    if as_json:
        put_json(done)
        return
    for name in done.get("silent", ()):
        say(f"{name} did not close its batch in time; settle again when it serves")
    columns = ("date", "lines", "path")
    put_table(columns, [[row[name] for name in columns] for row in done["files"]])


def reconcile(date: Date = None, as_json: AsJson = False) -> None:
    """Compare statements, bank and ledger; settle what matches. The rest is named."""
    done = _run("/reconciliations", date)
    if as_json:
        put_json(done)
    else:
        _tell(done["reports"])
    if any(any(row["unexplained"].values()) for row in done["reports"]):
        raise Stop(FAILED, "something is unexplained", "See `totals` of the report.")


def _tell(reports: list[dict[str, Any]]) -> None:
    names = ("matched", "mismatched", "missing_ours", "missing_theirs", "expected")
    rows = [
        [
            row["date"],
            *(row["counts"][name] for name in names),
            _money(row["unexplained"]),
            row["path"],
        ]
        for row in reports
    ]
    put_table(("date", *names, "unexplained", "path"), rows)


def _money(sums: dict[str, int]) -> str:
    from payrail.domain.money import format_minor

    return ", ".join(format_minor(amount, code) for code, amount in sums.items()) or "0"


def _run(path: str, date: str | None) -> dict[str, Any]:
    """Ask until it is done. Raises Stop 75 when it takes too long."""
    from actors.cli.doors import ask, fresh_key, must
    from actors.cli.providers import service_key_text

    url, key = f"{settings().api_url}{path}", service_key_text()
    body = {} if date is None else {"date": date}
    once = fresh_key()
    ends = time.monotonic() + PATIENCE_S
    while True:
        status, answer = ask("POST", url, body, key=key, once=once)
        done: dict[str, Any] = must(status, answer)
        if status != _RUNNING:
            return done
        if time.monotonic() > ends:
            raise Stop(TRY_LATER, "the reconciler is still at it", "Ask again in a moment.")
        time.sleep(_PAUSE_S)
