"""`seed`: made-up payments for a running house, the same world for the same seed."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.cli.common import put, put_json, settings
from actors.cli.exits import FAILED, usage

if TYPE_CHECKING:
    from actors.cli.payments import Done
    from payrail.domain.synthetic import PlannedPayment
    from payrail.settings import Settings


def register(app: typer.Typer) -> None:
    app.command()(seed)


def seed(
    seed: Annotated[int | None, typer.Option(help="Default: PAYRAIL_SEED.")] = None,
    payments: Annotated[int, typer.Option(min=1, max=100_000)] = 200,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the world, pay nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="With --dry-run: as JSON.")] = False,
) -> None:
    """Pay a seeded plan at the running house: captures, holds, cancellations, declines."""
    import asyncio

    from payrail.domain.synthetic import demo_plan

    if as_json and not dry_run:
        raise usage("--json goes with --dry-run")
    chosen = settings()
    number = chosen.seed if seed is None else seed
    plan = demo_plan(number, payments)
    if dry_run:
        _show(number, plan, as_json)
    elif not asyncio.run(drive(chosen, plan)):
        raise typer.Exit(FAILED)


async def drive(chosen: "Settings", plan: "Sequence[PlannedPayment]") -> bool:
    """Pay the plan with a progress bar on stderr; result: whether all ended as planned."""
    import asyncio

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from actors.cli.doors import wait_until_ready
    from actors.cli.keys import demo_keys
    from actors.cli.payments import pay_all
    from actors.cli.shop import Shop
    from actors.cli.summary import print_summary

    await asyncio.to_thread(wait_until_ready, chosen.api_url)
    columns = (TextColumn("paying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("paying", total=len(plan))

        def told(_: "Done") -> None:
            progress.advance(task)

        async with Shop(chosen.api_url, chosen.vault_url, demo_keys(chosen)) as shop:
            done = await pay_all(shop, plan, f"run-{time.time_ns() // 1_000_000}", told)
    print_summary(Console(), done, shop.latency_ms)
    return not any(one.wrong for one in done)


def _show(number: int, plan: "Sequence[PlannedPayment]", as_json: bool) -> None:
    world = as_world(number, plan)
    if as_json:
        put_json(world)
        return
    for name in ("merchants", "customers", "cards", "payments"):
        put(f"{len(world[name])} {name}")


def as_world(number: int, plan: "Sequence[PlannedPayment]") -> dict[str, Any]:
    """The world of a seed for people: cards by brand and last four digits, never by number."""
    from dataclasses import asdict

    from payrail.domain.synthetic import world

    made_up = world(number)
    return {
        "seed": number,
        "merchants": [asdict(one) for one in made_up.merchants],
        "customers": [asdict(one) for one in made_up.customers],
        "cards": [_card(card) for card in made_up.cards],
        "payments": [
            {
                "merchant_id": one.merchant_id,
                "customer": one.customer.id,
                "card": _card(one.card),
                "amount": one.amount_minor,
                "currency": one.currency,
                "action": one.action,
                "decline_code": one.decline_code,
            }
            for one in plan
        ],
    }


def _card(card: Any) -> dict[str, Any]:
    return {
        "brand": card.brand,
        "last4": card.number[-4:],
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "country": card.country,
        "funding": card.funding,
    }
