"""`keys demo|ls|create|rotate|revoke`: API keys. No file holds one: texts are derived anew.

`demo` and `ls` read files and need no actor; the other verbs ask the front door as the house.
Never: tells the text of a key that was made before, except those of the demo.
"""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from actors.cli.common import AsJson, files, put_json, put_table, say, settings
from actors.cli.people import MerchantOption, booked, ordered

if TYPE_CHECKING:
    from payrail.domain.access import Directory
    from payrail.settings import Settings
    from payrail.storage.fs import RealFs

keys = typer.Typer(help="API keys.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    app.add_typer(keys, name="keys")


@keys.callback()
def _group() -> None:
    """API keys."""


@keys.command("demo")
def demo(as_json: AsJson = False) -> None:
    """Print the keys of the merchants that `up --demo` makes."""
    chosen = settings()
    _say_if_new(chosen)
    found = demo_keys(chosen)
    if as_json:
        put_json(found)
        return
    rows = [(merchant, role, key) for merchant, own in found.items() for role, key in own.items()]
    put_table(("merchant", "role", "key"), rows)


_COLUMNS = ("id", "merchant_id", "user", "role", "state", "version", "rate_limit_per_s")

KeyId = Annotated[str, typer.Argument(metavar="ID", help="A key's id, as `keys ls` shows it.")]


@keys.command("ls")
def ls(merchant: MerchantOption = "", as_json: AsJson = False) -> None:
    """List keys, revoked ones too, without their texts."""
    from payrail.domain.people import render_key

    known = booked().keys.values()
    rows = [render_key(key) for key in known if merchant in ("", key.merchant_id)]
    if as_json:
        put_json(rows)
        return
    put_table(_COLUMNS, [[row[name] for name in _COLUMNS] for row in rows])


@keys.command("create")
def create(
    user: Annotated[str, typer.Option("--user", help="Whose key, as `users ls` shows them.")],
    role: Annotated[str, typer.Option("--role", help="admin, operator, approver, viewer, …")],
    rate_limit: Annotated[
        int, typer.Option("--rate-limit", help="Requests a second; 0: the default.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Make a key; its text is shown this once."""
    order: dict[str, Any] = {"user": user, "role": role}
    if rate_limit:
        order["rate_limit_per_s"] = rate_limit
    _shown(ordered("/keys", order), as_json)


@keys.command("rotate")
def rotate(
    key: KeyId,
    grace: Annotated[
        int, typer.Option("--grace", help="Seconds that the old version still works.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Make a new version of a key. The old one ends at once, or after the grace."""
    _shown(ordered(f"/keys/{key}/rotate", {"grace_s": grace}), as_json)


@keys.command("revoke")
def revoke(key: KeyId, as_json: AsJson = False) -> None:
    """End a key, all versions of it."""
    _shown(ordered(f"/keys/{key}/revoke", {}), as_json)


def _shown(row: dict[str, Any], as_json: bool) -> None:
    """One key as data; where its text is shown, people are told that it is for this once."""
    if as_json:
        put_json(row)
        return
    columns = (*_COLUMNS, "key") if "key" in row else _COLUMNS
    put_table(columns, [[row[name] for name in columns]])
    if "key" in row:
        say("The key is shown this once; it stands in no file.")


def _say_if_new(chosen: "Settings") -> None:
    """In a folder that is no home the keys are good for nothing yet: people should know."""
    if not (chosen.home / "data" / "access").exists():
        say(f"no house was ever started in {chosen.home}: these are the keys it will have")


def demo_keys(chosen: "Settings") -> dict[str, dict[str, str]]:
    """Merchant: role: key. Versions come from the access book, where there is one."""
    from payrail.domain.access import demo_records
    from payrail.security.apikeys import derive_key

    house, directory = house_secret(chosen), _directory(files(chosen))
    wanted = [getattr(record, "key_id", None) for record in demo_records("")]
    found: dict[str, dict[str, str]] = {}
    for key in (directory.live_key(key_id) for key_id in wanted if key_id):
        if key and key.merchant_id:
            text = derive_key(house, key.key_id, key.version, publishable=key.publishable)
            found.setdefault(key.merchant_id, {})[key.role] = text
    return found


def house_secret(chosen: "Settings") -> bytes:
    """The secret from which a house's keys are derived; made where there is none."""
    from payrail.runtime.clocks import SystemRng
    from payrail.security.secrets import secret

    given = chosen.house_secret.get_secret_value()
    return secret(files(chosen), "house", SystemRng(), given=given)


def _directory(fs: "RealFs") -> "Directory":
    """Who is there: the demo's own records, then whatever the book says beyond them."""
    from payrail.domain.access import Directory, demo_records, read_record
    from payrail.domain.books import ACCESS_BOOK
    from payrail.storage.books import Follower

    directory = Directory()
    for record in demo_records(""):
        directory.fold(record)
    for _, line in Follower(fs, ACCESS_BOOK).read():
        directory.fold(read_record(line))
    return directory
