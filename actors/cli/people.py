"""`merchants ls|create`, `users ls|create|deactivate`: who may hold keys.

`ls` reads the book of access and needs no actor; the other verbs ask the front door as the house.
"""

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from actors.cli.common import AsJson, files, put_json, put_rows, settings

if TYPE_CHECKING:
    from payrail.domain.access import Directory

merchants = typer.Typer(help="Merchants.", no_args_is_help=True)
users = typer.Typer(help="Users of merchants.", no_args_is_help=True)

MerchantOption = Annotated[str, typer.Option("--merchant", help="Of this merchant alone.")]
_MERCHANT = ("id", "name", "mcc", "created_at")
_USER = ("id", "merchant_id", "name", "state", "created_at")


def register(app: typer.Typer) -> None:
    app.add_typer(merchants, name="merchants")
    app.add_typer(users, name="users")


@merchants.command("ls")
def merchants_ls(as_json: AsJson = False) -> None:
    """List the merchants of this home."""
    from payrail.domain.people import render_merchant

    _put(_MERCHANT, [render_merchant(one) for one in booked().merchants.values()], as_json)


@merchants.command("create")
def merchants_create(
    name: Annotated[str, typer.Argument(help="The merchant's name.")],
    mcc: Annotated[str, typer.Option("--mcc", help="Merchant category code, four digits.")],
    as_json: AsJson = False,
) -> None:
    """Add a merchant; users and keys come next."""
    _put_one(_MERCHANT, ordered("/merchants", {"name": name, "mcc": mcc}), as_json)


@users.command("ls")
def users_ls(merchant: MerchantOption = "", as_json: AsJson = False) -> None:
    """List users, deactivated ones too."""
    from payrail.domain.people import render_user

    rows = [render_user(one) for one in booked().users.values()]
    _put(_USER, [row for row in rows if merchant in ("", row["merchant_id"])], as_json)


@users.command("create")
def users_create(
    name: Annotated[str, typer.Argument(help="The user's name.")],
    merchant: Annotated[str, typer.Option("--merchant", help="Whose user.")],
    as_json: AsJson = False,
) -> None:
    """Add a user to a merchant."""
    _put_one(_USER, ordered("/users", {"name": name}, merchant), as_json)


@users.command("deactivate")
def users_deactivate(
    user: Annotated[str, typer.Argument(metavar="ID", help="A user's id.")],
    as_json: AsJson = False,
) -> None:
    """End a user, and all their keys."""
    _put_one(_USER, ordered(f"/users/{user}/deactivate", {}), as_json)


def booked() -> "Directory":
    """Who is there, as the book of access tells it."""
    from payrail.domain.access import Directory, read_record
    from payrail.domain.books import ACCESS_BOOK
    from payrail.storage.books import Follower

    directory = Directory()
    for _, line in Follower(files(settings()), ACCESS_BOOK).read():
        directory.fold(read_record(line))
    return directory


def ordered(path: str, body: dict[str, Any], merchant: str = "") -> dict[str, Any]:
    """What the front door answers to an order of the house. Raises NotRunning, Stop."""
    from actors.cli.doors import ask, must
    from actors.cli.providers import service_key_text

    url = f"{settings().api_url}{quote(path)}"
    answer: dict[str, Any] = must(
        *ask("POST", url, body, key=service_key_text(), merchant=merchant)
    )
    return answer


def _put(columns: tuple[str, ...], rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        put_json(rows)
        return
    put_rows(columns, rows)


def _put_one(columns: tuple[str, ...], row: dict[str, Any], as_json: bool) -> None:
    if as_json:
        put_json(row)
        return
    _put(columns, [row], False)
