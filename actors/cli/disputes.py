"""`disputes`: see what cardholders dispute, and answer for the merchant, at a running house.

The house decides; what it refuses is told with what may be done instead.
"""

from typing import Annotated, Any

import typer

from actors.cli.common import AsJson, put_json, put_table, say, settings
from actors.cli.exits import usage

DisputeId = Annotated[str, typer.Argument(metavar="ID", help="A dispute's id, dp_….")]

disputes = typer.Typer(help="Disputes: evidence, the answer, giving in.", no_args_is_help=True)

_COLUMNS = ("id", "state", "stage", "reason", "amount", "currency", "due_by", "payment_intent")
_WAITING = 202


def register(app: typer.Typer) -> None:
    app.add_typer(disputes, name="disputes")


@disputes.command("ls")
def ls(as_json: AsJson = False) -> None:
    """List the newest disputes of all merchants."""
    found = _get("/disputes")["data"]
    if as_json:
        put_json(found)
        return
    put_table(_COLUMNS, [[one[name] for name in _COLUMNS] for one in found])


@disputes.command("show")
def show(ident: DisputeId, as_json: AsJson = False) -> None:
    """Show a dispute: what helps against its reason, and who has given it."""
    _put(_get(f"/disputes/{ident}"), as_json=as_json)


@disputes.command("evidence")
def evidence(
    ident: DisputeId,
    items: Annotated[
        list[str], typer.Argument(metavar="ITEM=TEXT…", help="Items of the checklist.")
    ],
    as_json: AsJson = False,
) -> None:
    """Add what speaks for the merchant; a later text replaces the first."""
    parted = [one.partition("=") for one in items]
    if not all(sign for _, sign, _ in parted):
        raise usage("evidence is ITEM=TEXT", 'For example: order_details="2 books, 3 May"')
    body = {"evidence": {item: text for item, _, text in parted}}
    _post(ident, "evidence", body, as_json=as_json)


@disputes.command("submit")
def submit(ident: DisputeId, as_json: AsJson = False) -> None:
    """Send the one answer of this stage."""
    _post(ident, "submit", {}, as_json=as_json)


@disputes.command("accept")
def accept(ident: DisputeId, as_json: AsJson = False) -> None:
    """Give in: the payment is charged back."""
    _post(ident, "accept", {}, as_json=as_json)


def _get(path: str) -> Any:
    from actors.cli.doors import ask, must
    from actors.cli.providers import service_key_text

    return must(*ask("GET", f"{settings().api_url}{path}", key=service_key_text()))


def _post(ident: str, verb: str, body: dict[str, Any], *, as_json: bool) -> None:
    """Ask in the name of the dispute's merchant."""
    import os
    import time

    from actors.cli.doors import ask, must
    from actors.cli.providers import service_key_text

    merchant_id = str(_get(f"/disputes/{ident}")["merchant_id"])
    status, answer = ask(
        "POST",
        f"{settings().api_url}/disputes/{ident}/{verb}",
        body,
        key=service_key_text(),
        once=f"cli-{os.getpid()}-{time.time_ns()}",
        merchant=merchant_id,
    )
    shown = must(status, answer)
    if status == _WAITING:
        say("the provider has not answered yet; it will, see `payrail disputes show`")
    _put(shown, as_json=as_json)


def _put(dispute: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        put_json(dispute)
        return
    put_table(_COLUMNS, [[dispute[name] for name in _COLUMNS]])
    rows = [(row["item"], row["given_by"] or "-", row["asked"]) for row in dispute["checklist"]]
    put_table(("item", "given by", "asked"), rows)
