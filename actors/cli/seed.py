"""`seed`: a made-up month at a running house, the same world for the same seed."""

from typing import TYPE_CHECKING, Annotated

import typer

from actors.cli.common import put_json, settings
from actors.cli.exits import FAILED, usage

if TYPE_CHECKING:
    from payrail.domain.synthetic import Plan

PAYMENTS_MAX = 10_000_000
DAYS_MAX = 366
CUSTOMERS_MAX = 1_000_000


def register(app: typer.Typer) -> None:
    app.command()(seed)


def seed(
    *,
    seed: Annotated[int | None, typer.Option(min=0, help="Default: PAYRAIL_SEED.")] = None,
    payments: Annotated[
        int, typer.Option(min=1, max=PAYMENTS_MAX, help="The first fifty show every state.")
    ] = 50,
    customers: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=CUSTOMERS_MAX,
            help="How many people buy. The first fifty payments are of 20.",
        ),
    ] = None,
    merchants: Annotated[
        int, typer.Option(min=2, max=12, help="How many sell; beyond the demo's two: registered.")
    ] = 12,
    days: Annotated[
        int,
        typer.Option(
            min=0,
            max=DAYS_MAX,
            help="Days that pass. They move the house's clock forward, and it cannot go back; "
            "0: pay now, and move no clock.",
        ),
    ] = 30,
    rate: Annotated[
        float | None,
        typer.Option(help="At most so many payments a second; else as fast as the house."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the world, pay nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary, or the world.")] = False,
    as_lines: Annotated[
        bool, typer.Option("--jsonl", help="With --dry-run: a payment a line, of any number.")
    ] = False,
) -> None:
    """Play a made-up month at the running house.

    Payments, and what becomes of them day by day. The same command once more goes on where the last
    one ended, and asks for nothing twice.
    """
    import asyncio

    from payrail.domain.synthetic import MERCHANTS, Plan
    from payrail.domain.synthetic.plan import CUSTOMERS
    from payrail.domain.synthetic.scenes import SCENES_COUNT

    if rate is not None and not 0 < rate < float("inf"):
        raise usage("--rate is payments a second", "For example: --rate 20")
    if as_lines and (as_json or not dry_run):
        raise usage("--jsonl is a way to show a plan", "Write --dry-run --jsonl, without --json.")
    chosen = settings()
    number = chosen.seed if seed is None else seed
    people = CUSTOMERS if customers is None else customers
    sellers = merchants if payments > SCENES_COUNT else len(MERCHANTS)
    plan = Plan(number, payments, people, days, sellers)
    if dry_run:
        _show(plan, as_json, as_lines)
        return
    from actors.cli.seeding.run import play

    if not asyncio.run(play(chosen, plan, rate=rate, as_json=as_json)):
        raise typer.Exit(FAILED)


def _show(plan: "Plan", as_json: bool, as_lines: bool) -> None:
    from actors.cli.seed_dry import WORLD_PAYMENTS_MAX, as_world, put_counts, put_lines

    if as_lines:
        put_lines(plan)
    elif not as_json:
        put_counts(plan)
    elif plan.payments > WORLD_PAYMENTS_MAX:
        what = f"--json shows a world of at most {WORLD_PAYMENTS_MAX} payments"
        raise usage(what, "Use --jsonl: one payment a line, however many there are.")
    else:
        put_json(as_world(plan))
