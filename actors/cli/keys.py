"""`keys demo`: the keys of the demo merchants, derived anew; no file holds one."""

from typing import TYPE_CHECKING

import typer

from actors.cli.common import AsJson, files, put_json, put_table, settings

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
    found = demo_keys(settings())
    if as_json:
        put_json(found)
        return
    rows = [(merchant, role, key) for merchant, own in found.items() for role, key in own.items()]
    put_table(("merchant", "role", "key"), rows)


def demo_keys(chosen: "Settings") -> dict[str, dict[str, str]]:
    """Merchant: role: key. Versions come from the access book, where there is one."""
    from payrail.domain.access import demo_records
    from payrail.runtime.clocks import SystemRng
    from payrail.security.apikeys import derive_key
    from payrail.security.secrets import secret

    fs = files(chosen)
    house = secret(fs, "house", SystemRng(), given=chosen.house_secret.get_secret_value())
    directory = _directory(fs)
    wanted = [getattr(record, "key_id", None) for record in demo_records("")]
    found: dict[str, dict[str, str]] = {}
    for key in (directory.live_key(key_id) for key_id in wanted if key_id):
        if key and key.merchant_id:
            text = derive_key(house, key.key_id, key.version, publishable=key.publishable)
            found.setdefault(key.merchant_id, {})[key.role] = text
    return found


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
