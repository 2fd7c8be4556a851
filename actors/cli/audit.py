"""`verify`, `why` and `ledger`: what the files say, whether the house runs or not. Reads only."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.cli.common import AsJson, files, put, put_json, put_table, say, settings
from actors.cli.exits import DAMAGE, NO_SUCH, Stop
from actors.cli.ledger_export import export

if TYPE_CHECKING:
    from payrail.audit.findings import Finding
    from payrail.audit.statement import Row
    from payrail.runtime.actor import Actor

#: How long a house at work may take until a line that is due can be read.
_LOOK_AGAIN_S = 0.2

audit = typer.Typer(no_args_is_help=True)
ledger = typer.Typer(no_args_is_help=True, help="Statements of the ledger, and its own check.")
ledger.command()(export)
audit.add_typer(ledger, name="ledger")


@audit.command()
def verify(as_json: AsJson = False) -> None:
    """Check every file of the house against its journals. 65: damage, with file and line."""
    from payrail.audit.house import verify as verify_house

    chosen = settings()
    if not (chosen.home / "data" / "actors").exists():
        say(f"no house was ever started in {chosen.home}: there is nothing to check")
    _conclude(verify_house(files(chosen), _cores()), as_json=as_json)


@audit.command()
def why(
    ident: Annotated[
        str, typer.Argument(metavar="ID", help="Any id: a payment, event, message, …")
    ],
    as_json: AsJson = False,
) -> None:
    """Show what led to an id and what it led to. 65: a link is broken, 66: nothing knows the id.

    Payments, refunds, disputes, payouts, cases, challenges, users, keys, events, captures,
    deliveries, dead letters, correlation ids and messages have one.
    """
    from time import sleep

    from msgspec import to_builtins

    from payrail.audit.why import explain, walk

    chain = explain(files(settings()), _cores(), ident, lambda: sleep(_LOOK_AGAIN_S))
    if chain is None:
        raise _unknown(ident)
    if as_json:
        put_json(to_builtins(chain.nodes))
    else:
        for depth, node in walk(chain.nodes):
            place = f"{node.file}:{node.line}" if node.line else node.file
            told = f"{'  ' * depth}{node.actor} {node.kind}: {node.what}"
            put(f"{node.at}  {told}  [{place}]")
    for finding in chain.broken:
        say(f"broken link: {finding}")
    if chain.broken:
        raise typer.Exit(DAMAGE)


@ledger.command()
def show(
    ident: Annotated[str | None, typer.Argument(metavar="ID", help="A payment's id.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every entry.")] = False,
    as_json: AsJson = False,
) -> None:
    """Entries with their postings, in the order of `seq`. 66: no entry is about that id."""
    from actors.cli.exits import usage
    from payrail.audit.statement import statement

    if (ident is None) != everything:
        raise usage("ledger show takes an id, or --all", "For example: payrail ledger show pi_…")
    found = statement(files(settings()), ident)
    if ident is not None and not found:
        raise _unknown(ident)
    if as_json:
        from msgspec import to_builtins

        put_json(to_builtins(found))
    else:
        put_table(
            ("seq", "time", "type", "ref", "amount", "account", "moved"),
            [line for row in found for line in _posting_lines(row)],
        )


@ledger.command()
def balance(
    merchant: Annotated[str | None, typer.Option(help="Only entries of this merchant.")] = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only entries up to this ISO time.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Every account by currency, in minor units, and the trial balance. 65: it is not zero."""
    from payrail.audit.statement import balance as balance_of

    found = balance_of(files(settings()), merchant, at=None if at is None else _time(at))
    if as_json:
        put_json({"accounts": found.accounts, "trial_balance": found.trial})
    else:
        rows = [
            (account, currency, amount_minor)
            for account, sums in found.accounts.items()
            for currency, amount_minor in sums.items()
        ]
        total = [("trial balance", currency, sum_minor) for currency, sum_minor in
                 found.trial.items()]  # fmt: skip
        put_table(("account", "currency", "amount"), [*rows, *total])
    if not found.is_zero:
        raise typer.Exit(DAMAGE)


@ledger.command("verify")
def verify_books(as_json: AsJson = False) -> None:
    """The ledger's part of `verify`: bytes, chain, postings, events."""
    from payrail.audit.house import verify_ledger

    _conclude(verify_ledger(files(settings()), _cores()), as_json=as_json)


def _cores() -> "dict[str, Actor[Any]]":
    from actors.wiring import cores

    return cores()


def _conclude(findings: "list[Finding]", *, as_json: bool) -> None:
    """Print the findings; end with 65 when one of them is damage."""
    from msgspec import to_builtins

    from payrail.audit.findings import damaged

    bad = damaged(findings)
    if as_json:
        put_json(to_builtins(findings))
    elif findings:
        rows = [(f.severity, f"{f.path}:{f.line}", f.what) for f in findings]
        put_table(("severity", "where", "what"), rows)
    say(f"{len(bad)} damaged" if bad else "whole: nothing is damaged")
    if bad:
        raise typer.Exit(DAMAGE)


def _posting_lines(row: "Row") -> list[tuple[object, ...]]:
    """One line for each posting; one without an account for an entry that moves nothing."""
    head = (row.seq, row.timestamp, row.type, row.ref, f"{row.amount} {row.currency}")
    moved: list[tuple[object, ...]]
    moved = [(posting.account, posting.amount) for posting in row.postings] or [("", "")]
    return [(*head, *moved[0]), *(("", "", "", "", "", *more) for more in moved[1:])]


def _time(given: str) -> str:
    """The time of `--at` as lines have it. Raises Stop 64."""
    from actors.cli.exits import usage
    from payrail.domain.timestamps import as_written

    try:
        return as_written(given)
    except ValueError as error:
        raise usage(
            f"--at {error}", "For example: payrail ledger balance --at 2026-02-09T12:00:00Z"
        ) from None


def _unknown(ident: str) -> Stop:
    return Stop(
        NO_SUCH, f"nothing here knows {ident!r}", "See ids with `payrail ledger show --all`."
    )
