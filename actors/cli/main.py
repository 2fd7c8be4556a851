"""`payrail`: joins the groups of verbs and turns every end into its exit code."""

import importlib
import sys
from typing import Annotated

import typer

from actors.cli import (
    cases,
    clock,
    demo,
    disputes,
    docs,
    doctor,
    events,
    hand,
    house,
    keys,
    look,
    orders,
    pay,
    payouts,
    people,
    providers,
    refunds,
    rules,
    seed,
    settle,
    simulate,
    vault,
)
from actors.cli.chaos import verb as chaos
from actors.cli.exits import INTERRUPTED, USAGE, report
from actors.cli.fixtures import verb as fixtures
from payrail.errors import PayRailError

#: What the parser of the command line exits with; ours is the one of sysexits.h.
_PARSER_USAGE = 2

app = typer.Typer(
    name="payrail",
    help="A payment gateway on plain files. Exit codes: 0 ok, 1 a check failed, 64 usage, "
    "65 damage found, 66 no such id, 69 not running, 70 corrupt, 73 home held, 74 I/O, "
    "75 try later, 78 settings.",
    add_completion=True,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as version_of

        print(f"payrail {version_of('payrail')}")
        raise typer.Exit


GROUPS = (
    *(house, look, demo, seed, doctor, orders, hand, keys, people, providers, events, clock),
    settle,
    fixtures,
    *(pay, refunds, disputes, payouts, cases, rules, vault),
    *(simulate, docs, chaos),
)
for group in GROUPS:
    group.register(app)


def _join_audit() -> None:
    """`verify`, `why` and `ledger`, which live in a room of their own."""
    try:
        audit = importlib.import_module("actors.cli.audit").audit
    except ModuleNotFoundError:
        return
    app.add_typer(audit)


_join_audit()


def main() -> None:
    """The console script."""
    sys.exit(run())


def run() -> int:
    """Obey the command line; result: the exit code."""
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(bool(end.code))
        return USAGE if code == _PARSER_USAGE else code
    except KeyboardInterrupt:
        return INTERRUPTED
    except (PayRailError, OSError) as error:
        return report(error)
    return 0


if __name__ == "__main__":
    main()
