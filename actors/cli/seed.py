"""`seed`: made-up payments for a running house, the same world for the same seed."""

from typing import TYPE_CHECKING, Annotated

import typer

from actors.cli.common import put, put_json, settings
from actors.cli.exits import FAILED, NOT_RUNNING, SETTINGS, Stop

if TYPE_CHECKING:
    from actors.cli.scenes import Played
    from actors.cli.shop import Keys, Shop
    from payrail.settings import Settings


def register(app: typer.Typer) -> None:
    app.command()(seed)


def seed(
    seed: Annotated[int | None, typer.Option(min=0, help="Default: PAYRAIL_SEED.")] = None,
    payments: Annotated[
        int, typer.Option(min=1, max=100_000, help="The first fifty show every state.")
    ] = 50,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the world, pay nothing.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The summary, or the world.")] = False,
) -> None:
    """Pay a seeded plan at the running house. Every state is there at least twice then. The same
    seed once more asks for nothing twice."""
    import asyncio

    chosen = settings()
    number = chosen.seed if seed is None else seed
    if dry_run:
        _show(number, payments, as_json)
    elif not asyncio.run(_drive(chosen, number, payments, as_json)):
        raise typer.Exit(FAILED)


async def _drive(chosen: "Settings", seed: int, payments: int, as_json: bool) -> bool:
    """Play the plan with a progress bar on stderr; result: whether all ended as planned."""
    import asyncio

    from rich.console import Console

    from actors.cli.doors import wait_until_ready
    from actors.cli.progress import progress_bar
    from actors.cli.scenes import play_all
    from actors.cli.seeded import as_summary, print_summary
    from actors.cli.settling import settle
    from actors.cli.shop import Shop
    from payrail.domain.synthetic import seed_plan

    await asyncio.to_thread(wait_until_ready, chosen.api_url)
    keys = _keys(chosen)
    async with Shop(chosen.api_url, chosen.vault_url, keys) as shop:
        await _must_know_us(shop, keys, chosen)
        with progress_bar("seeding", payments) as advance:

            def told(_: "Played") -> None:
                advance()

            played = await play_all(shop, seed_plan(seed, payments), told)
        settling, played = await settle(shop, played)
    if as_json:
        put_json(as_summary(chosen, seed, played, settling))
    else:
        print_summary(Console(), chosen, seed, played, settling)
    return settling.status != "failed" and not any(one.wrong for one in played)


def _keys(chosen: "Settings") -> "Keys":
    """The demo merchants' keys, derived from the secret of the house that runs. Raises Stop in a
    home without one: a secret made here would be another one."""
    from actors.cli.keys import demo_keys

    made = chosen.home / "data" / "secrets" / "house"
    if not chosen.house_secret.get_secret_value() and not made.exists():
        what = f"{chosen.home} holds no secret of a house"
        raise Stop(SETTINGS, what, "Set PAYRAIL_HOME to the home of the house that runs.")
    return demo_keys(chosen)


async def _must_know_us(shop: "Shop", keys: "Keys", chosen: "Settings") -> None:
    """Raises Stop unless the house knows the keys, and somebody answers at the vault."""
    for merchant_id in keys:
        status = (await shop.get(merchant_id, "/payment-intents")).status
        if status in (401, 403):
            what = f"the house at {chosen.api_url} does not know {merchant_id}'s key"
            remedy = "Start it with `payrail up --demo`, and set PAYRAIL_HOME to its home."
            raise Stop(SETTINGS, what, remedy)
    if not await shop.vault_answers():
        what = f"nobody answers at {chosen.vault_url}"
        raise Stop(NOT_RUNNING, what, "Set PAYRAIL_VAULT_URL to where the vault is reached.")


def _show(seed: int, payments: int, as_json: bool) -> None:
    from actors.cli.seeded import as_world

    world = as_world(seed, payments)
    if as_json:
        put_json(world)
        return
    for name in ("merchants", "customers", "cards", "payments"):
        put(f"{len(world[name])} {name}")
